// Package apc calls the normal routines of APCs: ordinary Go that runs on its
// thread, between two steps of what that does. The queues, and when an APC is
// due, are package kernel's; see kernel.Calls for the places where a routine is
// called.
//
// A normal routine may do what its thread may: allocate, wait, print. It runs at
// PASSIVE_LEVEL in the middle of its thread's code, so it must not take a lock
// that this code may hold, be it a Go mutex or the one behind os.Stdout: the
// thread would wait for itself. Code that shares a lock with a normal routine
// holds it in a critical region. KMUTEX, guarded mutexes and fast mutexes see to
// that by themselves.
//
// A thread takes normal and user APCs only if its goroutine is locked to it.
// While it waits in Go, for a channel or a sync.Mutex, they wait too.
//
// Documentation: "Types of APCs", "Disabling APCs", "Waits and APCs".
package apc

import (
	"fmt"
	"os"
	"runtime/debug"
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/pool"
	"irqlab/registry"
	"irqlab/seh"
	"irqlab/sync"
)

func init() {
	kernel.SuspendRoutine = suspend
	irql.Lowered = kernel.Attend
	kernel.Calls = calls
}

// calls makes the calls that are due for the running thread.
func calls() {
	var c kernel.Call
	for kernel.NextCall(&c) {
		call(&c)
	}
}

// call calls a routine. An exception that it does not handle stops the machine:
// the code that was interrupted must not get it.
func call(c *kernel.Call) {
	seh.Run(func() { c.Routine(c.Context, c.Arg1, c.Arg2) }, unhandled)
}

func unhandled(x *seh.Exception) {
	what := x.Value
	if what == nil {
		what = x.Code()
	}
	fmt.Fprintf(os.Stderr, "panic in a normal APC routine of thread %d: %v\n\n%s", kernel.Current().ID, what, debug.Stack())
	kernel.Unhandled(bugcheck.KmodeExceptionNotHandled, x.Record, x.Context)
}

// suspend is the normal routine of a suspension.
func suspend(thread, _, _ unsafe.Pointer) {
	sync.Wait((*kernel.Thread)(thread).SuspendObject(), nil, false, kernel.KernelMode)
}

// Init makes a an APC for the thread, and keeps alive what its routines and its
// context refer to on the Go heap for as long as a exists (KeInitializeApc).
// Without a normal routine it is a special kernel APC. The kernel routine and
// the rundown routine are resident code.
//
// IRQL: any; in kernel context only with top-level functions
func Init(a *kernel.APC, t *kernel.Thread, kernelRoutine kernel.KernelRoutine, rundown kernel.RundownRoutine,
	normal kernel.NormalRoutine, mode kernel.Mode, context unsafe.Pointer) {
	a.Init(t, kernelRoutine, rundown, normal, mode, context)
	registry.Hold(unsafe.Pointer(a), word(normal), a.NormalContext)
	registry.Hold(unsafe.Pointer(&a.KernelRoutine), word(kernelRoutine), nil)
	registry.Hold(unsafe.Pointer(&a.RundownRoutine), word(rundown), nil)
}

// word returns the word of a func value.
func word[F any](f F) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&f)) }

// Insert queues the APC with two arguments, which are not kept alive, and
// reports whether it did (KeInsertQueueApc). See kernel.APC.Insert.
//
// IRQL: <= DISPATCH_LEVEL
func Insert(a *kernel.APC, arg1, arg2 unsafe.Pointer, inc int8) bool {
	args := kernel.Args{P: unsafe.Pointer(a), Q: arg1, A: uintptr(arg2), B: uintptr(uint8(inc))}
	kernel.Enter(insert, &args)
	return args.R != 0
}

func insert(a *kernel.Args) {
	a.R = truth((*kernel.APC)(a.P).Insert(a.Q, unsafe.Pointer(a.A), int8(a.B)))
}

// Remove takes the APC out of its queue and reports whether it was in one
// (KeRemoveQueueApc).
//
// IRQL: <= DISPATCH_LEVEL
func Remove(a *kernel.APC) bool {
	args := kernel.Args{P: unsafe.Pointer(a)}
	kernel.Enter(remove, &args)
	return args.R != 0
}

func remove(a *kernel.Args) { a.R = truth((*kernel.APC)(a.P).Remove()) }

// Flush empties the thread's queue of a mode (KeFlushQueueApc); see
// kernel.FlushAPCs.
//
// IRQL: <= DISPATCH_LEVEL
func Flush(t *kernel.Thread, mode kernel.Mode) unsafe.Pointer {
	args := kernel.Args{P: unsafe.Pointer(t), A: uintptr(mode)}
	kernel.Enter(flush, &args)
	return args.Q
}

func flush(a *kernel.Args) {
	a.Q = unsafe.Pointer(kernel.FlushAPCs((*kernel.Thread)(a.P), kernel.Mode(a.A)))
}

func truth(b bool) uintptr {
	if b {
		return 1
	}
	return 0
}

const tag pool.Tag = 'A' | 'p'<<8 | 'c'<<16 | ' '<<24

// Call has the thread call fn at the next opportunity, as a normal kernel APC,
// or as a user APC if mode is UserMode. It reports false if the thread takes
// none, or memory has run out; fn is not called then.
//
// IRQL: <= APC_LEVEL
func Call(t *kernel.Thread, mode kernel.Mode, fn func()) bool {
	a := (*kernel.APC)(pool.Alloc(unsafe.Sizeof(kernel.APC{}), tag))
	if a == nil {
		return false
	}
	Init(a, t, free, freeRundown, func(_, _, _ unsafe.Pointer) { fn() }, mode, nil)
	if !Insert(a, nil, nil, 0) {
		pool.Free(unsafe.Pointer(a), tag)
		return false
	}
	return true
}

// free is a kernel routine that frees its APC.
func free(a *kernel.APC, _ *kernel.NormalRoutine, _, _, _ *unsafe.Pointer) { freeRundown(a) }

func freeRundown(a *kernel.APC) { pool.Free(unsafe.Pointer(a), tag) }

// Suspend suspends the thread once more and returns how often it was before
// (KeSuspendThread). It fails as kernel.Suspend does.
//
// IRQL: <= DISPATCH_LEVEL
func Suspend(t *kernel.Thread) (previous int, s ntstatus.Status) {
	args := kernel.Args{P: unsafe.Pointer(t)}
	kernel.Enter(suspendThread, &args)
	return int(args.R), ntstatus.Status(int32(args.A))
}

func suspendThread(a *kernel.Args) {
	previous, s := kernel.Suspend((*kernel.Thread)(a.P))
	a.R, a.A = uintptr(previous), uintptr(uint32(s))
}

// Resume takes back one suspension of the thread and returns how many there were
// (KeResumeThread).
//
// IRQL: <= DISPATCH_LEVEL
func Resume(t *kernel.Thread) (previous int) {
	args := kernel.Args{P: unsafe.Pointer(t)}
	kernel.Enter(resumeThread, &args)
	return int(args.R)
}

func resumeThread(a *kernel.Args) { a.R = uintptr(kernel.Resume((*kernel.Thread)(a.P))) }

// ForceResume takes back all suspensions of the thread and returns how many
// there were (KeForceResumeThread).
//
// IRQL: <= DISPATCH_LEVEL
func ForceResume(t *kernel.Thread) (previous int) {
	args := kernel.Args{P: unsafe.Pointer(t)}
	kernel.Enter(forceResume, &args)
	return int(args.R)
}

func forceResume(a *kernel.Args) { a.R = uintptr(kernel.ForceResume((*kernel.Thread)(a.P))) }
