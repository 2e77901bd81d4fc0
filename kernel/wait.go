package kernel

import (
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/dpc"
	"irqlab/fault"
	"irqlab/irql"
	"irqlab/list"
	"irqlab/ntstatus"
)

// WaitBlock is a KWAIT_BLOCK (48 bytes): one thread's interest in one object.
type WaitBlock struct {
	Entry  list.Entry // in the object's wait list
	Type   WaitType
	State  uint8
	Key    uint16 // status if this block ends the wait
	_      uint32
	Thread *Thread
	Object *Header
	_      uintptr
}

// WaitType says what ends a wait for several objects.
type WaitType uint8

const (
	WaitAll WaitType = 0
	WaitAny WaitType = 1
)

// MaximumWaitObjects bounds a wait for several objects; without an array of
// wait blocks the bound is ThreadWaitObjects.
const (
	MaximumWaitObjects = 64
	ThreadWaitObjects  = threadWaitObjects
)

// Mode says on whose behalf a thread waits (KPROCESSOR_MODE).
type Mode = uint8

const (
	KernelMode Mode = 0
	UserMode   Mode = 1
)

// Wait waits for the object (KeWaitForSingleObject). timeout is in 100 ns
// units, relative if negative, absolute system time if positive; nil waits
// without limit and 0 does not wait at all. STATUS_MUTANT_LIMIT_EXCEEDED is for
// the caller to raise. Kernel context.
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout
func (h *Header) Wait(timeout *int64, alertable bool, mode Mode) ntstatus.Status {
	if s, ok := h.WaitPlainly(timeout, alertable, mode); ok {
		return s
	}
	return h.waitFully(timeout, alertable, mode)
}

//go:noinline
func (h *Header) waitFully(timeout *int64, alertable bool, mode Mode) ntstatus.Status {
	return wait(&h, 1, WaitAny, timeout, alertable, mode, nil, nil)
}

// WaitMany waits for one or for all of n objects, their addresses at objects
// (KeWaitForMultipleObjects). blocks is an array of n wait blocks in resident
// memory, or nil for up to ThreadWaitObjects objects.
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout
func WaitMany(objects **Header, n int, typ WaitType, timeout *int64, alertable bool, mode Mode, blocks *WaitBlock) ntstatus.Status {
	return WaitManyFromGo(objects, n, typ, timeout, alertable, mode, blocks, nil)
}

// Rewait is what a wait on behalf of Go code leaves behind when it is
// interrupted for a normal kernel APC, whose routine only Go code can call: when
// the wait ends. Zero at first.
type Rewait struct {
	due   uint64
	begun bool
}

// WaitManyFromGo is WaitMany for a wait on behalf of Go code. It returns
// STATUS_KERNEL_APC when that is to see what it has to call, and to wait again.
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout
func WaitManyFromGo(objects **Header, n int, typ WaitType, timeout *int64, alertable bool, mode Mode, blocks *WaitBlock, r *Rewait) ntstatus.Status {
	limit := MaximumWaitObjects
	if blocks == nil {
		limit = ThreadWaitObjects
	}
	if n <= 0 || n > limit {
		bugcheck.Stop(bugcheck.MaximumWaitObjects, uintptr(n), uintptr(limit), 0, 0)
	}
	return wait(objects, n, typ, timeout, alertable, mode, blocks, r)
}

// at returns the i-th of the objects.
func at(objects **Header, i int) *Header {
	return *(**Header)(unsafe.Add(unsafe.Pointer(objects), i*int(unsafe.Sizeof(objects))))
}

// block returns the i-th wait block.
func block(blocks *WaitBlock, i int) *WaitBlock {
	return (*WaitBlock)(unsafe.Add(unsafe.Pointer(blocks), i*int(unsafe.Sizeof(WaitBlock{}))))
}

