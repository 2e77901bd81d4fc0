package main

import (
	"runtime"
	"time"
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/list"
	"irqlab/pool"
	"irqlab/sync"
	"irqlab/sync/spin"
	"irqlab/tests/kit"
	"irqlab/thread"
	_ "irqlab/work"
)

func init() {
	for name, stop := range lockStops {
		stops[name] = stop
	}
}

var lockStops = map[string]func(){
	"fast-recursion":        func() { m := fast(); m.Acquire(); m.Acquire() },
	"fast-acquire-level":    func() { m := fast(); irql.Raise(irql.Dispatch); m.Acquire() },
	"fast-release-level":    func() { m := fast(); m.Acquire(); irql.Lower(irql.Passive); m.Release() },
	"fast-unsafe-acquire":   func() { fast().AcquireUnsafe() },
	"fast-unsafe-release":   func() { m := fast(); m.Acquire(); irql.Lower(irql.Passive); m.ReleaseUnsafe() },
	"fast-free-release":     func() { m := fast(); irql.Raise(irql.APC); m.Release() },
	"fast-foreign-release":  func() { m := fast(); elsewhere(m.Acquire); irql.Raise(irql.APC); m.Release() },
	"fast-elsewhere":        func() { new(sync.FastMutex).Init() },
	"guarded-recursion":     func() { m := guarded(); m.Acquire(); m.Acquire() },
	"guarded-acquire-level": func() { m := guarded(); irql.Raise(irql.Dispatch); m.Acquire() },
	"guarded-free-release":  func() { m := guarded(); kernel.EnterGuardedRegion(); m.Release() },
	"guarded-unsafe":        func() { m := guarded(); kernel.EnterCriticalRegion(); m.AcquireUnsafe() },

	"push-apcs-acquire": func() { new(sync.PushLock).AcquireShared() },
	"push-apcs-release": func() {
		l := new(sync.PushLock)
		kernel.EnterCriticalRegion()
		l.AcquireExclusive()
		kernel.LeaveCriticalRegion()
		l.ReleaseExclusive()
	},
	"push-free-release": func() { kernel.EnterCriticalRegion(); new(sync.PushLock).ReleaseShared() },
	"push-level":        func() { irql.Raise(irql.Dispatch); new(sync.PushLock).AcquireShared() },

	"resource-apcs-acquire": func() { resource().AcquireShared(true) },
	"resource-apcs-release": func() { r := owned(); kernel.LeaveCriticalRegion(); r.Release() },
	"resource-level":        func() { r := resource(); irql.Raise(irql.Dispatch); r.AcquireExclusive(false) },
	"resource-upgrade": func() {
		r := resource()
		kernel.EnterCriticalRegion()
		r.AcquireShared(true)
		r.AcquireExclusive(true)
	},
	"resource-not-owned": func() { r := owned(); r.Release(); r.Release() },
	"resource-foreign": func() {
		r := resource()
		elsewhere(func() { kernel.EnterCriticalRegion(); r.AcquireShared(true) })
		kernel.EnterCriticalRegion()
		r.Release()
	},
	"resource-convert":       func() { r := resource(); kernel.EnterCriticalRegion(); r.AcquireShared(true); r.ConvertToShared() },
	"resource-pointer-bits":  func() { owned().SetOwnerPointer(0x1000) },
	"resource-pointer-owner": func() { resource().SetOwnerPointer(0x1003) },
	"resource-pointer-only":  func() { r := owned(); r.SetOwnerPointer(uintptr(unsafe.Pointer(r)) | 3); r.Release() },
	"resource-init-twice":    func() { resource().Init() },
	"resource-delete-owned":  func() { owned().Delete() },
	"resource-delete-twice":  func() { r := resource(); r.Delete(); r.Delete() },
	"resource-freed":         func() { r := resource(); pool.Free(unsafe.Pointer(r), kit.Tag) },

	"queued-mixed": func() {
		l := alloc[spin.Lock]()
		l.Acquire()
		(*spin.Queued)(unsafe.Pointer(l)).AcquireAtDpc(alloc[spin.QueueHandle]())
	},
	"spin-mixed": func() {
		q := alloc[spin.Queued]()
		q.Acquire(alloc[spin.QueueHandle]())
		(*spin.Lock)(unsafe.Pointer(q)).AcquireAtDpc()
	},
	"shared-recursion":     func() { l := alloc[spin.Shared](); l.AcquireExclusive(); l.AcquireExclusiveAtDpc() },
	"shared-upgrade":       func() { l := alloc[spin.Shared](); l.AcquireShared(); l.AcquireExclusiveAtDpc() },
	"shared-free-release":  func() { l := alloc[spin.Shared](); l.ReleaseShared(irql.Raise(irql.Dispatch)) },
	"shared-alone-release": func() { l := alloc[spin.Shared](); l.ReleaseExclusive(l.AcquireShared()) },
	"shared-lower-held":    func() { irql.Lower(alloc[spin.Shared]().AcquireShared()) },
	"shared-at-dpc-below":  func() { alloc[spin.Shared]().AcquireSharedAtDpc() },

	"work-level":  func() { item(func(unsafe.Pointer) { irql.Raise(irql.APC) }) },
	"work-region": func() { item(func(unsafe.Pointer) { kernel.EnterCriticalRegion() }) },
	"work-mutex": func() {
		m := alloc[sync.Mutex]()
		m.Init()
		item(func(unsafe.Pointer) { m.Wait(kit.Forever, false, kernel.KernelMode) })
	},
	"work-end":   func() { item(func(unsafe.Pointer) { thread.Exit(0) }) },
	"work-twice": func() { w := queued(); w.Queue(sync.CriticalWork) },
	"work-freed": func() { w := queued(); pool.Free(unsafe.Pointer(w), kit.Tag) },

	"queue-unlinked": func() {
		q, e := alloc[sync.Queue](), alloc[list.Entry]()
		q.Init(0)
		q.Insert(e)
		e.Flink = nil
		q.Remove(kit.NoTime, kernel.KernelMode)
	},

	"region-unbalanced":  kernel.LeaveCriticalRegion,
	"guarded-unbalanced": kernel.LeaveGuardedRegion,
}

