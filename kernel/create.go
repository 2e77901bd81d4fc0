package kernel

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/mm"
	"irqlab/ntstatus"
	"irqlab/pool"
)

// maxThreads bounds the threads alive at one time.
const maxThreads = 2048

// threads are the live threads by slot; a thread's ID is 4 times its slot plus
// 4, since NT's IDs are multiples of four. Slots are handed out in turn, so
// that an ID is not reused soon.
var (
	threads  [maxThreads]*Thread
	nextSlot uint32
	alive    uint32
)

const threadTag pool.Tag = 'T' | 'h'<<8 | 'r'<<16 | 'e'<<24

// threadObject is a thread with its object header.
type threadObject struct {
	ObjectHeader
	Thread
}

// newThread allocates a thread and its kernel stack.
func newThread() *Thread {
	p := (*threadObject)(pool.AllocOwn(unsafe.Sizeof(threadObject{}), threadTag))
	if p == nil {
		return nil
	}
	lo, hi, ok := mm.AllocStack()
	if !ok {
		pool.Free(unsafe.Pointer(p), threadTag)
		return nil
	}
	t := &p.Thread
	t.init(lo, hi)
	old := LockDispatcher()
	if ok = t.register(); ok {
		ThreadObjects.Grow()
	}
	UnlockDispatcher(old)
	if !ok {
		mm.FreeStack(lo)
		pool.Free(unsafe.Pointer(p), threadTag)
		return nil
	}
	return t
}

func (t *Thread) init(lo, hi uintptr) {
	t.Header.Init(TypeThread, unsafe.Sizeof(Thread{}), 0)
	t.Context.Stack.Init(lo, hi)
	t.BasePriority, t.Priority = DefaultPriority, DefaultPriority
	t.Quantum = quantumReset
	t.Affinity = allProcessors
	t.MutantList.Init()
	t.initAPCs()
	t.Timer.Init(TypeNotificationTimer)
	t.Timer.Header.Abandoned = threadTimer
	t.ExitStatus = ntstatus.Pending
	t.CreateTime = SystemTime()
	o := ObjectOf(unsafe.Pointer(t))
	o.TypeIndex, o.PointerCount = ObjectThread, 1
	t.Ideal = nextIdeal % arch.NumCPUs
	t.CPU = t.Ideal
	nextIdeal++
}

// nextIdeal spreads new threads over the processors; a lost update spreads them
// a little less.
var nextIdeal uint32

// register gives the thread an ID. Dispatcher lock held.
func (t *Thread) register() bool {
	if alive == maxThreads {
		return false
	}
	for threads[nextSlot%maxThreads] != nil {
		nextSlot++
	}
	slot := nextSlot % maxThreads
	nextSlot++
	threads[slot] = t
	alive++
	t.ID = (slot + 1) * 4
	return true
}

// Lookup returns the live thread with the given ID, or nil
// (PsLookupThreadByThreadId). Dispatcher lock held; Reference it before the lock is
// released.
func Lookup(id uint32) *Thread {
	if id%4 != 0 || id == 0 || id/4 > maxThreads {
		return nil
	}
	return threads[id/4-1]
}

// EachThread calls fn for every live thread until it returns false. Dispatcher
// lock held.
func EachThread(fn func(*Thread) bool) {
	for _, t := range &threads {
		if t != nil && !fn(t) {
			return
		}
	}
}

// NewGoThread returns a thread that will resume f, Go code, when made ready. It
// reports false if memory or thread slots have run out.
//
// IRQL: <= APC_LEVEL
func NewGoThread(f *arch.Frame) (*Thread, bool) {
	t := newThread()
	if t == nil {
		return nil, false
	}
	t.Go = true
	t.Context.PrepareGo(f)
	return t, true
}

// NewKernelThread returns a thread that runs fn(arg) in kernel context, on its
// kernel stack only. fn must be a top-level function of resident code and must
// not return; it ends with Exit.
//
// IRQL: <= APC_LEVEL
func NewKernelThread(fn func(uintptr), arg uintptr, priority int8, name string) (*Thread, bool) {
	t := newThread()
	if t == nil {
		return nil, false
	}
	t.Context.PrepareKernel(fn, arg)
	t.BasePriority, t.Priority = priority, priority
	copy(t.Name[:], name)
	return t, true
}

// Ready starts a new thread.
//
// IRQL: <= DISPATCH_LEVEL
func Ready(t *Thread) { ReadyBoosted(t, 0) }

// ReadyBoosted starts a new thread with a boost as if it had waited.
//
// IRQL: <= DISPATCH_LEVEL
func ReadyBoosted(t *Thread, inc int8) {
	old := LockDispatcher()
	t.boost(inc)
	makeReady(t, false)
	UnlockDispatcher(old)
}

// Reference keeps the thread object alive. Dispatcher lock held, or the caller
// has a reference already.
func (t *Thread) Reference() { ObjectOf(unsafe.Pointer(t)).Reference() }

// Dereference drops a reference; the object is freed with the last one. A
// thread that has not ended has one on itself.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Thread) Dereference() {
	if ObjectOf(unsafe.Pointer(t)).Release() {
		t.Free()
	}
}

// Free frees the thread object after its last reference has gone.
//
// IRQL: <= DISPATCH_LEVEL
func (t *Thread) Free() {
	o := ObjectOf(unsafe.Pointer(t))
	if t.State != StateTerminated {
		o.miscounted(0)
	}
	ThreadObjects.Shrink()
	// The checks of an ordinary Free take the dispatcher lock.
	pool.FreeUnchecked(unsafe.Pointer(o), threadTag)
}

// Exit ends the running thread: its mutants are abandoned, its waiters
// released, its stack returned once it has left it. It ends with status, unless
// PrepareExit has given it another. Kernel context.
//
// IRQL: PASSIVE_LEVEL
func Exit(status ntstatus.Status) {
	irql.AssertAtMost(irql.Passive)
	t := Current()
	t.refuseMutexes()
	t.closeAPCs()
	LockDispatcher()
	t.end(status)
	p := this()
	p.reap = t
	p.switchTo(p.next(0))
}

// end makes the running thread one that has ended. Dispatcher lock held.
func (t *Thread) end(status ntstatus.Status) {
	abandonAll(t)
	t.quit()
	if !t.Ending {
		t.ExitStatus, t.Ending = status, true
	}
	t.State = StateTerminated
	t.Header.SignalState = 1
	t.Header.Signal(0)
	threads[t.ID/4-1] = nil
	alive--
}

// release frees what an ended thread still had: its stack, and the reference
// that it had on itself while it ran. Dispatcher lock held.
func (t *Thread) release() {
	mm.FreeStack(t.Context.Stack.Lo)
	t.Dereference()
}
