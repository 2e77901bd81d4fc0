package demos

import (
	"fmt"
	"math/bits"
	"unsafe"

	"irqlab/kernel"
	. "irqlab/wdk"
)

var tag = Tag("Demo")

// allocate returns a cleared T in nonpaged pool, and how to free it.
func allocate[T any]() (*T, func()) {
	p := New[T](tag)
	if p == nil {
		ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES)
	}
	return p, func() { ExFreePoolWithTag(PVOID(p), tag) }
}

// create starts a system thread and returns it with a reference.
func create(routine func()) PETHREAD {
	var handle HANDLE
	status := PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) { routine() }, nil)
	if !NT_SUCCESS(status) {
		ExRaiseStatus(status)
	}
	var thread PVOID
	ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &thread, nil)
	ZwClose(handle)
	return PETHREAD(thread)
}

// join waits until all of the threads have ended, and drops them.
func join(threads ...PETHREAD) {
	blocks, free := allocate[[MAXIMUM_WAIT_OBJECTS]KWAIT_BLOCK]()
	defer free()
	objects := make([]PVOID, len(threads))
	for i, t := range threads {
		objects[i] = PVOID(t)
	}
	KeWaitForMultipleObjects(ULONG(len(objects)), objects, WaitAll, Executive, KernelMode, false, nil, &blocks[0])
	for _, o := range objects {
		ObDereferenceObject(o)
	}
}

// wait waits for an object without limit.
func wait(object unsafe.Pointer) NTSTATUS {
	return KeWaitForSingleObject(object, Executive, KernelMode, false, nil)
}

// sleep delays the thread by milliseconds.
func sleep(ms int64) {
	interval := -ms * Millisecond
	KeDelayExecutionThread(KernelMode, false, &interval)
}

// processors returns how many there are.
func processors() int { return int(KeQueryActiveProcessorCount(nil)) }

// lastProcessor returns the set of the one that the rest of the system uses
// least.
func lastProcessor() (set KAFFINITY, number int) {
	number = bits.Len64(uint64(KeQueryActiveProcessors())) - 1
	return 1 << number, number
}

// settle waits until the thread waits for the object. It looks as a debugger
// does: a thread that is about to wait cannot be told from one that is not in any
// other way, and a thread of Go waits for other things too.
func settle(t PETHREAD, object PVOID) error {
	var buf [256]kernel.ThreadInfo
	for range 5000 {
		for _, i := range buf[:min(kernel.Threads(buf[:]), len(buf))] {
			if i.Address == uintptr(unsafe.Pointer(t)) && i.WaitCount == 1 && i.Waits[0].Object == uintptr(object) {
				return nil
			}
		}
		sleep(1)
	}
	return fmt.Errorf("the thread does not come to wait")
}
