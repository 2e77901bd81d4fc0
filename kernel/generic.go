package kernel

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/pool"
)

// GenericCall is a call of one routine in a DPC on every processor.
type GenericCall struct {
	left    uint32 // processors that are not done
	done    Header
	barrier Rendezvous
	dpcs    [arch.MaxCPUs]dpc.Object
}

// Rendezvous is where the processors of a GenericCall meet.
type Rendezvous struct {
	processors uint32
	arrived    uint32
	round      uint32
}

const genericTag pool.Tag = 'G' | 'C'<<8 | 'a'<<16 | 'l'<<24

// genericTurn lets one generic call happen at a time: the routines of two that
// meet on different processors in different orders would wait for each other.
var genericTurn Header

// CallGenericDPC runs the routine in a DPC on every processor and returns when
// each has called Done (KeGenericCallDpc). The routine's arguments are the call,
// for Done, and its Rendezvous. Kernel context.
//
// IRQL: <= APC_LEVEL
func CallGenericDPC(routine dpc.Routine, context unsafe.Pointer) ntstatus.Status {
	irql.AssertAtMost(irql.APC)
	g := (*GenericCall)(pool.Alloc(unsafe.Sizeof(GenericCall{}), genericTag))
	if g == nil {
		return ntstatus.NoResources
	}
	old := LockDispatcher()
	if genericTurn.WaitList.Flink == nil {
		genericTurn.Init(TypeSynchronizationEvent, unsafe.Sizeof(Header{}), 1)
	}
	UnlockDispatcher(old)
	genericTurn.Wait(nil, false, KernelMode)
	n := atomic.LoadUint32(&arch.NumCPUs)
	g.left, g.barrier.processors = n, n
	g.done.Init(TypeSynchronizationEvent, unsafe.Sizeof(Header{}), 0)
	// Below DISPATCH_LEVEL this processor's routine would run at once, and wait
	// for those not queued yet.
	level := irql.Raise(irql.Dispatch)
	for cpu := range n {
		d := &g.dpcs[cpu]
		d.Init(routine, context)
		d.SetTarget(cpu)
		d.SetImportance(dpc.High)
		d.Insert(unsafe.Pointer(g), unsafe.Pointer(&g.barrier))
	}
	irql.Lower(level)
	g.done.Wait(nil, false, KernelMode)
	SignalHeader(&genericTurn, 0)
	pool.Free(unsafe.Pointer(g), genericTag)
	return ntstatus.Success
}

// InProgress reports whether g looks like a call that some processor has not done
// its part of.
//
// IRQL: any
func (g *GenericCall) InProgress() bool {
	n := atomic.LoadUint32(&arch.NumCPUs)
	left := atomic.LoadUint32(&g.left)
	return left > 0 && left <= n && g.barrier.processors == n &&
		g.done.Type == TypeSynchronizationEvent && g.done.Plausible()
}

// Call returns the call whose processors meet at r.
func (r *Rendezvous) Call() *GenericCall {
	return (*GenericCall)(unsafe.Pointer(uintptr(unsafe.Pointer(r)) - unsafe.Offsetof(GenericCall{}.barrier)))
}

// Done says that this processor's routine has done its work
// (KeSignalCallDpcDone); it is the routine's last use of the call.
//
// IRQL: DISPATCH_LEVEL
func (g *GenericCall) Done() {
	if atomic.AddUint32(&g.left, ^uint32(0)) == 0 {
		SignalHeader(&g.done, 0)
	}
}

// Meet waits until every processor has called it, and returns true on one of
// them, the last (KeSignalCallDpcSynchronize).
//
// IRQL: DISPATCH_LEVEL
func (r *Rendezvous) Meet() bool {
	round := atomic.LoadUint32(&r.round)
	if atomic.AddUint32(&r.arrived, 1) == r.processors {
		atomic.StoreUint32(&r.arrived, 0)
		atomic.AddUint32(&r.round, 1)
		return true
	}
	for atomic.LoadUint32(&r.round) == round {
		arch.Pause()
	}
	return false
}
