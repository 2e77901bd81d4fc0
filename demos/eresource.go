package demos

import (
	"fmt"
	"io"
	"strings"
	"sync"

	. "irqlab/wdk"
)

// visitor is a thread that acquires a lock, stays, and leaves when told.
type visitor struct {
	name   string
	asks   string
	thread PETHREAD
	leave  *KEVENT
	free   func()
}

// visits is the order in which visitors came in and left.
type visits struct {
	mu  sync.Mutex
	log []string
}

func (v *visits) note(what string) {
	v.mu.Lock()
	v.log = append(v.log, what)
	v.mu.Unlock()
}

func (v *visits) has(what string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, l := range v.log {
		if l == what {
			return true
		}
	}
	return false
}

// visit starts a visitor.
func (v *visits) visit(name, asks string, acquire, release func()) *visitor {
	o := &visitor{name: name, asks: asks}
	o.leave, o.free = allocate[KEVENT]()
	KeInitializeEvent(o.leave, NotificationEvent, false)
	o.thread = create(func() {
		KeEnterCriticalRegion()
		acquire()
		v.note("+" + name)
		wait(PVOID(o.leave))
		v.note("-" + name)
		release()
		KeLeaveCriticalRegion()
	})
	return o
}

// inside waits until the visitor has come in, or reports false.
func (v *visits) inside(o *visitor) bool { return until(func() bool { return v.has("+" + o.name) }) }

// go tells visitors to leave, one after the other, and waits until they have.
func (v *visits) dismiss(visitors ...*visitor) {
	for _, o := range visitors {
		KeSetEvent(o.leave, IO_NO_INCREMENT, false)
		join(o.thread)
		o.free()
	}
}

// until waits some seconds for a condition.
func until(ok func() bool) bool {
	for range 5000 {
		if ok() {
			return true
		}
		sleep(1)
	}
	return ok()
}

// eresource shows who waits for whom at an ERESOURCE.
func eresource(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	fmt.Fprint(w, "An ERESOURCE has one writer or many readers. A writer that waits holds up the readers that\n"+
		"come after it, or it would starve; a reader that must not wait for it may jump the queue.\n")
	r, free := allocate[ERESOURCE]()
	defer free()
	ExInitializeResourceLite(r)
	defer ExDeleteResourceLite(r)
	release := func() { ExReleaseResourceLite(r) }
	var v visits
	come := func(name, asks string, acquire func(PERESOURCE, BOOLEAN) BOOLEAN) *visitor {
		o := v.visit(name, asks, func() { acquire(r, true) }, release)
		return o
	}
	waiting := func(exclusive, shared ULONG) bool {
		return until(func() bool {
			return ExGetExclusiveWaiterCount(r) == exclusive && ExGetSharedWaiterCount(r) == shared
		})
	}
	reader := come("reader", "ExAcquireResourceSharedLite", ExAcquireResourceSharedLite)
	ok := v.inside(reader)
	writer := come("writer", "ExAcquireResourceExclusiveLite", ExAcquireResourceExclusiveLite)
	ok = waiting(1, 0) && ok
	late := come("late reader", "ExAcquireResourceSharedLite", ExAcquireResourceSharedLite)
	ok = waiting(1, 1) && ok
	polite := come("polite reader", "ExAcquireSharedWaitForExclusive", ExAcquireSharedWaitForExclusive)
	ok = waiting(1, 2) && ok
	hasty := come("hasty reader", "ExAcquireSharedStarveExclusive", ExAcquireSharedStarveExclusive)
	ok = v.inside(hasty) && ok // although the writer waits

	before := strings.Join(v.log, " ")
	v.dismiss(reader)
	ok = waiting(1, 2) && ok // for the hasty reader still
	v.dismiss(hasty)
	ok = v.inside(writer) && waiting(0, 2) && ok
	v.dismiss(writer)
	ok = v.inside(late) && v.inside(polite) && ok
	v.dismiss(late, polite)

	for _, o := range []*visitor{reader, writer, late, polite, hasty} {
		fmt.Fprintf(w, "  the %-14s comes with %s\n", o.name, o.asks)
	}
	fmt.Fprint(w, "In (+) and out (-):\n")
	for _, l := range v.log {
		fmt.Fprintf(w, "  %s\n", l)
	}
	ok = ok && before == "+reader +hasty reader" && len(v.log) == 10
	return verdict(w, ok, "the hasty reader came in before the writer, the late and the polite one after it")
}