func wait(objects **Header, n int, typ WaitType, timeout *int64, alertable bool, mode Mode, blocks *WaitBlock, r *Rewait) ntstatus.Status {
	t := Current()
	if !t.WaitNext && irql.Current() >= irql.Dispatch && (timeout == nil || *timeout != 0) {
		refuse(t)
	}
	if OnWait != nil && !t.WaitNext {
		for i := range n {
			OnWait(t, at(objects, i), timeout == nil && !alertable && (n == 1 || typ == WaitAll))
		}
	}
	if fault.Now(fault.Stack) {
		//lint:ignore SA4017 it does not return
		exhaust(0)
	}
	if blocks == nil {
		blocks = &t.ownBlocks[0]
	}
	var due uint64
	begun := r != nil && r.begun
	if begun {
		due = r.due
	}
	for {
		old := t.resumes(LockDispatcher())
		t.WaitIRQL = old
		switch t.apcsFirst(old, r != nil) {
		case waitAnew:
			continue
		case leaveWait:
			r.due, r.begun = due, begun
			return ntstatus.KernelAPC
		}
		if s, ok := satisfied(t, objects, n, typ); ok {
			t.spend()
			UnlockDispatcher(old)
			return s
		}
		// An object is looked at first, then an alert, then the time.
		if s, ok := t.alerted(alertable, mode); ok {
			UnlockDispatcher(old)
			return s
		}
		if timeout != nil {
			// A wait that is begun anew goes on with the time that is left.
			if !begun {
				due, begun = dueTime(*timeout), true
			}
			if due <= InterruptTime() {
				UnlockDispatcher(old)
				return ntstatus.Timeout
			}
		}
		for i := range n {
			b, h := block(blocks, i), at(objects, i)
			b.Thread, b.Object, b.Type, b.Key = t, h, typ, uint16(i)
			h.WaitList.InsertTail(&b.Entry)
		}
		t.WaitBlocks, t.WaitCount = blocks, uint8(n)
		t.Alertable, t.WaitMode = alertable, mode
		t.waitNormal = r != nil
		if s := t.blockUntil(due, old); s != ntstatus.KernelAPC {
			return s
		}
	}
}

// What a thread about to wait does.
const (
	waitNow   = iota
	waitAnew  // begin again: special kernel APCs ran
	leaveWait // let Go code call a normal routine first
)

// apcsFirst has the running thread, which is about to wait, take the APCs that
// come before the wait. Dispatcher lock held; released unless it returns waitNow.
func (t *Thread) apcsFirst(old irql.Level, forGo bool) int {
	switch {
	case !t.APCPending || old >= irql.APC:
	case t.specialReady():
		UnlockDispatcher(old)
		t.lookForAPCs()
		return waitAnew
	case forGo && t.normalReady():
		t.Context.Attention = 1
		UnlockDispatcher(old)
		return leaveWait
	}
	return waitNow
}

// waitFor puts t, the running thread, in line for one object and nothing else,
// for block. normal says that a normal kernel APC ends the wait as well.
// Dispatcher lock held.
func (t *Thread) waitFor(h *Header, mode Mode, normal bool) {
	b := &t.ownBlocks[0]
	b.Thread, b.Object, b.Type, b.Key = t, h, WaitAny, 0
	h.WaitList.InsertTail(&b.Entry)
	t.WaitBlocks, t.WaitCount = b, 1
	t.Alertable, t.WaitMode, t.waitNormal = false, mode, normal
}

// blockUntil is block with a timer: due is an interrupt time, 0 for none.
func (t *Thread) blockUntil(due uint64, old irql.Level) ntstatus.Status {
	if due != 0 {
		t.Timer.start(due)
	}
	return this().block(t, old)
}

// block gives the processor away until unwait ends the wait of t, the running
// thread. Dispatcher lock held; released on return.
func (p *processor) block(t *Thread, old irql.Level) ntstatus.Status {
	t.State = StateWaiting
	t.WaitIRQL = old
	if OnBlock != nil {
		OnBlock(t)
	}
	if t.LockBoost {
		t.endBoost()
	}
	if t.serving.queue != nil {
		t.serving.stops()
	}
	p.switchTo(p.next(0))
	s := t.WaitStatus
	UnlockDispatcher(old)
	return s
}

// refuse stops the machine for a wait that may not be made.
func refuse(t *Thread) {
	if dpc.Executing() {
		bugcheck.Stop(bugcheck.AttemptedSwitchFromDPC, uintptr(unsafe.Pointer(t)), 0, 0, 0)
	}
	bugcheck.StopAtCall("", bugcheck.IRQLNotLessOrEqual, 0, uintptr(irql.Current()), 0, 0)
}

// satisfied takes the objects at once if the wait's condition holds.
func satisfied(t *Thread, objects **Header, n int, typ WaitType) (ntstatus.Status, bool) {
	if typ == WaitAny {
		for i := range n {
			if h := at(objects, i); h.signalled(t) {
				if h.exhausted(t) {
					return ntstatus.MutantLimit, true
				}
				return h.take(t, ntstatus.Status(i)), true
			}
		}
		return 0, false
	}
	for i := range n {
		h := at(objects, i)
		if !h.signalled(t) {
			return 0, false
		}
		if h.exhausted(t) {
			return ntstatus.MutantLimit, true
		}
	}
	s := ntstatus.Success
	for i := range n {
		if at(objects, i).take(t, 0) != 0 {
			s = ntstatus.AbandonedWait0
		}
	}
	return s, true
}

// signalled reports whether a wait of t for the object would be satisfied now.
func (h *Header) signalled(t *Thread) bool {
	if h.SignalState > 0 {
		return true
	}
	return h.Type == TypeMutant && (*Mutant)(unsafe.Pointer(h)).Owner == t
}

