// Package list has the doubly linked lists that kernel objects are strung on:
// the documented LIST_ENTRY and its routines.
//
// Entries live in nonpaged pool or in kernel data, never on the Go heap, so
// their pointers are invisible to the garbage collector and need no write
// barrier. The package takes no lock: the owner of a list states its own.
package list

import "unsafe"

// Entry is a LIST_ENTRY: 16 bytes, forward and backward links. A list head is
// an Entry that points to itself while the list is empty.
type Entry struct {
	Flink, Blink *Entry
}

// Init makes e an empty list head (InitializeListHead).
func (e *Entry) Init() { e.Flink, e.Blink = e, e }

// Empty reports whether the list headed by e has no entries (IsListEmpty).
func (e *Entry) Empty() bool { return e.Flink == e }

// InsertTail links n as the last entry of the list headed by e (InsertTailList).
func (e *Entry) InsertTail(n *Entry) {
	last := e.Blink
	n.Flink, n.Blink = e, last
	last.Flink, e.Blink = n, n
}

// InsertHead links n as the first entry of the list headed by e (InsertHeadList).
func (e *Entry) InsertHead(n *Entry) {
	first := e.Flink
	n.Flink, n.Blink = first, e
	first.Blink, e.Flink = n, n
}

// AppendTail links a list of entries without a head, of which first is the first,
// behind the last entry of the list headed by e (AppendTailList).
func (e *Entry) AppendTail(first *Entry) {
	end, last := e.Blink, first.Blink
	end.Flink, e.Blink = first, last
	first.Blink, last.Flink = end, e
}

// Remove unlinks e and reports whether its list is empty now (RemoveEntryList).
func (e *Entry) Remove() bool {
	f, b := e.Flink, e.Blink
	b.Flink, f.Blink = f, b
	return f == b
}

// RemoveHead unlinks and returns the first entry, or nil if there is none. The
// documented RemoveHeadList returns the head itself in that case; package wdk
// restores that.
func (e *Entry) RemoveHead() *Entry {
	n := e.Flink
	if n == e {
		return nil
	}
	n.Remove()
	return n
}

// Container returns the address of the structure that holds e at the given
// offset (CONTAINING_RECORD).
func (e *Entry) Container(offset uintptr) unsafe.Pointer {
	return unsafe.Pointer(uintptr(unsafe.Pointer(e)) - offset)
}
