package kernel

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/list"
	"irqlab/ntstatus"
	"irqlab/pool"
)

// APC is a KAPC (88 bytes): a call that one thread asks of another. There are
// three kinds:
//
//   - A special kernel APC has a kernel routine only. It runs at APC_LEVEL as soon
//     as its thread is below that, unless the thread is in a guarded region.
//   - A normal kernel APC has a normal routine as well, which runs at
//     PASSIVE_LEVEL after it, unless the thread is in a critical region or runs
//     another normal routine.
//   - A user APC's normal routine runs when its thread waits in UserMode,
//     alertable, or tests for an alert.
//
// Kernel routines are resident code, in kernel context. Normal routines are
// ordinary Go and need a goroutine that stays on its thread; see Calls.
//
// While it is inserted the dispatcher lock guards it.
//
// Documentation: "Types of APCs", "Disabling APCs", "Waits and APCs".
type APC struct {
	Type           uint8
	_              uint8
	Size           uint8
	_              uint8
	_              uint32
	Thread         *Thread
	Entry          list.Entry // ApcListEntry
	KernelRoutine  uintptr    // the func values
	RundownRoutine uintptr
	NormalRoutine  uintptr
	NormalContext  unsafe.Pointer
	Arg1, Arg2     unsafe.Pointer // SystemArgument1 and 2
	StateIndex     uint8
	Mode           Mode
	Inserted       bool
}

// TypeAPC is ApcObject of KOBJECTS.
const TypeAPC = 18

// The public x64 layout.
const (
	_ = uint(88 - unsafe.Sizeof(APC{}))
	_ = uint(unsafe.Sizeof(APC{}) - 88)
	_ = uint(0x10 - unsafe.Offsetof(APC{}.Entry))
	_ = uint(0x20 - unsafe.Offsetof(APC{}.KernelRoutine))
	_ = uint(0x38 - unsafe.Offsetof(APC{}.NormalContext))
	_ = uint(0x52 - unsafe.Offsetof(APC{}.Inserted))
)

// KernelRoutine is called before the normal routine, in whose place it may put
// another one, or nil for none, with other arguments (PKKERNEL_ROUTINE). The APC
// is out of its queue by then: the routine may free it or insert it again.
//
// IRQL: APC_LEVEL
type KernelRoutine func(a *APC, normal *NormalRoutine, context, arg1, arg2 *unsafe.Pointer)

// NormalRoutine is what a normal kernel or user APC is about
// (PKNORMAL_ROUTINE).
//
// IRQL: PASSIVE_LEVEL
type NormalRoutine func(context, arg1, arg2 unsafe.Pointer)

// RundownRoutine is called in place of the others for an APC whose thread ends
// (PKRUNDOWN_ROUTINE).
//
// IRQL: PASSIVE_LEVEL
type RundownRoutine func(a *APC)

// Init makes a an APC for the thread (KeInitializeApc). Without a normal routine
// it is a special kernel APC, whatever mode and context say.
//
// IRQL: any
func (a *APC) Init(t *Thread, kernel KernelRoutine, rundown RundownRoutine, normal NormalRoutine, mode Mode, context unsafe.Pointer) {
	*a = APC{
		Type: TypeAPC, Size: uint8(unsafe.Sizeof(APC{})),
		Thread:         t,
		KernelRoutine:  *(*uintptr)(unsafe.Pointer(&kernel)),
		RundownRoutine: *(*uintptr)(unsafe.Pointer(&rundown)),
		NormalRoutine:  *(*uintptr)(unsafe.Pointer(&normal)),
	}
	if normal != nil {
		a.Mode, a.NormalContext = mode, context
	}
}

// Special reports whether a is a special kernel APC.
func (a *APC) Special() bool { return a.NormalRoutine == 0 }

func apcOf(e *list.Entry) *APC { return (*APC)(e.Container(unsafe.Offsetof(APC{}.Entry))) }

// Insert queues the APC and reports whether it did (KeInsertQueueApc). It does
// not if the APC is in a queue already, if the thread is about to end, or if the
// APC has a normal routine and the thread's goroutine is not locked to it. A
// thread whose wait is ended by a user APC gets inc as a boost. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func (a *APC) Insert(arg1, arg2 unsafe.Pointer, inc int8) bool {
	old := LockDispatcher()
	t := a.Thread
	ok := !a.Inserted && t.APCQueueable && (a.Special() || t.Locked)
	if ok {
		a.Arg1, a.Arg2 = arg1, arg2
		a.insert(inc)
	}
	UnlockDispatcher(old)
	if ok && t == Current() && old == irql.Passive {
		t.lookForAPCs() // the interrupt may take some instructions to arrive
	}
	return ok
}

