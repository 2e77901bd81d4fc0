// Package rwspin tests the rules of reader-writer spin locks, area spinlock.
package rwspin

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/sync/spin"
	"irqlab/tests/kit"
)

func word(l *spin.Shared) uint32 { return atomic.LoadUint32((*uint32)(unsafe.Pointer(l))) }

const writer = 1 << 31

// rule: rwspin-init
// rule: rwspin-irql-return
func TestLevels(t *testing.T) {
	l := kit.New[spin.Shared](t) // zero is free
	for _, from := range []irql.Level{irql.Passive, irql.APC, irql.Dispatch} {
		kit.At(from, func() {
			old := l.AcquireShared()
			level, w := irql.Current(), word(l)
			l.ReleaseShared(old)
			if old != from || level != irql.Dispatch || w != 1 || irql.Current() != from {
				t.Errorf("shared from %d: returned %d, held at %d, word %#x", from, old, level, w)
			}
			old = l.AcquireExclusive()
			level, w = irql.Current(), word(l)
			l.ReleaseExclusive(old)
			if old != from || level != irql.Dispatch || w != writer || irql.Current() != from || word(l) != 0 {
				t.Errorf("exclusive from %d: returned %d, held at %d, word %#x", from, old, level, w)
			}
		})
	}
	kit.At(irql.DeviceMin, func() {
		l.AcquireSharedAtDpc()
		l.AcquireSharedAtDpc()
		w := word(l)
		l.ReleaseSharedFromDpc()
		l.ReleaseSharedFromDpc()
		l.AcquireExclusiveAtDpc()
		l.ReleaseExclusiveFromDpc()
		if w != 2 || irql.Current() != irql.DeviceMin {
			t.Errorf("at a device level: word %#x, level %d", w, irql.Current())
		}
	})
}

// rule: rwspin-convert
func TestConvertAlone(t *testing.T) {
	l := kit.New[spin.Shared](t)
	kit.Run(t, func() {
		old := l.AcquireShared()
		alone := l.TryConvert()
		w := word(l)
		l.ReleaseExclusiveFromDpc()
		l.AcquireSharedAtDpc()
		l.AcquireSharedAtDpc()
		two := l.TryConvert()
		kept := word(l)
		l.ReleaseSharedFromDpc()
		l.ReleaseShared(old)
		if !alone || w != writer || two || kept != 2 {
			t.Errorf("alone: %v, word %#x; one of two: %v, word %#x", alone, w, two, kept)
		}
	})
}

// spinUntil waits at DISPATCH_LEVEL for another processor, but not for ever.
func spinUntil(ok func() bool) bool {
	for range 200_000_000 {
		if ok() {
			return true
		}
		arch.Pause()
	}
	return false
}

// rule: rwspin-shared
// rule: rwspin-writer-priority
// rule: rwspin-convert
func TestWriterPriority(t *testing.T) {
	kit.NeedCPUs(t, 2)
	kit.Uncollected(t)
	l := kit.New[spin.Shared](t)
	var let, wrote uint32
	var ready atomic.Bool
	w := kit.Go(t, func() ntstatus.Status {
		ready.Store(true)
		for atomic.LoadUint32(&let) == 0 {
			arch.Pause()
		}
		old := l.AcquireExclusive()
		atomic.StoreUint32(&wrote, 1)
		l.ReleaseExclusive(old)
		return ntstatus.Success
	}, func() { kit.OnCPU(1) })
	kit.Run(t, func() {
		kit.Until(t, "the writer to run", ready.Load)
		old := l.AcquireShared()
		atomic.StoreUint32(&let, 1)
		waiting := spinUntil(func() bool { return word(l) == writer|1 })
		early := atomic.LoadUint32(&wrote)
		converted := l.TryConvert()
		l.ReleaseShared(old)
		if !waiting || early != 0 || converted {
			t.Errorf("writer announced: %v, wrote before the reader left: %v, reader converted past it: %v", waiting, early != 0, converted)
		}
	}, func() { kit.OnCPU(0) })
	w.Join(t)
	if word(l) != 0 || wrote != 1 {
		t.Errorf("word %#x", word(l))
	}
}

// rule: rwspin-shared
func TestExclusion(t *testing.T) {
	l := kit.New[spin.Shared](t)
	var inside, sum, bad int32
	var threads []*kit.Thread
	for id := range int(kit.CPUs()) + 1 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			for i := range 400 {
				if (i+id)%3 == 0 {
					old := l.AcquireExclusive()
					if atomic.AddInt32(&inside, 100) != 100 {
						bad++
					}
					sum++
					atomic.AddInt32(&inside, -100)
					l.ReleaseExclusive(old)
					continue
				}
				old := l.AcquireShared()
				if atomic.AddInt32(&inside, 1) >= 100 {
					atomic.AddInt32(&bad, 1)
				}
				atomic.AddInt32(&inside, -1)
				if i%4 == 0 && l.TryConvert() {
					sum++
					l.ReleaseExclusive(old)
				} else {
					l.ReleaseShared(old)
				}
			}
			return ntstatus.Success
		}))
	}
	for _, th := range threads {
		th.Join(t)
	}
	if bad != 0 || word(l) != 0 {
		t.Errorf("a writer was not alone %d times, word %#x", bad, word(l))
	}
}
