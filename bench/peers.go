package bench

// systems are the peers, in the order of their figures. The floor is a minimal
// NT-shaped kernel in C and assembly, without timeouts, APCs or boosts.
var systems = [...]string{"floor", "Linux 6.1", "ThreadX arm64", "FreeRTOS ia32", "TamaGo"}

// peer is what other systems need for an operation, in guest instructions;
// what was not measured is empty.
//
// Source: medians of one series under QEMU 7.2 -icount shift=0 on 2026-11-21,
// with -cpu max and one processor on q35 and virt. Linux: kernel threads,
// unless the operation says Go; TamaGo: goroutines of stock TamaGo, where Linux
// has Go on Linux.
type peer struct {
	operation    string
	aim          string
	amd64, arm64 [len(systems)]string
}

var peers = []peer{
	{"RaiseLowerIRQL/kernel", "12", fig("4", "33", "", "", ""), fig("4", "23", "", "", "")}, // Linux: irqsave, a spin lock inside
	{"RaiseLowerIRQL/Go", "", none, none},
	{"SpinLock", "20", fig("3-5", "19", "", "", "19"), fig("7-8", "14", "", "", "28")},
	{"Mutex/kernel", "110", fig("", "28", "76", "178", ""), fig("", "70", "76", "178", "")},
	{"Mutex/Go", "", none, none},
	{"FastMutex/kernel", "50", fig("", "28", "", "", "19"), fig("", "70", "", "", "28")},
	{"FastMutex/Go", "", none, none},
	{"GuardedMutex/kernel", "50", fig("", "28", "", "", "19"), fig("", "70", "", "", "28")},
	{"GuardedMutex/Go", "", none, none},
	{"EventSetWait/kernel", "100", fig("44", "", "33", "146", ""), fig("52", "", "33", "146", "")},
	{"EventSetWait/Go", "", none, none},
	{"EventPingPong/kernel", "450", fig("231", "5638", "448", "853", "2633"), fig("267", "6504", "448", "853", "2825")},
	{"EventPingPong/Go", "1500", none, none},
	{"Yield", "150", fig("73", "1096", "80", "36", "740"), fig("85", "1407", "80", "36", "822")},
	{"InterruptToISR", "120", fig("18", "", "", "", "1871"), fig("22", "", "", "", "1936")},
	{"ISRToDPC", "200", fig("43", "532", "", "", ""), fig("49", "752", "", "", "")},
	{"ISRToDPCToThread", "500", fig("150", "2963", "155", "208", ""), fig("174", "3712", "155", "208", "")},
	{"TimerSetCancel/kernel", "200", fig("", "375", "", "", ""), fig("", "411", "", "", "")},
	{"TimerSetCancel/Go", "", none, none},
	{"ThreadCreateJoin/kernel", "", fig("", "71663", "1472", "1865", ""), fig("", "42558", "1472", "1865", "")},
	{"ThreadCreateJoin/Go", "8000", fig("", "", "", "", "3329"), fig("", "", "", "", "3534")},
	{"NullKernelCall", "", none, none},
	{"NullSystemCall", "", none, none},
	{"Channel", "2658", fig("", "2658", "", "", "2633"), fig("", "", "", "", "2825")},
	{"Gosched", "771", fig("", "771", "", "", "740"), fig("", "", "", "", "822")},
	{"MutexGo", "19", fig("", "19", "", "", "19"), fig("", "", "", "", "28")},
	{"ChannelLockedThreads", "6000", fig("", "21546", "", "", ""), fig("", "25574", "", "", "")},
	{"EntryToMain", "", fig("", "", "", "", ""), fig("", "", "", "", "")},
	{"ResetToMain", "900000", fig("", "", "", "", "973746"), fig("", "", "", "", "805888")},
}

var none [len(systems)]string

func fig(f ...string) (a [len(systems)]string) {
	copy(a[:], f)
	return a
}
