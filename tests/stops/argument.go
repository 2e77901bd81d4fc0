package main

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/sync"
	. "irqlab/wdk"
)

func init() {
	for name, stop := range argumentStops {
		stops[name] = stop
	}
}

// argumentStops give routines what they cannot take.
var argumentStops = map[string]func(){
	"argument-raised":  func() { irql.Raise(irql.Dispatch); KeSetEvent(PKEVENT(nothingThere), 0, false) },
	"argument-nowhere": func() { KeQueryTickCount(PLARGE_INTEGER(unsafe.Pointer(absent))) },
	"argument-in-dpc":  func() { inDPC(func() { KeResetEvent(PKEVENT(nothingThere)) }) },
	"argument-indirect": func() {
		routines := [...]func(PKEVENT) LONG{KeResetEvent, KeReadStateEvent}
		routines[uintptr(nothingThere)](PKEVENT(nothingThere))
	},
	"argument-pageable": func() { KeClearEvent((*KEVENT)(pagedOut())) },
	"argument-type": func() {
		s := alloc[sync.Semaphore]()
		s.Init(0, 1)
		KeResetEvent(PKEVENT(unsafe.Pointer(s)))
	},
}
