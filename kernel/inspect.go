package kernel

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/dpc"
	"irqlab/ntstatus"
)

// What follows is for debuggers: copies of the dispatcher's state, taken in one
// step with its lock held. The buffers are the caller's and may be on the Go
// heap; they hold no pointers. Each function returns how many there are, which
// may be more than fit.

// ThreadInfo is a thread as it was.
type ThreadInfo struct {
	Address                uintptr
	ID                     uint32
	State                  State
	Priority, BasePriority int8
	CPU, Ideal, Affinity   uint32
	Quantum                int32
	System, Locked, Go     bool
	Idle                   bool
	WaitMode               Mode
	Alertable              bool
	WaitAll                bool
	WaitCount              int
	Waits                  [threadWaitObjects]WaitInfo // the first of WaitCount
	Due                    uint64                      // interrupt time at which its wait ends; 0 for none
	Mutants                int                         // that it owns
	KernelAPCs             int16
	SpecialAPCs            int16
	ExitStatus             ntstatus.Status
	References             int64
	Cycles, Switches       uint64
	Ready                  uint64 // counter ticks since it became ready, if it is
	StackLow, StackHigh    uintptr
	Name                   [16]byte
}

// WaitInfo is an object that a thread waits for.
type WaitInfo struct {
	Object uintptr
	Type   Type
	State  int32
}

// Threads copies the live threads to buf, the processors' idle threads first.
//
// IRQL: <= DISPATCH_LEVEL
func Threads(buf []ThreadInfo) int {
	q := query{threads: buf}
	enterQuery(queryThreads, &q)
	return q.n
}

// query carries a request into the kernel.
type query struct {
	threads []ThreadInfo
	ready   []uint32
	timers  []TimerInfo
	cpu     uint32
	n       int

	processors []ProcessorInfo
}

func enterQuery(fn func(*Args), q *query) {
	a := Args{P: unsafe.Pointer(q)}
	Enter(fn, &a)
}

func queryThreads(a *Args) {
	q := (*query)(a.P)
	old := LockDispatcher()
	for i := range arch.NumCPUs {
		q.addThread(processors[i].idle, true)
	}
	for _, t := range &threads {
		if t != nil {
			q.addThread(t, false)
		}
	}
	UnlockDispatcher(old)
}

func (q *query) addThread(t *Thread, idle bool) {
	if q.n < len(q.threads) {
		t.describe(&q.threads[q.n])
		q.threads[q.n].Idle = idle
	}
	q.n++
}

func (t *Thread) describe(i *ThreadInfo) {
	*i = ThreadInfo{
		Address: uintptr(unsafe.Pointer(t)), ID: t.ID, State: t.State,
		Priority: t.Priority, BasePriority: t.BasePriority,
		CPU: t.CPU, Ideal: t.Ideal, Affinity: t.Affinity & ActiveProcessors(), Quantum: t.Quantum,
		System: t.System, Locked: t.Locked, Go: t.Go,
		WaitMode: t.WaitMode, Alertable: t.Alertable,
		KernelAPCs: t.KernelAPCs, SpecialAPCs: t.SpecialAPCs,
		ExitStatus: t.ExitStatus, References: ObjectOf(unsafe.Pointer(t)).PointerCount,
		Cycles: t.cycles(), Switches: t.Switches,
		StackLow: t.Context.Stack.Lo, StackHigh: t.Context.Stack.Hi,
		Name: t.Name,
	}
	for e := t.MutantList.Flink; e != nil && e != &t.MutantList; e = e.Flink {
		i.Mutants++
	}
	switch t.State {
	case StateReady:
		i.Ready = arch.Counter() - t.ReadyTime
	case StateWaiting:
		if t.Timer.Header.Inserted != 0 {
			i.Due = t.Timer.DueTime
		}
		i.WaitCount = int(t.WaitCount)
		for n := range min(i.WaitCount, len(i.Waits)) {
			b := block(t.WaitBlocks, n)
			i.WaitAll = b.Type == WaitAll && i.WaitCount > 1
			i.Waits[n] = WaitInfo{uintptr(unsafe.Pointer(b.Object)), b.Object.Type, b.Object.SignalState}
		}
	}
}

// cycles returns the time that the thread has run, up to now.
func (t *Thread) cycles() uint64 {
	n := t.Cycles
	if p := &processors[t.CPU]; p.current == t && p.times.account.Bucket == &t.Cycles {
		if now := arch.Counter(); now > p.times.account.Last {
			n += now - p.times.account.Last
		}
	}
	return n
}

