package demos

import (
	"fmt"
	"io"
	"sync/atomic"

	. "irqlab/wdk"
)

func events(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	const n = 4
	fmt.Fprintf(w, "%d threads wait for a notification event, then for a synchronization event.\n", n)
	e, free := allocate[KEVENT]()
	defer free()

	KeInitializeEvent(e, NotificationEvent, false)
	released, threads, err := waiters(e, n)
	if err != nil {
		return err
	}
	KeSetEvent(e, IO_NO_INCREMENT, false)
	join(threads...)
	all, stays := released.Load(), KeReadStateEvent(e) != 0
	fmt.Fprintf(w, "  notification: one KeSetEvent releases %d of %d; it stays signalled: %v\n", all, n, stays)

	KeInitializeEvent(e, SynchronizationEvent, false)
	released, threads, err = waiters(e, n)
	if err != nil {
		return err
	}
	one := true
	for i := range threads {
		KeSetEvent(e, IO_NO_INCREMENT, false)
		join(threads[i]) // the first that waited is the first released
		sleep(5)
		k, state := released.Load(), KeReadStateEvent(e)
		fmt.Fprintf(w, "  synchronization: after %d KeSetEvent %d of %d are released; signalled: %v\n", i+1, k, n, state != 0)
		one = one && int(k) == i+1 && state == 0
	}

	KeSetEvent(e, IO_NO_INCREMENT, false)
	KeSetEvent(e, IO_NO_INCREMENT, false)
	var zero LARGE_INTEGER
	first := KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, &zero)
	second := KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, &zero)
	fmt.Fprintf(w, "  two KeSetEvent that nobody waits for count as one: %v, %v\n", first, second)
	return verdict(w, all == n && stays && one && first == STATUS_SUCCESS && second == STATUS_TIMEOUT,
		"a notification event released %d at once, a synchronization event one at a time", all)
}

// waiters starts n threads that wait for the event, one after the other, and
// counts those that were released.
func waiters(e PKEVENT, n int) (released *atomic.Int32, threads []PETHREAD, err error) {
	released = new(atomic.Int32)
	for range n {
		t := create(func() {
			wait(PVOID(e))
			released.Add(1)
		})
		threads = append(threads, t)
		if err := settle(t, PVOID(e)); err != nil {
			return nil, nil, err
		}
	}
	return released, threads, nil
}
