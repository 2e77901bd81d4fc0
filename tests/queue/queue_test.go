// Package queue tests the rules of kernel queues, area workitem.
package queue

import (
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/list"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
)

// entry is what the tests queue.
type entry struct {
	list.Entry
	n int
}

func newQueue(t testing.TB, maximum uint32) *sync.Queue {
	q := kit.New[sync.Queue](t)
	q.Init(maximum)
	t.Cleanup(func() { q.Rundown() }) // its threads may outlive it
	return q
}

func newEntry(t testing.TB, n int) *list.Entry {
	e := kit.New[entry](t)
	e.n = n
	return &e.Entry
}

func number(e *list.Entry) int {
	if e == nil {
		return -1
	}
	return (*entry)(unsafe.Pointer(e)).n
}

func poll(q *sync.Queue) (int, ntstatus.Status) {
	e, s := q.Remove(kit.NoTime, kernel.KernelMode)
	return number(e), s
}

// rule: kqueue-insert-return
// rule: kqueue-lifo-threads
// rule: kqueue-timeout
// rule: kqueue-count0
func TestEntries(t *testing.T) {
	kit.Run(t, func() {
		q := newQueue(t, 0)
		if q.MaximumCount != kit.CPUs() || q.Len() != 0 {
			t.Errorf("maximum %d, length %d", q.MaximumCount, q.Len())
		}
		if n, s := poll(q); n != -1 || s != ntstatus.Timeout {
			t.Errorf("an empty queue: %d, %v", n, s)
		}
		for i := range 3 {
			if was := q.Insert(newEntry(t, i)); was != int32(i) {
				t.Errorf("insert %d returned %d", i, was)
			}
		}
		if was := q.InsertHead(newEntry(t, 9)); was != 3 || q.Len() != 4 {
			t.Errorf("insert at the head returned %d, length %d", was, q.Len())
		}
		for i, want := range []int{9, 0, 1, 2} {
			if n, s := poll(q); n != want || s != ntstatus.Success || q.Len() != int32(3-i) {
				t.Errorf("remove %d: %d, %v, length %d", i, n, s, q.Len())
			}
		}
		start := time.Now()
		if e, s := q.Remove(kit.Ms(20), kernel.KernelMode); e != nil || s != ntstatus.Timeout {
			t.Errorf("a wait of 20 ms: %v", s)
		}
		if d := time.Since(start); d < 20*time.Millisecond {
			t.Errorf("it took %v", d)
		}
		if q.CurrentCount != 1 {
			t.Errorf("%d threads count as running", q.CurrentCount)
		}
	})
}

// rule: kqueue-wake-one
// rule: kqueue-lifo-threads
func TestThreadsLastInFirstOut(t *testing.T) {
	q := newQueue(t, 4)
	var got [3]atomic.Int32
	var threads []*kit.Thread
	for i := range got {
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			e, s := q.Remove(kit.Forever, kernel.KernelMode)
			got[i].Store(int32(number(e)))
			return s
		}))
		kit.AwaitWaiters(t, &q.Header, i+1)
	}
	for i := 2; i >= 0; i-- {
		if was := q.Insert(newEntry(t, 10+i)); was != 0 || q.Len() != 0 {
			t.Errorf("insert returned %d, length %d", was, q.Len())
		}
		if s := threads[i].Join(t); s != ntstatus.Success || got[i].Load() != int32(10+i) {
			t.Errorf("thread %d: %v, entry %d", i, s, got[i].Load())
		}
		threads[i].Exited(t)
	}
	kit.Locked(func() {
		if q.CurrentCount != 0 || !q.Threads.Empty() {
			t.Errorf("threads that ended are still counted: %d", q.CurrentCount)
		}
	})
}

