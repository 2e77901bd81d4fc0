package dpc

import (
	"sync/atomic"
	"testing"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/tests/kit"
	"irqlab/wdk"
)

// A thread that a DPC wakes runs when the DPC queue is empty, and before the
// interrupted thread goes on, at APC_LEVEL as at PASSIVE_LEVEL.
//
// rule: dpc-quantum-after
// rule: irql-apc-vs-passive
func TestRescheduleAfterDPCs(t *testing.T) {
	for _, level := range []irql.Level{irql.Passive, irql.APC} {
		ok := kit.Retry(func() bool {
			var ran, early atomic.Bool
			var after bool
			e := kit.New[wdk.KEVENT](t)
			wdk.KeInitializeEvent(e, wdk.SynchronizationEvent, false)
			first, second := kit.New[wdk.KDPC](t), kit.New[wdk.KDPC](t)
			wdk.KeInitializeDpc(first, func(*wdk.KDPC, wdk.PVOID, wdk.PVOID, wdk.PVOID) {
				wdk.KeSetEvent(e, 0, false)
			}, nil)
			wdk.KeInitializeDpc(second, func(*wdk.KDPC, wdk.PVOID, wdk.PVOID, wdk.PVOID) {
				early.Store(ran.Load())
			}, nil)
			woken := kit.Go(t, func() ntstatus.Status {
				s := e.Wait(kit.Forever, false, kernel.KernelMode)
				ran.Store(true)
				return s
			}, func() { kit.OnCPU(0); kit.SetPriority(14) })
			kit.AwaitWaiters(t, &e.Header, 1)
			kit.Run(t, func() {
				old := irql.Raise(level)
				kit.At(irql.Dispatch, func() {
					wdk.KeInsertQueueDpc(first, nil, nil)
					wdk.KeInsertQueueDpc(second, nil, nil)
				})
				after = ran.Load()
				irql.Lower(old)
			}, func() { kit.OnCPU(0); kit.SetPriority(10) })
			woken.Join(t)
			return !early.Load() && after
		})
		if !ok {
			t.Errorf("at level %d: the woken thread ran between two DPCs, or not before the other went on", level)
		}
	}
}
