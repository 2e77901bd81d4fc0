package spinlock

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

// rule: qspin-handle
// rule: qspin-word
// rule: qspin-atdpc
func TestQueuedHandle(t *testing.T) {
	defer kit.Stay()()
	q, h := kit.New[spin.Queued](t), kit.New[spin.QueueHandle](t)
	lock := func() uintptr { return *(*uintptr)(unsafe.Add(unsafe.Pointer(h), 8)) }
	address := uintptr(unsafe.Pointer(q))
	for _, level := range []irql.Level{irql.Passive, irql.APC, irql.Dispatch, irql.DeviceMin} {
		old := irql.Raise(level)
		if level <= irql.Dispatch {
			q.Acquire(h)
		} else {
			q.AcquireAtDpc(h)
		}
		held, w, b, saved := irql.Current(), *(*uintptr)(unsafe.Pointer(q)), lock(), *(*irql.Level)(unsafe.Add(unsafe.Pointer(h), 16))
		if level <= irql.Dispatch {
			h.Release()
		} else {
			h.ReleaseFromDpc()
		}
		after, wAfter, bAfter := irql.Current(), *(*uintptr)(unsafe.Pointer(q)), lock()
		irql.Lower(old)
		if held != max(level, irql.Dispatch) || after != level || saved != min(level, irql.Dispatch) {
			t.Errorf("level %d: held at %d, saved %d, released to %d", level, held, saved, after)
		}
		if w != uintptr(unsafe.Pointer(h)) || b != address|2 || wAfter != 0 || bAfter != address {
			t.Errorf("level %d: word %#x, handle %#x; after release %#x, %#x", level, w, b, wAfter, bAfter)
		}
	}
	if size := unsafe.Sizeof(spin.QueueHandle{}); size != 24 {
		t.Errorf("a handle has %d bytes", size)
	}
}

// rule: qspin-fifo
func TestQueuedOrder(t *testing.T) {
	kit.NeedCPUs(t, 4)
	kit.Uncollected(t)
	q := kit.New[spin.Queued](t)
	for range 8 {
		var order [3]uint32
		var n uint32
		var threads []*kit.Thread
		kit.Run(t, func() {
			var h spin.QueueHandle
			var handles [3]*spin.QueueHandle
			for i := range handles {
				handles[i] = kit.New[spin.QueueHandle](t)
			}
			turn := [3]uint32{}
			for i := range uint32(3) {
				threads = append(threads, kit.Go(t, func() ntstatus.Status {
					for atomic.LoadUint32(&turn[i]) == 0 {
						arch.Pause()
					}
					q.Acquire(handles[i])
					order[n] = i + 1
					n++
					handles[i].Release()
					return ntstatus.Success
				}, func() { kit.OnCPU(i + 1) }))
			}
			q.Acquire(&h)
			last := *(*uintptr)(unsafe.Pointer(q))
			for i := range turn {
				atomic.StoreUint32(&turn[i], 1)
				for atomic.LoadUintptr((*uintptr)(unsafe.Pointer(q))) == last {
					arch.Pause()
				}
				last = atomic.LoadUintptr((*uintptr)(unsafe.Pointer(q)))
			}
			h.Release()
		}, func() { kit.OnCPU(0) })
		for _, th := range threads {
			th.Join(t)
		}
		if order != [3]uint32{1, 2, 3} {
			t.Fatalf("granted in order %v", order)
		}
	}
}