// insert queues the APC and sees to it that its thread takes notice. Dispatcher
// lock held.
func (a *APC) insert(inc int8) {
	t := a.Thread
	a.Inserted = true
	q := &t.APCs[a.Mode]
	if !a.Special() {
		q.InsertTail(&a.Entry)
	} else {
		// Behind the special ones, in front of the normal ones.
		e := q.Flink
		for e != q && apcOf(e).Special() {
			e = e.Flink
		}
		e.InsertTail(&a.Entry)
	}
	if a.Mode == UserMode {
		if t.State == StateWaiting && t.Alertable && t.WaitMode == UserMode {
			t.wantUserAPC()
			t.unwait(ntstatus.UserAPC, inc)
		}
		return
	}
	t.APCPending = true
	if !a.Special() {
		t.Context.Attention = 1
	}
	switch {
	case t.State == StateRunning:
		t.interrupt()
	case t.State == StateWaiting && t.WaitIRQL < irql.APC &&
		(t.specialReady() || t.waitNormal && t.normalReady()):
		t.unwait(ntstatus.KernelAPC, 0)
	}
	// Any other thread looks when it is switched to.
}

// wantUserAPC makes the thread's first user APC due. Dispatcher lock held.
func (t *Thread) wantUserAPC() {
	t.UserAPCPending = true
	t.Context.Attention = 1
}

// interrupt requests the APC interrupt where the thread runs. Dispatcher lock
// held.
func (t *Thread) interrupt() {
	if t.CPU == arch.ThisCPU().ID {
		board.RequestSelf(uintptr(irql.APC))
	} else {
		board.SendIPI(t.CPU, uintptr(irql.APC))
	}
}

// Remove takes the APC out of its queue and reports whether it was in one
// (KeRemoveQueueApc). Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func (a *APC) Remove() bool {
	old := LockDispatcher()
	was := a.Inserted
	if was {
		a.unlink()
	}
	UnlockDispatcher(old)
	return was
}

func (a *APC) unlink() {
	a.Entry.Remove()
	a.Inserted = false
}

// FlushAPCs empties the thread's queue of a mode (KeFlushQueueApc). It returns
// the first of the APCs, or nil; their entries are a ring without a list head.
// Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func FlushAPCs(t *Thread, mode Mode) *list.Entry {
	old := LockDispatcher()
	q := &t.APCs[mode]
	first := q.Flink
	if first == q {
		first = nil
	} else {
		for e := first; e != q; e = e.Flink {
			apcOf(e).Inserted = false
		}
		q.Remove()
		q.Init()
	}
	if mode == UserMode {
		t.UserAPCPending = false
	}
	UnlockDispatcher(old)
	return first
}

// initAPCs gives a new thread its queues.
func (t *Thread) initAPCs() {
	t.APCs[KernelMode].Init()
	t.APCs[UserMode].Init()
	t.APCQueueable = true
	t.initSuspend()
}

// special returns the first APC of the kernel queue if that is a special one.
func (t *Thread) special() *APC {
	if q := &t.APCs[KernelMode]; !q.Empty() {
		if a := apcOf(q.Flink); a.Special() {
			return a
		}
	}
	return nil
}

// specialReady reports whether the thread would take a special kernel APC below
// APC_LEVEL. Dispatcher lock held, as for the ones that follow.
func (t *Thread) specialReady() bool { return t.SpecialAPCs == 0 && t.special() != nil }

// normalReady reports whether the thread would take a normal kernel APC at
// PASSIVE_LEVEL. Special ones lie in front of it.
func (t *Thread) normalReady() bool {
	q := &t.APCs[KernelMode]
	return t.SpecialAPCs == 0 && t.KernelAPCs == 0 && !t.APCInProgress && t.Locked &&
		!q.Empty() && !apcOf(q.Blink).Special()
}

// userReady reports whether the thread would take a user APC at PASSIVE_LEVEL.
func (t *Thread) userReady() bool {
	return t.UserAPCPending && t.SpecialAPCs == 0 && t.KernelAPCs == 0 && !t.APCInProgress
}

// Kinds of routines in bug check IRQL_UNEXPECTED_VALUE.
const (
	kindKernelRoutine = 0
	kindNormalRoutine = 1
)

// runKernelRoutine calls the kernel routine of an APC that has been taken from
// its queue. APC_LEVEL.
func (a *APC) runKernelRoutine(c *Call) {
	r, normal := a.KernelRoutine, a.NormalRoutine
	fn := *(*KernelRoutine)(unsafe.Pointer(&r))
	h := (*Call)(conceal(unsafe.Pointer(c)))
	fn(a, &h.Routine, &h.Context, &h.Arg1, &h.Arg2)
	if l := irql.Current(); l != irql.APC {
		bugcheck.Stop(bugcheck.IRQLUnexpectedValue, uintptr(l)<<16|uintptr(irql.APC)<<8|kindKernelRoutine,
			dpc.EntryPoint(r), uintptr(unsafe.Pointer(a)), normal)
	}
}

