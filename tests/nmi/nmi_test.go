//go:build irqlab

package nmi

import (
	"math/rand"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/irql"
	"irqlab/ntstatus"
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

// Non-maskable interrupts hit a processor at any instruction, of Go code, of
// system calls and of changes of stacks, and change nothing.
func TestStorm(t *testing.T) {
	kit.NeedCPUs(t, 2)
	const storm, part = 300, 30
	var got uint32
	handle := KeRegisterNmiCallback(func(PVOID, BOOLEAN) BOOLEAN { atomic.AddUint32(&got, 1); return true }, nil)
	var stop atomic.Bool
	target := kit.CPUs() - 1
	victim := kit.Go(t, func() ntstatus.Status {
		x, y := 1.5, uint64(7)
		for !stop.Load() {
			syscall.Getpid()
			KeLowerIrql(KeRaiseIrqlToDpcLevel())
			runtime.Gosched()
			for range 100 {
				x = x*1.0000001 + 1e-9
				y = y*6364136223846793005 + 1
			}
		}
		if x < 1.5 || y == 0 {
			return ntstatus.Unsuccessful
		}
		return ntstatus.Success
	}, func() { kit.OnCPU(target) })
	send := func(enough uint32) {
		for end := time.Now().Add(kit.Patience / 2); atomic.LoadUint32(&got) < enough && time.Now().Before(end); {
			n := atomic.LoadUint32(&got)
			board.SendNMI(target)
			for range 100_000 { // they come one at a time
				if atomic.LoadUint32(&got) != n {
					break
				}
				arch.Pause()
			}
			for range rand.Intn(50) {
				arch.Pause()
			}
		}
	}
	// A host that has one processor for both lets one come per turn.
	for n := uint32(part); n <= storm; n += part {
		kit.Run(t, func() { send(n) }, func() { kit.OnCPU(0) })
		if atomic.LoadUint32(&got) < n {
			break
		}
	}
	stop.Store(true)
	if s := victim.Join(t); s != ntstatus.Success {
		t.Error(s)
	}
	if n := atomic.LoadUint32(&got); n < storm {
		t.Errorf("only %d interrupts came", n)
	}
	if s := KeDeregisterNmiCallback(handle); s != STATUS_SUCCESS {
		t.Error(s)
	}
}
