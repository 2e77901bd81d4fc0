package ob

import (
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/kernel"
	"irqlab/pool"
	"irqlab/sync"
)

// remove deletes an object whose last reference has gone. An object that has
// handles has references, or somebody has dropped one that was not theirs.
func remove(o *kernel.ObjectHeader) {
	i := infoOf(o)
	if o.HandleCount != 0 || i != nil && i.fixed {
		bugcheck.Stop(bugcheck.ReferenceByPointer, uintptr(o.TypeIndex), uintptr(o.Body()), 0, 0)
	}
	if i == nil {
		(*kernel.Thread)(o.Body()).Free()
		return
	}
	t := Describe(o.TypeIndex)
	if t.ends != nil {
		t.ends(o.Body())
	}
	old := lock.Acquire()
	i.byType.Remove()
	lock.Release(old)
	t.population.Shrink()
	pool.Free(unsafe.Pointer(i), t.tag)
}

// deferred are objects that a worker thread is to delete, linked by CreateInfo,
// which has no other use here.
var deferred struct {
	first  uintptr
	queued bool // the item is in its queue
	item   sync.WorkItem
}

// DereferenceLater is Dereference for a caller that may hold locks which the
// deletion would want: a worker thread deletes the object, at PASSIVE_LEVEL
// (ObDereferenceObjectDeferDelete). Package work has the threads.
//
// IRQL: <= DISPATCH_LEVEL
func DereferenceLater(body unsafe.Pointer) {
	o := headerOf(body)
	if !o.Release() {
		return
	}
	old := lock.Acquire()
	o.CreateInfo, deferred.first = deferred.first, uintptr(unsafe.Pointer(o))
	start := !deferred.queued
	deferred.queued = true
	lock.Release(old)
	if start {
		deferred.item.Queue(sync.DelayedWork)
	}
}

func removeDeferred(unsafe.Pointer) {
	old := lock.Acquire()
	o := (*kernel.ObjectHeader)(unsafe.Pointer(deferred.first))
	deferred.first, deferred.queued = 0, false
	lock.Release(old)
	for o != nil {
		next := (*kernel.ObjectHeader)(unsafe.Pointer(o.CreateInfo))
		remove(o)
		o = next
	}
}
