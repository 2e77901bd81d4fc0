package provoke

import (
	"unsafe"

	. "irqlab/wdk"
)

// A block of 40 bytes ends 8 bytes in front of its page's end.
type small [40]byte

const behind = 8 + unsafe.Sizeof(small{})

func overrunSpecial() {
	p := unsafe.Pointer(object[small]())
	*(*byte)(unsafe.Add(p, unsafe.Sizeof(small{}))) = 1
	ExFreePoolWithTag(p, tag)
}

func touchFreedSpecial() {
	p := object[small]()
	ExFreePoolWithTag(PVOID(p), tag)
	p[0] = 1
}

func touchBehindSpecial() { *(*byte)(unsafe.Add(unsafe.Pointer(object[small]()), behind)) = 1 }

// The kernel's own routines touch what KeSetEvent would have refused.

func setFreedSpecial() {
	e := object[KEVENT]()
	KeInitializeEvent(e, NotificationEvent, false)
	ExFreePoolWithTag(PVOID(e), tag)
	e.Set(0)
}

func setBehindSpecial() {
	PKEVENT(unsafe.Add(unsafe.Pointer(object[small]()), behind)).Set(0)
}