// ProcessorInfo is a processor as it was.
type ProcessorInfo struct {
	ID              uint32
	Current         ThreadInfo
	Idle            uint32 // set if Current is the idle thread
	Summary         uint32 // bit n: threads of priority n are ready
	Preempt         bool   // a ready thread is about to replace Current
	Ticks           uint64 // clock interrupts
	NextTimer       uint64 // interrupt time of the earliest timer; 0 for none
	Interrupt       uint64 // counter ticks at device levels and above
	Deferred        uint64 // counter ticks in DPC routines
	IdleCycles      uint64
	Now             uint64 // arch.Counter
	Block           uintptr
	InterruptStack  [2]uintptr
	DeferredStack   [2]uintptr
	DeferredRoutine uintptr // that runs now; 0 for none
}

// Processors copies the processors' states to buf.
//
// IRQL: <= DISPATCH_LEVEL
func Processors(buf []ProcessorInfo) int {
	q := query{processors: buf}
	enterQuery(queryProcessors, &q)
	return q.n
}

func queryProcessors(a *Args) {
	q := (*query)(a.P)
	old := LockDispatcher()
	q.n = int(arch.NumCPUs)
	for i := range min(q.n, len(q.processors)) {
		processors[i].describe(&q.processors[i])
	}
	UnlockDispatcher(old)
}

func (p *processor) describe(i *ProcessorInfo) {
	c := &arch.CPUs[p.id]
	*i = ProcessorInfo{
		ID: p.id, Summary: p.summary, Preempt: p.preempt, Ticks: p.clock.Ticks,
		Interrupt: p.times.Interrupt, Deferred: p.times.Deferred, IdleCycles: p.idle.cycles(),
		Now: arch.Counter(), Block: uintptr(unsafe.Pointer(c)),
		InterruptStack:  [2]uintptr{c.Interrupt.Lo, c.Interrupt.Hi},
		DeferredStack:   [2]uintptr{c.Deferred.Lo, c.Deferred.Hi},
		DeferredRoutine: dpc.RunningOn(p.id).Routine,
	}
	p.current.describe(&i.Current)
	if p.current == p.idle {
		i.Idle = 1
		i.Current.Idle = true
	}
	if p.timers.due != never {
		i.NextTimer = p.timers.due
	}
}

// ReadyThreads copies the IDs of the threads in a processor's ready queues to
// buf, in the order in which they would run.
//
// IRQL: <= DISPATCH_LEVEL
func ReadyThreads(cpu uint32, buf []uint32) int {
	q := query{cpu: cpu, ready: buf}
	enterQuery(queryReady, &q)
	return q.n
}

func queryReady(a *Args) {
	q := (*query)(a.P)
	old := LockDispatcher()
	p := &processors[q.cpu]
	for level := MaxPriority; level >= 0; level-- {
		h := &p.ready[level]
		for e := h.Flink; e != h; e = e.Flink {
			if q.n < len(q.ready) {
				q.ready[q.n] = threadOf(e).ID
			}
			q.n++
		}
	}
	UnlockDispatcher(old)
}

// TimerInfo is a timer that is set.
type TimerInfo struct {
	Address uintptr
	Type    Type
	Due     uint64 // interrupt time
	Period  uint32 // ms
	Thread  uint32 // ID of the thread whose wait it ends, or 0
	DPC     uintptr
	Routine uintptr // of the DPC
}

// Timers copies the timers in a processor's table to buf.
//
// IRQL: <= DISPATCH_LEVEL
func Timers(cpu uint32, buf []TimerInfo) int {
	q := query{cpu: cpu, timers: buf}
	enterQuery(queryTimers, &q)
	return q.n
}

func queryTimers(a *Args) {
	q := (*query)(a.P)
	old := LockDispatcher()
	tt := &processors[q.cpu].timers
	for i := range tt.slot {
		for e := tt.slot[i].Flink; e != nil && e != &tt.slot[i]; e = e.Flink {
			if q.n < len(q.timers) {
				timerOf(e).describe(&q.timers[q.n])
			}
			q.n++
		}
	}
	UnlockDispatcher(old)
}

func (t *Timer) describe(i *TimerInfo) {
	*i = TimerInfo{Address: uintptr(unsafe.Pointer(t)), Type: t.Header.Type, Due: t.DueTime, Period: t.Period}
	if t.Header.Abandoned == threadTimer {
		i.Thread = t.thread().ID
		return
	}
	if t.DPC != nil {
		i.DPC = uintptr(unsafe.Pointer(t.DPC))
		i.Routine = dpc.EntryPoint(t.DPC.Routine)
	}
}

// String returns the state's name.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "?"
}

var stateNames = [...]string{"initialized", "ready", "running", "standby", "terminated", "waiting"}

// String returns the type's name.
func (t Type) String() string {
	switch t {
	case TypeNotificationEvent:
		return "notification event"
	case TypeSynchronizationEvent:
		return "synchronization event"
	case TypeMutant:
		return "mutant"
	case TypeProcess:
		return "process"
	case TypeQueue:
		return "queue"
	case TypeSemaphore:
		return "semaphore"
	case TypeThread:
		return "thread"
	case TypeNotificationTimer:
		return "notification timer"
	case TypeSynchronizationTimer:
		return "synchronization timer"
	}
	return "object"
}