func fast() *sync.FastMutex {
	m := alloc[sync.FastMutex]()
	m.Init()
	return m
}

func guarded() *sync.GuardedMutex {
	m := alloc[sync.GuardedMutex]()
	m.Init()
	return m
}

func resource() *sync.Resource {
	r := alloc[sync.Resource]()
	r.Init()
	return r
}

// owned is a resource that the caller owns exclusively, in a critical region.
func owned() *sync.Resource {
	r := resource()
	kernel.EnterCriticalRegion()
	r.AcquireExclusive(true)
	return r
}

// elsewhere runs fn on another thread, which stays.
func elsewhere(fn func()) {
	done := make(chan struct{})
	go func() {
		kit.System()
		fn()
		close(done)
		select {}
	}()
	<-done
}

// item runs fn as a work item and waits for what comes of it.
func item(fn sync.WorkRoutine) {
	w := alloc[sync.WorkItem]()
	w.Init(fn, nil)
	w.Queue(sync.DelayedWork)
	time.Sleep(time.Minute)
	runtime.KeepAlive(fn)
}

// queued is a work item that stays in its queue: no thread may run for that.
func queued() *sync.WorkItem { return queuedTo(nothingToDo) }

func queuedTo(r sync.WorkRoutine) *sync.WorkItem {
	sync.SystemWork(sync.CriticalWork.Priority()).MaximumCount = 0
	w := alloc[sync.WorkItem]()
	w.Init(r, nil)
	w.Queue(sync.CriticalWork)
	return w
}

func nothingToDo(unsafe.Pointer) {}
