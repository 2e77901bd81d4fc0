package kernel

import (
	"unsafe"
	_ "unsafe" // for go:linkname

	"irqlab/arch"
	"irqlab/irql"
)

// Args carries words into the kernel and one back. It may lie on the
// goroutine's stack: that stack stays where it is during the call.
type Args struct {
	P, Q    unsafe.Pointer
	A, B, C uintptr
	R       uintptr
}

// Enter runs fn(a) in kernel context: at once if the caller is there, else
// through the gate, on the thread's kernel stack. fn must be a top-level
// function and must not block; see EnterBlocking. Before it returns to Go code,
// that makes the calls that have become due; see Calls.
//
// IRQL: any
func Enter(fn func(*Args), a *Args) {
	if arch.InKernel() {
		fn(keep(a))
		return
	}
	enter(fn, a)
}

// EnterFromGo is Enter for a caller that is known to be Go code of a thread.
//
// IRQL: any
func EnterFromGo(fn func(*Args), a *Args) { enter(fn, a) }

func enter(fn func(*Args), a *Args) {
	if gate(fn, a) != 0 {
		attend()
	}
}

// Attend makes the calls that are due for the running thread, if it is Go code
// at PASSIVE_LEVEL; see Calls. Go code of a thread.
//
// IRQL: any
func Attend() {
	if arch.ThisContext().Attention != 0 {
		attend()
	}
}

// gate enters kernel context from Go code of a thread.
//
//go:nosplit
func gate(fn func(*Args), a *Args) (attention uint32) {
	return arch.Gate(*(*func(unsafe.Pointer))(unsafe.Pointer(&fn)), unsafe.Pointer(a))
}

// EnterBlocking is Enter for a call that may wait: the goroutine gives up its P
// first, as for a system call, so the world can be stopped while it waits.
//
// IRQL: <= APC_LEVEL
//
//go:nosplit
func EnterBlocking(fn func(*Args), a *Args) {
	if arch.InKernel() {
		fn(keep(a))
		return
	}
	enterBlocking(fn, a)
}

//go:nosplit
func enterBlocking(fn func(*Args), a *Args) {
	entersyscall()
	attention := gate(fn, a)
	exitsyscall()
	if attention != 0 {
		attend()
	}
}

// EnterBlockingRaised is EnterBlocking for a goroutine that a raise to
// DISPATCH_LEVEL has pinned, when the call lowers the level (Wait = TRUE). The
// pin ends in the moment that the P is given up: a function that looks at its
// stack in between could pass the raised processor to another goroutine.
//
// IRQL: DISPATCH_LEVEL
//
//go:nosplit
func EnterBlockingRaised(fn func(*Args), a *Args) {
	irql.Unpin()
	enterBlocking(fn, a)
}

// keep hides from the compiler that a is passed on, or the callers' would all
// be put on the heap: fn does not retain it.
//
//go:nosplit
func keep(a *Args) *Args {
	p := uintptr(unsafe.Pointer(a))
	//lint:ignore SA4016 the operation is what hides the pointer
	return (*Args)(unsafe.Pointer(p ^ 0))
}

//go:linkname entersyscall runtime.entersyscall
func entersyscall()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()
