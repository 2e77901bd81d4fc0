package linux

import (
	"irqlab/arch"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/kernel"
	"irqlab/mm"
)

// Entries of the auxiliary vector (getauxval(3)); runtime.sysauxv reads these.
const (
	auxPageSize = 6  // AT_PAGESZ
	auxHWCap    = 16 // AT_HWCAP
	auxSecure   = 23 // AT_SECURE
	auxRandom   = 25 // AT_RANDOM: address of 16 random bytes
	auxVDSO     = 33 // AT_SYSINFO_EHDR
)

// The first thread's stack: the runtime takes 64 KiB of it for its g0
// (runtime.rt0_go); strings and vectors lie above.
const (
	stackBytes  = 256 << 10
	stringBytes = 8 << 10
	vectorBytes = 24 << 10
)

// Start begins the program: it creates the thread that enters the Go runtime as
// Linux would have done. Boot processor, once, with the dispatcher running.
//
// IRQL: PASSIVE_LEVEL
func Start() {
	initFutex()
	initFiles()
	initRandom()
	initVDSO()
	initConsole()

	base, e := mm.Map(0, stackBytes, mm.Read|mm.Write, mm.Hint)
	if e != mm.OK {
		bugcheck.Stop(bugcheck.NoPagesAvailable, stackBytes, 0, 0, 0)
	}
	top := base + stackBytes
	sp := buildStack(board.CommandLine(), top)
	frame := arch.NewGoFrame(arch.GoEntry(), sp)
	t, ok := kernel.NewGoThread(&frame)
	if !ok {
		bugcheck.Stop(bugcheck.NoPagesAvailable, 0, 0, 0, 0)
	}
	t.Name = threadName
	s := initState(t, 0)
	s.assign()
	processID = uintptr(s.tid)
	kernel.Renewed = renewed
	kernel.Ready(t)
}

// block is memory that is filled upwards.
type block struct {
	at, end uintptr
}

func (b *block) byte(c byte) {
	if b.at < b.end {
		*(*byte)(pointer(b.at)) = c
		b.at++
	}
}

func (b *block) word(v uintptr) {
	if b.at+8 <= b.end {
		*(*uintptr)(pointer(b.at)) = v
		b.at += 8
	}
}

// text appends an encoded word, decoded and zero-terminated, and returns its
// address.
func (b *block) text(s string) uintptr {
	p := b.at
	if s != "%" {
		for s != "" {
			var c byte
			c, s = unescape(s)
			b.byte(c)
		}
	}
	b.byte(0)
	return p
}

// buildStack lays out what a Linux program finds on its stack, below top, and
// returns the stack pointer: argument count, arguments, environment, auxiliary
// vector (System V ABI, AMD64, 3.4.1; the order is the same on ARM64).
func buildStack(line string, top uintptr) uintptr {
	text := block{top - stringBytes, top - 8} // the last word stays 0 and ends the last string
	sp := top - vectorBytes
	v := block{sp, top - stringBytes}

	v.word(0) // count, below
	count := arguments(&v, &text, line)
	*(*uintptr)(pointer(sp)) = count
	v.word(0)
	environment(&v, &text, line)
	v.word(0)

	random := text.at
	text.at += 16
	fillRandom(bytesAt(random, 16))
	v.word(auxPageSize)
	v.word(arch.PageSize)
	v.word(auxRandom)
	v.word(random)
	v.word(auxSecure)
	v.word(0)
	v.word(auxHWCap)
	v.word(hardwareCapabilities())
	v.word(auxVDSO)
	v.word(vdsoBase())
	v.word(0)
	v.word(0)
	return sp
}

// arguments appends the program's name and the words after the mark.
func arguments(v, text *block, line string) (count uintptr) {
	v.word(text.text("irqlab"))
	count = 1
	after := false
	w := words{line}
	for {
		word, more := w.next()
		if !more {
			return count
		}
		if after {
			v.word(text.text(word))
			count++
		}
		after = after || word == argumentMark
	}
}

// spareProcs is how many Ps there are beyond the processors, so that system
// threads that are ready find one (docs: "Enough Ps").
const spareProcs = 8

// environment appends the variables of the command line and the defaults of
// those that are not given.
func environment(v, text *block, line string) {
	w := words{line}
	for {
		word, more := w.next()
		if !more || word == argumentMark {
			break
		}
		if isVariable(word) {
			v.word(text.text(word))
		}
	}
	if _, given := option(line, "GOMAXPROCS"); !given {
		v.word(text.at)
		const name = "GOMAXPROCS="
		for i := range len(name) {
			text.byte(name[i])
		}
		n := arch.NumCPUs + spareProcs
		if n >= 10 {
			text.byte(byte('0' + n/10))
		}
		text.byte(byte('0' + n%10))
		text.byte(0)
	}
}
