package load

import (
	"sync/atomic"
	"unsafe"

	"irqlab/fault"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/pool"
	"irqlab/sync/spin"
)

const tag pool.Tag = 'S' | 'o'<<8 | 'a'<<16 | 'k'<<24

// blocks are allocations, each owned by the worker that took it out.
var (
	blocks                         [128]block
	blocksLock                     spin.Lock
	blocksAllocated, blocksFreed   uint64 // atomic
	blocksDamaged, blocksNotServed uint64 // atomic
)

type block struct {
	p    unsafe.Pointer
	size uintptr
	mark byte
}

// allocator exchanges a block: it frees what was there, if its contents are
// still right, and leaves another.
func allocator(w *Worker) {
	size := uintptr(1 + w.rand(600))
	if w.rand(16) == 0 {
		size = uintptr(1 + w.rand(3*4096))
	}
	b := block{pool.Alloc(size, tag), size, byte(w.rand(256))}
	if b.p == nil {
		atomic.AddUint64(&blocksNotServed, 1)
		return
	}
	atomic.AddUint64(&blocksAllocated, 1)
	for i := range size {
		*b.at(i) = b.mark + byte(i)
	}
	slot := &blocks[w.rand(uint64(len(blocks)))]
	old := blocksLock.Acquire()
	b, *slot = *slot, b
	blocksLock.Release(old)
	b.free()
	w.pause()
}

func (b *block) at(i uintptr) *byte { return (*byte)(unsafe.Add(b.p, i)) }

func (b *block) free() {
	if b.p == nil {
		return
	}
	for i := range b.size {
		if *b.at(i) != b.mark+byte(i) {
			atomic.AddUint64(&blocksDamaged, 1)
			break
		}
	}
	pool.Free(b.p, tag)
	atomic.AddUint64(&blocksFreed, 1)
}

func sumPool(fn func(Sum)) {
	for i := range blocks {
		blocks[i].free()
	}
	s, _ := account(tag)
	fn(Sum{"pool blocks freed", blocksAllocated, blocksFreed})
	fn(Sum{"pool blocks damaged", 0, blocksDamaged})
	fn(Sum{"pool bytes leaked", 0, uint64(s.Bytes)})
}

// account returns what the pool says of a tag.
func account(tag pool.Tag) (pool.Stat, bool) {
	for n := 0; ; n++ {
		s, ok := pool.Stats(n)
		if !ok || s.Tag == tag {
			return s, ok
		}
	}
}

// Threads that end at once; atomic.
var threadsMade, threadsRun, threadsRefused uint64

func creator(w *Worker) {
	var made [4]*kernel.Thread
	n := 1 + w.rand(uint64(len(made)))
	for i := range n {
		t := thread(shortLife, 0, int8(1+w.rand(15)))
		if t == nil {
			atomic.AddUint64(&threadsRefused, 1)
			continue
		}
		atomic.AddUint64(&threadsMade, 1)
		made[i] = t
		kernel.Ready(t)
	}
	for i := range n {
		if made[i] != nil {
			join(made[i])
		}
	}
	w.nap()
}

func shortLife(uintptr) {
	atomic.AddUint64(&threadsRun, 1)
	kernel.Exit(0)
}

func sumThreads(fn func(Sum)) {
	fn(Sum{"threads run", threadsMade, threadsRun})
	fn(Sum{"threads refused", 0, threadsRefused - min(threadsRefused, uint64(fault.Happened()))})
	fn(Sum{"threads left", 0, left()})
}

// left counts the threads that should have ended.
func left() uint64 {
	a := kernel.Args{}
	kernel.Enter(countLeft, &a)
	return uint64(a.R)
}

func countLeft(a *kernel.Args) {
	old := kernel.LockDispatcher()
	n := uintptr(0)
	for id := uint32(4); ; id += 4 {
		t := kernel.Lookup(id)
		if id/4 > maxThreadIDs {
			break
		}
		if t != nil && t.Name[0] == threadName[0] && t.Name[1] == threadName[1] && t.Name[2] == threadName[2] && t.Name[3] == threadName[3] {
			n++
		}
	}
	kernel.UnlockDispatcher(old)
	a.R = n
}

const maxThreadIDs = 2048

// Spin locks and what they guard. Threads, raised Go code, and DPCs take them.
var (
	Spin                 spin.Lock
	queued               spin.Queued
	SpinCount            uint64 // guarded by Spin
	queuedCount          uint64 // guarded by queued
	SpinAdds, queuedAdds uint64 // atomic
)

func spinner(w *Worker) {
	for range w.rand(32) {
		old := Spin.Acquire()
		SpinCount++
		Spin.Release(old)
		var h spin.QueueHandle
		queued.Acquire(&h)
		queuedCount++
		h.Release()
		atomic.AddUint64(&SpinAdds, 1)
		atomic.AddUint64(&queuedAdds, 1)
	}
	w.pause()
}

// countAtDpc is spinner's part in a DPC, ordinary or threaded.
func countAtDpc() {
	old := Spin.AcquireForDpc()
	SpinCount++
	Spin.ReleaseForDpc(old)
	atomic.AddUint64(&SpinAdds, 1)
	if irql.Current() >= irql.Dispatch {
		var h spin.QueueHandle
		queued.AcquireAtDpc(&h)
		queuedCount++
		h.ReleaseFromDpc()
		atomic.AddUint64(&queuedAdds, 1)
	}
}

func sumSpin(fn func(Sum)) {
	fn(Sum{"count under the spin lock", SpinAdds, SpinCount})
	fn(Sum{"count under the queued spin lock", queuedAdds, queuedCount})
}

// shuffler changes other workers' priority and affinity.
func shuffler(w *Worker) {
	t := workers[w.rand(uint64(nworkers))].thread
	if t != nil {
		if w.rand(2) == 0 {
			t.SetPriority(int8(6 + w.rand(5)))
		} else {
			t.SetAffinity(uint32(w.rand(1 << numCPUs())))
		}
	}
	w.nap()
}
