package list

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
)

// Single is a SINGLE_LIST_ENTRY or SLIST_ENTRY: 8 bytes, a forward link. The
// entries of an SList are aligned to 16 bytes, as pool is.
type Single struct {
	Next *Single
}

// PushSingle puts e in front of the list headed by head and returns the entry
// that was first, or nil (PushEntryList).
func PushSingle(head, e *Single) *Single {
	first := head.Next
	e.Next, head.Next = first, e
	return first
}

// PopSingle takes out and returns the first entry of the list headed by head, or
// nil (PopEntryList).
func PopSingle(head *Single) *Single {
	first := head.Next
	if first != nil {
		head.Next = first.Next
	}
	return first
}

// SList is an SLIST_HEADER (16 bytes): a last-in first-out list that any number
// of processors use at any level. It is ready when it is zero.
//
// Windows changes both words in one instruction, without a lock; a pop that
// reads the link of an entry that is gone meanwhile, perhaps with its page, is
// put right by the page fault handler. Here a bit of the header locks it for the
// few instructions that a change takes, with interrupts disabled, so no entry
// goes away while it is looked at. What a debugger sees is the same.
type SList struct {
	count uint64  // depth in the low 16 bits, sequence above: each push adds one to both
	next  uintptr // address of the first entry; slistBusy
}

// slistBusy locks the header; the four low bits are reserved in Windows.
const slistBusy = 1

const (
	depthMask   = 1<<16 - 1
	sequenceOne = 1 << 16
)

// Init makes l an empty list (InitializeSListHead).
//
// IRQL: any
func (l *SList) Init() { *l = SList{} }

// lock disables interrupts, locks the header and returns the first entry.
//
//go:nosplit
func (l *SList) lock() (first *Single, enabled bool) {
	enabled = arch.DisableInterrupts()
	for {
		next := atomic.LoadUintptr(&l.next)
		if next&slistBusy == 0 && atomic.CompareAndSwapUintptr(&l.next, next, next|slistBusy) {
			return (*Single)(unsafe.Pointer(next)), enabled
		}
		arch.Pause()
	}
}

// unlock makes first the first entry.
//
//go:nosplit
func (l *SList) unlock(first *Single, enabled bool) {
	atomic.StoreUintptr(&l.next, uintptr(unsafe.Pointer(first)))
	if enabled {
		arch.EnableInterrupts()
	}
}

// Push puts e in front and returns the entry that was first, or nil
// (InterlockedPushEntrySList).
//
// IRQL: any
//
//go:nosplit
func (l *SList) Push(e *Single) *Single {
	first, enabled := l.lock()
	e.Next = first
	l.count = (l.count+1)&depthMask | (l.count&^depthMask + sequenceOne)
	l.unlock(e, enabled)
	return first
}

// Pop takes out and returns the first entry, or nil (InterlockedPopEntrySList).
//
// IRQL: any
//
//go:nosplit
func (l *SList) Pop() *Single {
	first, enabled := l.lock()
	next := first
	if first != nil {
		next = first.Next
		l.count = (l.count-1)&depthMask | l.count&^depthMask
	}
	l.unlock(next, enabled)
	return first
}

// Flush takes out all entries and returns the first, or nil
// (InterlockedFlushSList).
//
// IRQL: any
//
//go:nosplit
func (l *SList) Flush() *Single {
	first, enabled := l.lock()
	l.count &^= depthMask
	l.unlock(nil, enabled)
	return first
}

// Depth returns the number of entries, as 16 bits hold it (ExQueryDepthSList).
//
// IRQL: any
func (l *SList) Depth() uint16 { return uint16(atomic.LoadUint64(&l.count)) }

// Sequence returns the number of pushes, as 48 bits hold it.
//
// IRQL: any
func (l *SList) Sequence() uint64 { return atomic.LoadUint64(&l.count) >> 16 }

// First returns the first entry, which may be gone the next moment
// (FirstEntrySList).
//
// IRQL: any
func (l *SList) First() *Single {
	return (*Single)(unsafe.Pointer(atomic.LoadUintptr(&l.next) &^ slistBusy))
}