// take applies what a satisfied wait does to the object, and returns the wait's
// status: key, or abandonment with that key.
func (h *Header) take(t *Thread, key ntstatus.Status) ntstatus.Status {
	switch h.Type {
	case TypeSynchronizationEvent, TypeSynchronizationTimer:
		h.SignalState = 0
	case TypeSemaphore:
		h.SignalState--
	case TypeMutant:
		if (*Mutant)(unsafe.Pointer(h)).satisfy(t) {
			return ntstatus.AbandonedWait0 + key
		}
	}
	return key
}

// Signal releases the threads that wait for the object, in order of arrival,
// for as long as it stays signalled. Dispatcher lock held.
func (h *Header) Signal(inc int8) {
	e := h.WaitList.Flink
	if b := (*WaitBlock)(unsafe.Pointer(e)); h.Type == TypeSynchronizationEvent && e != &h.WaitList && b.Type == WaitAny && h.SignalState > 0 {
		// What happens most often, done at once.
		h.SignalState = 0
		b.Thread.unwait(ntstatus.Status(b.Key), inc)
		return
	}
	for e != &h.WaitList && h.SignalState > 0 {
		b := (*WaitBlock)(unsafe.Pointer(e)) // Entry is its first field
		t := b.Thread
		s := ntstatus.Status(b.Key)
		if b.Type == WaitAny {
			s = h.take(t, s)
		} else if !t.takeAll(&s) {
			e = e.Flink
			continue
		}
		t.unwait(s, inc)
		e = h.WaitList.Flink
	}
}

// takeAll satisfies a WaitAll if every object of it is signalled.
func (t *Thread) takeAll(s *ntstatus.Status) bool {
	n := int(t.WaitCount)
	for i := range n {
		if !block(t.WaitBlocks, i).Object.signalled(t) {
			return false
		}
	}
	*s = ntstatus.Success
	for i := range n {
		if block(t.WaitBlocks, i).Object.take(t, 0) != 0 {
			*s = ntstatus.AbandonedWait0
		}
	}
	return true
}

// unwait ends the thread's wait with the given status and makes it ready.
// Dispatcher lock held.
func (t *Thread) unwait(s ntstatus.Status, inc int8) {
	b := t.WaitBlocks
	for n := t.WaitCount; n > 0; n-- {
		b.Entry.Remove()
		b = block(b, 1)
	}
	t.WaitCount, t.WaitBlocks = 0, nil
	if t.Timer.Header.Inserted != 0 {
		t.Timer.stop()
	}
	t.WaitStatus = s
	t.Alertable = false
	if t.serving.queue != nil {
		t.serving.goesOn()
	}
	t.boost(inc)
	t.spend()
	makeReady(t, false)
}

// WaitsOnlyFor stores the objects without which the thread's wait cannot end, and
// returns how many there are. Dispatcher lock held.
func (t *Thread) WaitsOnlyFor(objects []*Header) (n int) {
	if t.State != StateWaiting || t.Alertable || t.Timer.Header.Inserted != 0 {
		return 0
	}
	if t.WaitCount > 1 && t.WaitBlocks.Type == WaitAny {
		return 0
	}
	for i := range int(t.WaitCount) {
		if h := block(t.WaitBlocks, i).Object; n < len(objects) && !h.signalled(t) {
			objects[n] = h
			n++
		}
	}
	return n
}

// exhaust uses up the kernel stack.
func exhaust(n uintptr) uintptr {
	//lint:ignore SA5007 the stack is to end, not the recursion
	return exhaust(n+1) + n
}

// OnWait, if set, is told of each object that the running thread is about to wait
// for, and whether the wait can end in no other way than by that object. It is a
// top-level resident function, called without a lock.
//
// IRQL: <= DISPATCH_LEVEL
var OnWait func(t *Thread, h *Header, only bool)

// OnBlock, if set, is told of the running thread as it begins to wait: what it
// waits for is in place. It is a top-level resident function, called with the
// dispatcher lock held, so that no other thread begins or ends a wait meanwhile.
//
// IRQL: DISPATCH_LEVEL
var OnBlock func(t *Thread)

// WaitHeader is Wait for the kernel's own users.
func WaitHeader(h *Header, timeout *int64, alertable bool) ntstatus.Status {
	return h.Wait(timeout, alertable, KernelMode)
}

// SignalHeader sets the object's state to signalled and releases its waiters.
//
// IRQL: <= DISPATCH_LEVEL
func SignalHeader(h *Header, inc int8) {
	old := LockDispatcher()
	h.SignalState = 1
	h.Signal(inc)
	UnlockDispatcher(old)
}
