package sync

import (
	"sync/atomic"
	"unsafe"

	"irqlab/chance"
	"irqlab/kernel"
	"irqlab/ntstatus"
)

// RunOnce is an RTL_RUN_ONCE (8 bytes): it sees to it that something is
// initialized once, whoever comes first. It is ready when it is zero.
//
// Documentation: RtlRunOnceBeginInitialize, "One-Time Initialization".
type RunOnce struct {
	word uintptr
}

// RunOnceFlags are the flags of Begin and Complete.
type RunOnceFlags uint32

const (
	RunOnceCheckOnly  RunOnceFlags = 1 // Begin: only say whether it is done
	RunOnceAsync      RunOnceFlags = 2 // several may try at a time
	RunOnceInitFailed RunOnceFlags = 4 // Complete: it failed, somebody else may try
)

// The low bits of the word. Above them is, while one initializes, the address of
// the first wait block of those who wait, and afterwards the context.
const (
	onceNew     = 0
	onceRunning = 1
	onceDone    = 2
	onceAsync   = 3 // several may be initializing
	onceBits    = 3
)

// onceWait is a thread that waits, on its own kernel stack.
type onceWait struct {
	event Event
	next  uintptr // address of the next
}

// Init makes o ready (RtlRunOnceInitialize).
//
// IRQL: <= APC_LEVEL
func (o *RunOnce) Init() { atomic.StoreUintptr(&o.word, 0) }

// Begin returns STATUS_SUCCESS and the context if the initialization is done,
// and STATUS_PENDING if the caller is to do it and to call Complete then
// (RtlRunOnceBeginInitialize). While another does it, it waits, unless flags
// have RunOnceAsync. With RunOnceCheckOnly it returns STATUS_UNSUCCESSFUL
// instead of STATUS_PENDING, and does not wait.
//
// Flags that don't go together are STATUS_INVALID_PARAMETER_2, and
// STATUS_INVALID_OWNER is returned if others call with the other kind of flags.
//
// IRQL: <= APC_LEVEL
func (o *RunOnce) Begin(flags RunOnceFlags) (context uintptr, s ntstatus.Status) {
	if flags&^(RunOnceCheckOnly|RunOnceAsync) != 0 || flags == RunOnceCheckOnly|RunOnceAsync {
		return 0, ntstatus.InvalidParameter2
	}
	for {
		word := atomic.LoadUintptr(&o.word)
		chance.Point()
		switch {
		case word&onceBits == onceDone:
			return word &^ onceBits, ntstatus.Success
		case flags&RunOnceCheckOnly != 0:
			return 0, ntstatus.Unsuccessful
		case word&onceBits == onceNew:
			next := uintptr(onceRunning)
			if flags&RunOnceAsync != 0 {
				next = onceAsync
			}
			if atomic.CompareAndSwapUintptr(&o.word, word, next) {
				return 0, ntstatus.Pending
			}
		case (word&onceBits == onceAsync) != (flags&RunOnceAsync != 0):
			return 0, ntstatus.InvalidOwner
		case word&onceBits == onceAsync:
			return 0, ntstatus.Pending
		default:
			a := kernel.Args{P: unsafe.Pointer(o)}
			kernel.EnterBlocking(waitForOnce, &a)
		}
	}
}

// waitForOnce waits until the one who initializes has come to an end.
func waitForOnce(a *kernel.Args) {
	o := (*RunOnce)(a.P)
	var room onceWait
	at := uintptr(unsafe.Pointer(&room)) // a word, or room would go to the heap
	w := (*onceWait)(unsafe.Pointer(at))
	w.event.InitSynchronization(false)
	for {
		word := atomic.LoadUintptr(&o.word)
		if word&onceBits != onceRunning {
			return
		}
		w.next = word &^ onceBits
		if atomic.CompareAndSwapUintptr(&o.word, word, at|onceRunning) {
			break
		}
	}
	w.event.Header.Wait(nil, false, kernel.KernelMode)
}

// Complete ends what Begin has begun (RtlRunOnceComplete): it is done, and all
// get the context, whose two low bits are clear; or it failed, if flags have
// RunOnceInitFailed, and one of those who wait tries in its place. Flags have
// RunOnceAsync if those of Begin had; then STATUS_UNSUCCESSFUL means that
// another was faster, whose context is the one to use.
//
// It returns STATUS_INVALID_PARAMETER_2 or _3, and STATUS_UNSUCCESSFUL if there
// is nothing to complete.
//
// IRQL: <= APC_LEVEL
func (o *RunOnce) Complete(flags RunOnceFlags, context uintptr) ntstatus.Status {
	if flags&^(RunOnceAsync|RunOnceInitFailed) != 0 || flags == RunOnceAsync|RunOnceInitFailed {
		return ntstatus.InvalidParameter2
	}
	if context&onceBits != 0 || flags&RunOnceInitFailed != 0 && context != 0 {
		return ntstatus.InvalidParameter3
	}
	next := context | onceDone
	if flags&RunOnceInitFailed != 0 {
		next = onceNew
	}
	want := uintptr(onceRunning)
	if flags&RunOnceAsync != 0 {
		want = onceAsync
	}
	for {
		word := atomic.LoadUintptr(&o.word)
		chance.Point()
		if word&onceBits != want {
			return ntstatus.Unsuccessful
		}
		if atomic.CompareAndSwapUintptr(&o.word, word, next) {
			wakeOnce(word &^ onceBits)
			return ntstatus.Success
		}
	}
}

// wakeOnce lets all who wait look again.
func wakeOnce(first uintptr) {
	for first != 0 {
		w := (*onceWait)(unsafe.Pointer(first))
		first = w.next // w is gone once its thread runs
		w.event.Set(0)
	}
}