// conceal hides from the compiler where a pointer comes from: what is called
// with it does not keep it.
//
//go:nosplit
func conceal(p unsafe.Pointer) unsafe.Pointer {
	u := uintptr(p)
	//lint:ignore SA4016 the operation is what hides the pointer
	return unsafe.Pointer(u ^ 0)
}

// set fills c with what the APC's routines are called with.
func (c *Call) set(a *APC) {
	r := a.NormalRoutine
	c.Routine = *(*NormalRoutine)(unsafe.Pointer(&r))
	c.Context, c.Arg1, c.Arg2 = a.NormalContext, a.Arg1, a.Arg2
}

// APCInterrupt serves the software interrupt at APC_LEVEL: it runs the special
// kernel APCs of the thread that it interrupted.
//
// IRQL: APC_LEVEL
func APCInterrupt() { Current().deliverSpecial() }

// deliverSpecial runs the running thread's special kernel APCs. APC_LEVEL.
func (t *Thread) deliverSpecial() {
	var c Call
	for t.APCPending {
		old := LockDispatcher()
		if !t.specialReady() {
			if t.APCPending = t.normalReady(); t.APCPending {
				// Again: the thread may have overwritten what the inserter said.
				t.Context.Attention = 1
			}
			UnlockDispatcher(old)
			return
		}
		a := t.special()
		a.unlink()
		UnlockDispatcher(old)
		c.set(a)
		a.runKernelRoutine(&c)
	}
}

// lookForAPCs runs what special kernel APCs have become deliverable, if the
// level allows. Kernel context.
func (t *Thread) lookForAPCs() {
	if irql.Current() != irql.Passive {
		board.RequestSelf(uintptr(irql.APC))
		return
	}
	irql.Set(irql.APC)
	t.deliverSpecial()
	irql.Set(irql.Passive)
}

// RefuseAPCs says that the running thread is about to end: no APC is queued to it
// any more. What is queued can still be delivered. Kernel context.
//
// IRQL: <= DISPATCH_LEVEL
func RefuseAPCs() {
	old := LockDispatcher()
	Current().APCQueueable = false
	UnlockDispatcher(old)
}

// ThreadEnds, if set, is told of each thread that is about to end, when no APC
// can be queued to it any more, so that what would queue one can be cancelled.
// Set while booting.
//
// IRQL: PASSIVE_LEVEL, in kernel context
var ThreadEnds func(t *Thread)

// closeAPCs ends the thread's taking of APCs, before it ends: those in its queues
// are run down, or freed if they have no routine for it. For a system thread,
// which had the occasion to take them, a kernel APC is bug check
// KERNEL_APC_PENDING_DURING_EXIT; for any, a region that it has not left. Kernel
// context.
//
// IRQL: PASSIVE_LEVEL
func (t *Thread) closeAPCs() {
	if t.APCQueueable {
		RefuseAPCs()
	}
	if ThreadEnds != nil {
		ThreadEnds(t)
	}
	if t.APCPending {
		t.lookForAPCs()
	}
	if t.suspendAPC.Inserted {
		t.suspendAPC.Remove() // what it was to suspend ends
	}
	pending := uintptr(0)
	if q := &t.APCs[KernelMode]; t.System && !q.Empty() {
		pending = uintptr(unsafe.Pointer(apcOf(q.Flink)))
	}
	if pending != 0 || t.Locked && (t.KernelAPCs != 0 || t.SpecialAPCs != 0) {
		bugcheck.Stop(bugcheck.KernelAPCPendingDuringExit, pending,
			uintptr(uint16(t.KernelAPCs))|uintptr(uint16(t.SpecialAPCs))<<16, 0, 1)
	}
	t.runDown(KernelMode)
	t.runDown(UserMode)
}

// runDown empties a queue of an ending thread.
func (t *Thread) runDown(mode Mode) {
	if t.APCs[mode].Empty() {
		return
	}
	first := FlushAPCs(t, mode)
	for e := first; e != nil; {
		a := apcOf(e)
		if e = e.Flink; e == first {
			e = nil
		}
		a.rundown()
	}
}

func (a *APC) rundown() {
	if r := a.RundownRoutine; r != 0 {
		(*(*RundownRoutine)(unsafe.Pointer(&r)))(a)
		return
	}
	if lo, _, tag, ok := pool.Owner(uintptr(unsafe.Pointer(a))); ok && lo == uintptr(unsafe.Pointer(a)) {
		pool.Free(unsafe.Pointer(a), tag)
	}
}