// rule: kqueue-concurrency
func TestConcurrency(t *testing.T) {
	q := newQueue(t, 1)
	e := kit.New[sync.Event](t)
	e.InitSynchronization(false)
	var served atomic.Int32
	worker := func() ntstatus.Status {
		for {
			x, s := q.Remove(kit.Forever, kernel.KernelMode)
			if s != ntstatus.Success {
				return s
			}
			served.Add(1)
			if number(x) == 1 {
				e.Wait(kit.Forever, false, kernel.KernelMode)
			}
		}
	}
	var threads []*kit.Thread
	for i := range 2 {
		threads = append(threads, kit.Go(t, worker))
		kit.AwaitWaiters(t, &q.Header, i+1)
	}
	running := kit.Go(t, func() ntstatus.Status {
		// This thread takes the one slot, by a poll, and keeps it.
		q.Insert(newEntry(t, 0))
		return ntstatus.Success
	})
	running.Join(t)
	kit.Until(t, "one entry served", func() bool { return served.Load() == 1 })
	kit.AwaitWaiters(t, &q.Header, 2)

	// A thread that runs keeps the others from running.
	behind := newEntry(t, 0)
	var n, left int32
	holder := kit.Go(t, func() ntstatus.Status {
		if n, s := poll(q); n != -1 || s != ntstatus.Timeout {
			return ntstatus.Unsuccessful
		}
		kit.At(irql.Dispatch, func() { // where it runs, whatever happens
			q.Insert(behind)
			for end := kernel.InterruptTime() + 5*kernel.Millisecond; kernel.InterruptTime() < end; {
				arch.Pause()
			}
			n, left = served.Load(), q.Len()
		})
		return ntstatus.Success
	})
	if s := holder.Join(t); s != ntstatus.Success || n != 1 || left != 1 {
		t.Errorf("%v; behind a running thread %d entries are served and %d left", s, n, left)
	}
	holder.Exited(t)
	kit.Until(t, "the second entry served", func() bool { return served.Load() == 2 })
	kit.AwaitWaiters(t, &q.Header, 2)

	// A thread that waits for something else frees its slot.
	q.Insert(newEntry(t, 1))
	kit.AwaitWaiters(t, &e.Header, 1)
	q.Insert(newEntry(t, 0))
	kit.Until(t, "the entry behind a waiting thread served", func() bool { return served.Load() == 4 })
	e.Set(0)
	kit.AwaitWaiters(t, &q.Header, 2)
	kit.Locked(func() {
		if q.CurrentCount != 0 {
			t.Errorf("%d threads count as running", q.CurrentCount)
		}
	})
	q.Rundown()
	for _, th := range threads {
		if s := th.Join(t); s != ntstatus.AbandonedWait0 {
			t.Errorf("after the rundown: %v", s)
		}
	}
}

// rule: kqueue-rundown
func TestRundown(t *testing.T) {
	q := newQueue(t, 1)
	waiter := kit.Go(t, func() ntstatus.Status {
		_, s := q.Remove(kit.Forever, kernel.KernelMode)
		return s
	})
	kit.AwaitWaiters(t, &q.Header, 1)
	if e := q.Rundown(); e != nil {
		t.Error("an empty queue had entries")
	}
	if s := waiter.Join(t); s != ntstatus.AbandonedWait0 {
		t.Errorf("the waiter: %v", s)
	}
	kit.Run(t, func() {
		if _, s := poll(q); s != ntstatus.AbandonedWait0 {
			t.Errorf("later: %v", s)
		}
	})

	q = newQueue(t, 1)
	for i := range 3 {
		q.Insert(newEntry(t, i))
	}
	first := q.Rundown()
	for i, e := 0, first; i < 3; i, e = i+1, e.Flink {
		if number(e) != i {
			t.Errorf("entry %d is number %d", i, number(e))
		}
	}
	if first.Blink.Flink != first || number(first.Blink) != 2 || q.Len() != 0 {
		t.Error("the entries that are left are not a circle")
	}
}

// rule: kqueue-insert-return
func TestInsertAtDispatch(t *testing.T) {
	q := newQueue(t, 0)
	w := kit.Go(t, func() ntstatus.Status {
		_, s := q.Remove(kit.Forever, kernel.KernelMode)
		return s
	})
	kit.AwaitWaiters(t, &q.Header, 1)
	e := newEntry(t, 1)
	kit.At(irql.Dispatch, func() { q.Insert(e) })
	if s := w.Join(t); s != ntstatus.Success {
		t.Error(s)
	}
}

// Every entry reaches exactly one thread.
//
// rule: kqueue-wake-one
func TestMany(t *testing.T) {
	q := newQueue(t, 0)
	const entries, threads = 400, 4
	var seen [entries]atomic.Int32
	var workers []*kit.Thread
	for range threads {
		workers = append(workers, kit.Go(t, func() ntstatus.Status {
			for {
				e, s := q.Remove(kit.Forever, kernel.KernelMode)
				if e == nil {
					return s
				}
				seen[number(e)].Add(1)
			}
		}))
	}
	var producers []*kit.Thread
	for p := range 2 {
		producers = append(producers, kit.Go(t, func() ntstatus.Status {
			for i := p; i < entries; i += 2 {
				if i%3 == 0 {
					q.InsertHead(newEntry(t, i))
				} else {
					q.Insert(newEntry(t, i))
				}
			}
			return ntstatus.Success
		}))
	}
	for _, p := range producers {
		p.Join(t)
	}
	kit.Until(t, "an empty queue", func() bool { return q.Len() == 0 && kit.Waiters(&q.Header) == threads })
	q.Rundown()
	for _, w := range workers {
		w.Join(t)
	}
	for i := range seen {
		if n := seen[i].Load(); n != 1 {
			t.Errorf("entry %d was served %d times", i, n)
		}
	}
}
