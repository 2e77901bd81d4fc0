//go:build irqlab

package nmi

import (
	"sync/atomic"
	"testing"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/irql"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// calls notes which routine was called, in a base-8 number.
var calls, levels uint32

func note(n uint32) {
	atomic.StoreUint32(&calls, atomic.LoadUint32(&calls)<<3|n)
	atomic.StoreUint32(&levels, uint32(arch.ReadIRQL()))
}

// The routines are called in reverse order of registration, with the word of the
// one before, for an interrupt of this processor or another one, at any level.
func TestCallbacks(t *testing.T) {
	first := KeRegisterNmiCallback(func(_ PVOID, handled BOOLEAN) BOOLEAN {
		if handled {
			note(1)
		}
		return false
	}, nil)
	second := KeRegisterNmiCallback(func(PVOID, BOOLEAN) BOOLEAN { note(2); return true }, nil)
	last := kit.CPUs() - 1
	for _, cpu := range []uint32{0, last} {
		kit.Run(t, func() {
			for _, l := range []irql.Level{irql.Passive, irql.Dispatch, irql.DeviceMax} {
				kit.At(l, func() {
					atomic.StoreUint32(&calls, 0)
					board.SendNMI(cpu)
					for range 100_000_000 {
						if atomic.LoadUint32(&calls) == 2<<3|1 {
							break
						}
						arch.Pause()
					}
				})
				if calls != 2<<3|1 {
					t.Errorf("CPU %d at IRQL %d: called %o", cpu, l, calls)
				}
			}
		}, func() { kit.OnCPU(0) })
	}
	if s := KeDeregisterNmiCallback(first); s != STATUS_SUCCESS {
		t.Error(s)
	}
	if s := KeDeregisterNmiCallback(second); s != STATUS_SUCCESS {
		t.Error(s)
	}
	if s := KeDeregisterNmiCallback(second); s != STATUS_INVALID_HANDLE {
		t.Error(s)
	}
}
