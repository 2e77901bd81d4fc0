// Package thread has system threads: goroutines that are kernel threads. Such a
// goroutine is locked to its M, and every M is a KTHREAD, so identity, priority,
// wait state and what the thread owns are the KTHREAD's, and the dispatcher
// alone decides when it runs.
//
// It is ordinary Go, not resident: threads are made and ended at PASSIVE_LEVEL.
package thread

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"unsafe"

	_ "irqlab/apc" // threads take APCs
	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/seh"
)

// The main goroutine stays on the first thread, which the Go runtime can't end:
// no system thread ever gets it. On a host, where the program may be a test,
// there is no kernel below.
func init() {
	if kernel.Booted() {
		Lock("main")
	} else {
		runtime.LockOSThread()
	}
}

// Lock ties the calling goroutine to the kernel thread that runs it, for as long
// as it lives or until Unlock. It may own mutexes from then on. The thread gets
// a name, unless that is empty.
//
// IRQL: PASSIVE_LEVEL
func Lock(name string) *kernel.Thread {
	runtime.LockOSThread()
	return bind(0, name)
}

// Unlock undoes Lock.
//
// IRQL: PASSIVE_LEVEL
func Unlock() {
	a := kernel.Args{}
	kernel.Enter(release, &a)
	runtime.UnlockOSThread()
}

func release(*kernel.Args) { kernel.Unbind() }

// bind marks the running thread as one whose goroutine stays. A system thread has a
// routine.
func bind(routine uintptr, name string) *kernel.Thread {
	a := kernel.Args{P: unsafe.Pointer(unsafe.StringData(name)), A: uintptr(len(name)), B: routine}
	kernel.Enter(enterBind, &a)
	return kernel.Current()
}

func enterBind(a *kernel.Args) { kernel.Bind(a.B, unsafe.String((*byte)(a.P), a.A)) }

// Start makes a system thread that runs fn at PASSIVE_LEVEL with the default
// priority, and returns it with a reference for the caller. The thread ends when
// fn returns or calls Exit. It reports false when there are too many threads.
//
// IRQL: PASSIVE_LEVEL
func Start(name string, fn func()) (*kernel.Thread, bool) {
	return StartRoutine(name, **(**uintptr)(unsafe.Pointer(&fn)), nil, fn)
}

// StartRoutine is Start for a function that only calls the one whose code is at the
// given address, and is all that is known of the thread's purpose
// (PsCreateSystemThread). If prepare is not
// nil, it is called with the thread before the thread calls fn, and may keep it from
// doing so by returning false: the thread ends.
//
// IRQL: PASSIVE_LEVEL
func StartRoutine(name string, routine uintptr, prepare func(*kernel.Thread) bool, fn func()) (*kernel.Thread, bool) {
	if !reserve() {
		return nil, false
	}
	bound := make(chan *kernel.Thread, 1)
	var run chan bool // the thread waits for a word on that, if there is one
	tell := watched()
	if tell || prepare != nil {
		run = make(chan bool, 1)
	}
	go func() {
		runtime.LockOSThread()
		t := bind(routine, name)
		t.Reference()
		bound <- t
		called := run == nil || <-run
		defer ended()
		seh.Run(func() {
			if called {
				fn()
			}
			Exit(ntstatus.Success)
		}, unhandled)
	}()
	t := <-bound
	if run != nil {
		called := prepare == nil || prepare(t)
		if tell {
			notify(t.ID, true)
		}
		run <- called
	}
	return t, true
}

// Exit ends the running system thread (PsTerminateSystemThread): functions deferred
// by it run, its object is signalled, and the thread is gone. It returns only to a
// thread that is not a system thread, with InvalidParameter.
//
// A mutex that it still owns is bug check THREAD_TERMINATE_HELD_MUTEX, a
// critical region that it has not left KERNEL_APC_PENDING_DURING_EXIT.
//
// IRQL: PASSIVE_LEVEL
func Exit(status ntstatus.Status) ntstatus.Status {
	if !kernel.Current().System {
		return ntstatus.InvalidParameter
	}
	if watched() {
		notify(kernel.Current().ID, false)
	}
	a := kernel.Args{A: uintptr(uint32(status))}
	kernel.Enter(refuseAPCs, &a) // which calls what is due still
	kernel.Enter(prepareExit, &a)
	runtime.Goexit()
	panic("unreachable")
}

func refuseAPCs(*kernel.Args) { kernel.RefuseAPCs() }

func prepareExit(a *kernel.Args) { kernel.PrepareExit(ntstatus.Status(int32(a.A))) }

// ended is the last function deferred by a system thread. What remains of it is an
// M of the Go runtime, which runs other goroutines from then on, as a kernel
// thread of its own; or which ends, and the thread with it, if there is no memory
// for that.
func ended() {
	mu.Lock()
	threads--
	mu.Unlock()
	var a kernel.Args
	kernel.Enter(renew, &a)
	if a.R != 0 {
		runtime.UnlockOSThread()
	}
}

func renew(a *kernel.Args) {
	if kernel.Renew(ntstatus.Success) {
		a.R = 1
	}
}

// unhandled stops the machine for what a system thread did not handle, with what
// Go has to say about it.
func unhandled(x *seh.Exception) {
	what := x.Value
	if what == nil {
		what = x.Code()
	}
	fmt.Fprintf(os.Stderr, "panic in system thread %d: %v\n\n%s", kernel.Current().ID, what, debug.Stack())
	x.Stop()
}

// Every system thread needs a P while it runs, or the dispatcher could choose
// one that the Go scheduler holds back. The number of Ps grows in steps, since
// each stops the world.
const step = 8

// limit bounds the system threads, so that the Go runtime finds room for the
// threads of its own.
const limit = 1024

var (
	mu      sync.Mutex
	threads int // system threads alive
)

// reserve counts a new system thread and sees to its P.
func reserve() bool {
	irql.AssertAtMost(irql.Passive)
	mu.Lock()
	defer mu.Unlock()
	if threads == limit {
		return false
	}
	threads++
	for n := runtime.GOMAXPROCS(0); threads+int(arch.NumCPUs) > n; {
		n += step
		runtime.GOMAXPROCS(n)
	}
	return true
}
