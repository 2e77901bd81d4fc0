// Kd brings the machine into a state that has something to show to every command
// of the kernel debugger, and calls standstill.
package main

import (
	"os"
	"runtime"

	"irqlab/kernel"
	"irqlab/paging"
	. "irqlab/wdk"
)

var (
	tag       = Tag("Kdbg")
	lock      KSPIN_LOCK
	mutexes   = New[[3]KMUTEX](tag)
	resource  = New[ERESOURCE](tag)
	never     = New[KEVENT](tag)
	wake      = New[KEVENT](tag)
	apc       = New[KAPC](tag)
	timer     = New[KTIMER](tag)
	dpcs      = New[[2]KDPC](tag)
	first     = New[KEVENT](tag)
	second    = New[KEVENT](tag)
	arrived   = New[KSEMAPHORE](tag)
	processor = KAFFINITY(1)
	ratios    = [3]float64{0.5, -2}
	paged     = ExAllocatePool2(POOL_FLAG_PAGED, 2*4096, tag) // the second page is never touched
)

func main() {
	for i := range mutexes {
		KeInitializeMutex(&mutexes[i], 0)
	}
	ExInitializeResourceLite(resource)
	KeInitializeEvent(never, NotificationEvent, false)
	KeInitializeEvent(wake, NotificationEvent, false)
	KeInitializeSemaphore(arrived, 0, 10)
	for i := range dpcs {
		KeInitializeDpc(&dpcs[i], deferred, PVOID(&dpcs[i]))
	}
	KeInitializeTimerEx(timer, SynchronizationTimer)

	KeInitializeEvent(first, NotificationEvent, false)
	KeInitializeEvent(second, NotificationEvent, false)
	start(func() { embrace(0, second, func() { wait(PVOID(&mutexes[1])) }) })
	start(func() {
		embrace(1, first, func() {
			both := []PVOID{PVOID(&mutexes[0]), PVOID(&mutexes[2])}
			KeWaitForMultipleObjects(2, both, WaitAll, Executive, KernelMode, false, nil, nil)
		})
	})
	owner := start(own)
	KeInitializeApc(apc, PKTHREAD(owner), OriginalApcEnvironment, ignore, nil, func(_, _, _ PVOID) {}, UserMode, nil)
	KeInsertQueueApc(apc, nil, nil, 0)
	start(func() {
		KeEnterCriticalRegion()
		arrive()
		ExAcquireResourceSharedLite(resource, true)
	})
	start(func() {
		KeSetSystemAffinityThread(processor)
		arrive()
		wait(PVOID(wake))
	})
	KeSetEvent(first, 0, false)
	KeSetEvent(second, 0, false)
	for !settled() {
		interval := LARGE_INTEGER(-10 * Millisecond)
		KeDelayExecutionThread(KernelMode, false, &interval)
	}

	*(*byte)(paged) = 1
	paging.Trim()
	KeSetSystemAffinityThread(processor)
	KeSetTimerEx(timer, -100*Second, 1000, &dpcs[0])
	var old KIRQL
	KeAcquireSpinLock(&lock, &old)
	KeSetEvent(wake, 0, false)
	KeInsertQueueDpc(&dpcs[1], nil, nil)
	standstill()
	KeReleaseSpinLock(&lock, old)
	os.Exit(0)
}

// standstill is where the debugger stops the machine.
//
//go:noinline
func standstill() {
	runtime.KeepAlive(mutexes)
	ratios[2]++
}

// start starts a system thread, leaves its handle open, and waits until it says
// that it has arrived.
func start(routine func()) PETHREAD {
	var handle HANDLE
	if s := PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) { routine() }, nil); !NT_SUCCESS(s) {
		ExRaiseStatus(s)
	}
	var thread PVOID
	ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &thread, nil)
	wait(PVOID(arrived))
	return PETHREAD(thread)
}

func arrive() { KeReleaseSemaphore(arrived, 0, 1, false) }

// settled reports whether all threads are where they wait.
func settled() bool {
	threads := make([]kernel.ThreadInfo, 64)
	mutants, events := 0, 0
	for _, t := range threads[:kernel.Threads(threads)] {
		switch w := t.Waits[0]; {
		case t.State != kernel.StateWaiting:
		case w.Type == kernel.TypeMutant:
			mutants++
		case w.Object == address(never), w.Object == address(wake):
			events++
		}
	}
	return mutants == 2 && events == 2 && ExGetSharedWaiterCount(resource) == 1
}

func address(e PKEVENT) uintptr { return uintptr(PVOID(e)) }

func wait(object PVOID) { KeWaitForSingleObject(object, Executive, KernelMode, false, nil) }

// embrace takes a mutex, and waits for another one when a thread has it that waits
// for the first.
func embrace(n int, others PKEVENT, again func()) {
	wait(PVOID(&mutexes[n]))
	arrive()
	wait(PVOID(others))
	again()
}

func own() {
	wait(PVOID(&mutexes[2]))
	KeEnterCriticalRegion()
	ExAcquireResourceExclusiveLite(resource, true)
	arrive()
	wait(PVOID(never))
}

func deferred(*KDPC, PVOID, PVOID, PVOID) {}

func ignore(PKAPC, *PKNORMAL_ROUTINE, *PVOID, *PVOID, *PVOID) {}
