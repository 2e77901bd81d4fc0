//go:build amd64 && !irqlab

package explore

import (
	"errors"
	"fmt"
	"testing"
	"unsafe"

	"irqlab/arch"
	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
)

// The device is removed when its last user is gone, and has none afterwards.
func TestRemoveLock(t *testing.T) {
	explore(t, func() *Program {
		l := new(sync.RemoveLock)
		l.Init()
		removed := false
		user := func(x *Run) {
			for range 2 {
				if l.Acquire() != ntstatus.Success {
					continue
				}
				x.Point()
				if removed {
					x.Fail("a device was used after its end")
				}
				l.Release()
			}
		}
		return &Program{
			Threads: []func(*Run){user, user, func(x *Run) {
				if s := l.Acquire(); s != ntstatus.Success {
					x.Fail("before the removal: %v", s)
				}
				l.ReleaseAndWait()
				removed = true
			}},
			Check: func() error {
				if s := l.Acquire(); s != ntstatus.DeletePending {
					return fmt.Errorf("after the removal: %v", s)
				}
				return nil
			},
		}
	})
}

// Each request reaches the device once, and one at a time.
func TestDeviceQueue(t *testing.T) {
	explore(t, func() *Program {
		q := new(sync.DeviceQueue)
		q.Init()
		entries := new([4]sync.DeviceQueueEntry)
		started := map[*sync.DeviceQueueEntry]int{}
		working := 0
		start := func(x *Run, e *sync.DeviceQueueEntry) {
			if working++; working != 1 {
				x.Fail("the device is given two requests at a time")
			}
			x.Point()
			started[e]++
			working--
		}
		request := func(list ...int) func(x *Run) {
			return func(x *Run) {
				for _, i := range list {
					if e := &entries[i]; !q.InsertByKey(e, uint32(i)) {
						for ; e != nil; e = q.Remove() {
							start(x, e)
						}
					}
				}
			}
		}
		return &Program{
			Threads: []func(*Run){request(0, 1), request(2), request(3)},
			Check: func() error {
				for i := range entries {
					if n := started[&entries[i]]; n != 1 {
						return fmt.Errorf("request %d was started %d times", i, n)
					}
				}
				if q.Busy != 0 {
					return errors.New("the device is busy at the end")
				}
				return nil
			},
		}
	})
}

func countDPC(_ *dpc.Object, context, _, _ unsafe.Pointer) { *(*int)(context)++ }

// A DPC that two processors insert runs as often as it was inserted and not removed.
// What the DISPATCH interrupt does, a thread does here.
func TestDPCQueue(t *testing.T) {
	explore(t, func() *Program {
		ran, d := new(int), new([2]dpc.Object)
		for i := range d {
			d[i].Init(countDPC, unsafe.Pointer(ran))
			d[i].SetTarget(0)
		}
		inserted, busy := 0, 2 // busy is how many insert
		insert := func(list ...int) {
			for _, i := range list {
				if d[i].Insert(nil, nil) {
					inserted++
				}
			}
		}
		drain := func() {
			old := irql.Raise(irql.Dispatch)
			if dpc.Pending(0) {
				dpc.Drain(0)
			}
			irql.Lower(old)
		}
		return &Program{
			Threads: []func(*Run){
				func(*Run) {
					drain()
					for busy > 0 {
						arch.Pause()
					}
					drain()
				},
				func(*Run) { insert(0, 1, 0); busy-- },
				func(*Run) {
					insert(0)
					if d[0].Remove() {
						inserted--
					}
					busy--
				},
			},
			Check: func() error {
				if *ran != inserted || d[0].Queued() || d[1].Queued() || dpc.Pending(0) {
					return fmt.Errorf("inserted %d times, ran %d times", inserted, *ran)
				}
				return nil
			},
		}
	})
}

// Semaphores, events and mutexes are locks too, if used so.
func TestDispatcherObjects(t *testing.T) {
	noTime := new(int64)
	wait := func(h *kernel.Header) func() { return func() { sync.Wait(h, nil, false, kernel.KernelMode) } }
	try := func(h *kernel.Header) func() bool {
		return func() bool { return sync.Wait(h, noTime, false, kernel.KernelMode) == ntstatus.Success }
	}
	for _, s := range mutexScripts {
		explore(t, program(func() lock {
			n := new(sync.Semaphore)
			n.Init(1, 1)
			return lock{exclusive: wait(&n.Header), tryExclusive: try(&n.Header), release: func() { n.Release(0, 1) },
				free: func() bool { return n.State() == 1 }}
		}, s...))
		explore(t, program(func() lock {
			e := new(sync.Event)
			e.InitSynchronization(true)
			return lock{exclusive: wait(&e.Header), tryExclusive: try(&e.Header), release: func() { e.Set(0) },
				free: func() bool { return e.State() == 1 }}
		}, s...))
		explore(t, program(func() lock {
			m := new(sync.Mutex)
			m.InitMutant(false)
			return lock{exclusive: wait(&m.Header), tryExclusive: try(&m.Header), release: func() { m.Release() },
				free: func() bool { return m.State() == 1 }}
		}, s...))
	}
}

// Who waits for both takes both or none, in whatever order they are given.
func TestWaitAll(t *testing.T) {
	explore(t, func() *Program {
		pair := new([2]sync.Event)
		headers := new([2][2]*kernel.Header)
		for i := range pair {
			pair[i].InitSynchronization(true)
			headers[0][i], headers[1][1-i] = &pair[i].Header, &pair[i].Header
		}
		inside := 0
		both := func(order int) func(*Run) {
			return func(x *Run) {
				if s := sync.WaitMany(&headers[order][0], 2, kernel.WaitAll, nil, false, kernel.KernelMode, nil); s != ntstatus.Success {
					x.Fail("wait: %v", s)
				}
				if inside++; inside != 1 {
					x.Fail("two have both")
				}
				x.Point()
				inside--
				pair[0].Set(0)
				pair[1].Set(0)
			}
		}
		return &Program{
			Threads: []func(*Run){both(0), both(1), both(0)},
			Check: func() error {
				if pair[0].State() != 1 || pair[1].State() != 1 {
					return errors.New("one was taken without the other")
				}
				return nil
			},
		}
	})
}
