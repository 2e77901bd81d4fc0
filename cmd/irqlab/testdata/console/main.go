// Console does what it is told to at its prompt: run into breakpoint instructions,
// hang, or stop the machine.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/ntstatus"
	"irqlab/seh"
	. "irqlab/wdk"
)

var (
	tag  = Tag("Cons")
	dpc  = New[KDPC](tag)
	done = New[KEVENT](tag)
)

func main() {
	KeInitializeDpc(dpc, deferred, nil)
	KeInitializeEvent(done, SynchronizationEvent, false)
	input := bufio.NewScanner(os.Stdin)
	for fmt.Print("ready> "); input.Scan(); fmt.Print("ready> ") {
		switch input.Text() {
		case "int3":
			runtime.Breakpoint()
		case "system":
			system()
		case "dpc":
			KeInsertQueueDpc(dpc, nil, nil)
			KeWaitForSingleObject(PVOID(done), Executive, KernelMode, false, nil)
		case "handled":
			seh.Try(runtime.Breakpoint, seh.Only(ntstatus.Breakpoint), func(*seh.Exception) { fmt.Println("caught") })
		case "hang":
			var old KIRQL
			KeRaiseIrql(HIGH_LEVEL, &old)
			for _, c := range []byte("hanging\n") {
				board.PutByte(c)
			}
			for !answer {
				arch.Pause()
			}
			KeLowerIrql(old)
		case "stop":
			KeBugCheckEx(ULONG(bugcheck.ManuallyInitiatedCrash), 1, 2, 3, 4)
		case "exit":
			os.Exit(5)
		}
		fmt.Println("done:", input.Text())
	}
	os.Exit(6)
}

// answer is what a hung processor waits for.
var answer bool

// deferred runs into a breakpoint where there are no handlers.
func deferred(*KDPC, PVOID, PVOID, PVOID) {
	arch.Breakpoint()
	KeSetEvent(done, 0, false)
}

// system has a system thread run into a breakpoint.
func system() {
	var handle HANDLE
	PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) {
		runtime.Breakpoint()
		KeSetEvent(done, 0, false)
	}, nil)
	ZwClose(handle)
	KeWaitForSingleObject(PVOID(done), Executive, KernelMode, false, nil)
}
