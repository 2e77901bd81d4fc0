//go:build amd64 && !irqlab

package explore

import (
	"testing"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/sync/spin"
)

// here is the number of the running processor.
func here() uint32 { return arch.ThisCPU().ID }

// A DPC takes the lock as well.
func TestSpinLock(t *testing.T) {
	for _, s := range mutexScripts {
		explore(t, program(func() lock {
			l := new(spin.Lock)
			return lock{
				exclusive:    func() { l.Acquire() },
				tryExclusive: func() bool { _, ok := l.Try(); return ok },
				release:      func() { l.Release(irql.Passive) },
				free:         l.Test,
				level:        irql.Dispatch, enter: l.AcquireAtDpc, leave: l.ReleaseFromDpc,
			}
		}, s...))
	}
}

// So does a service routine.
func TestInterruptSpinLock(t *testing.T) {
	const level = irql.DeviceMin + 2
	explore(t, program(func() lock {
		l := new(spin.Lock)
		return lock{
			exclusive: func() { l.AcquireTo(level) },
			release:   func() { l.ReleaseTo(irql.Passive) },
			free:      l.Test,
			level:     level, enter: l.AcquireAtDpc, leave: l.ReleaseFromDpc,
		}
	}, "EE", "E", "E"))
}

func TestQueuedSpinLock(t *testing.T) {
	for _, s := range [][]string{{"E", "E", "E"}, {"EE", "E", "E"}, {"EE", "EE"}} {
		explore(t, program(func() lock {
			q, handles, inDPC := new(spin.Queued), new([arch.MaxCPUs]spin.QueueHandle), new(spin.QueueHandle)
			return lock{
				exclusive: func() { q.Acquire(&handles[here()]) },
				release:   func() { handles[here()].Release() },
				free:      q.Test,
				level:     irql.Dispatch, enter: func() { q.AcquireAtDpc(inDPC) }, leave: inDPC.ReleaseFromDpc,
			}
		}, s...))
	}
}

func TestSharedSpinLock(t *testing.T) {
	for _, s := range [][]string{{"E", "E", "E"}, {"E", "S", "S"}, {"SE", "ES", "S"}, {"S", "S", "E"}, {"S", "E", "SE"}} {
		explore(t, program(func() lock {
			l, alone := new(spin.Shared), new([arch.MaxCPUs]bool)
			return lock{
				exclusive: func() { l.AcquireExclusive(); alone[here()] = true },
				shared:    func() { l.AcquireShared() },
				release: func() {
					if alone[here()] {
						alone[here()] = false
						l.ReleaseExclusive(irql.Passive)
					} else {
						l.ReleaseShared(irql.Passive)
					}
				},
				free: func() bool {
					old := l.AcquireShared()
					free := l.TryConvert()
					if free {
						l.ReleaseExclusive(old)
					}
					return free
				},
				level: irql.Dispatch, enter: l.AcquireExclusiveAtDpc, leave: l.ReleaseExclusiveFromDpc,
			}
		}, s...))
	}
}

// Those who share it become its only holder, if they can.
func TestSharedSpinLockConvert(t *testing.T) {
	explore(t, func() *Program {
		l, m := new(spin.Shared), new(room)
		user := func(r *Run) {
			old := l.AcquireShared()
			m.read(r)
			if !l.TryConvert() {
				l.ReleaseShared(old)
				return
			}
			m.write(r)
			l.ReleaseExclusive(old)
		}
		return &Program{Threads: []func(*Run){user, user, user}, Check: func() error { return nil }}
	})
}
