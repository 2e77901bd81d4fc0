// Step has two threads call the same functions. While the first one is in its call,
// the second comes by where that returns to; and the first goes to another processor,
// and to a larger stack.
package main

import (
	"os"

	. "irqlab/wdk"
)

var (
	tag    = Tag("Step")
	called = New[KEVENT](tag)
	passed = New[KEVENT](tag)
)

func main() {
	KeInitializeEvent(called, NotificationEvent, false)
	KeInitializeEvent(passed, NotificationEvent, false)
	first := start(func() { steps(true) })
	second := start(func() {
		wait(PVOID(called))
		steps(false)
		KeSetEvent(passed, 0, false)
	})
	wait(first)
	wait(second)
	os.Exit(0)
}

func start(routine func()) PVOID {
	var handle HANDLE
	if s := PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) {
		KeSetSystemAffinityThread(1)
		routine()
	}, nil); !NT_SUCCESS(s) {
		ExRaiseStatus(s)
	}
	var thread PVOID
	ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &thread, nil)
	return thread
}

//go:noinline
func steps(first bool) int {
	move(first)
	return grow(1000)
}

// move has the first thread come back on another processor, later than the second.
//
//go:noinline
func move(first bool) {
	if first {
		KeSetEvent(called, 0, false)
		wait(PVOID(passed))
		KeSetSystemAffinityThread(2)
	}
}

// grow needs more stack than a thread has at first.
//
//go:noinline
func grow(n int) int {
	if n == 0 {
		return 0
	}
	return grow(n-1) + n
}

func wait(object PVOID) { KeWaitForSingleObject(object, Executive, KernelMode, false, nil) }
