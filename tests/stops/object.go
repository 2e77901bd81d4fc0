package main

import (
	"unsafe"

	"irqlab/irql"
	. "irqlab/wdk"
)

func init() {
	for name, stop := range objectStops {
		stops[name] = stop
	}
}

// newEvent returns a new event and a handle to it.
func newEvent() (PVOID, HANDLE) {
	var h HANDLE
	e := IoCreateNotificationEvent(nil, &h)
	return PVOID(e), h
}

var objectStops = map[string]func(){
	"object-nil":       func() { ObReferenceObject(nothingThere) },
	"object-unaligned": func() { p, _ := newEvent(); ObReferenceObject(unsafe.Add(p, 4)) },
	"object-goheap":    func() { ObReferenceObject(PVOID(new([64]uint64))) },
	"object-none":      func() { ObReferenceObject(PVOID(alloc[[512]byte]())) },
	"object-freed": func() {
		p, h := newEvent()
		ZwClose(h)
		irql.Raise(irql.Dispatch) // so that nobody gets the memory meanwhile
		ObReferenceObject(p)
	},
	"object-handles": func() { p, _ := newEvent(); ObDereferenceObject(p) },
	"object-fixed":   func() { ObDereferenceObject(PVOID(PsInitialSystemProcess)) },
	"handle-twice":   func() { _, h := newEvent(); ZwClose(h); ZwClose(h) },
	"handle-protected": func() {
		_, h := newEvent()
		ObSetHandleAttributes(h, &OBJECT_HANDLE_FLAG_INFORMATION{ProtectFromClose: true}, KernelMode)
		ZwClose(h)
	},
	"attach-in-dpc": func() { inDPC(func() { KeStackAttachProcess(PsInitialSystemProcess, (*KAPC_STATE)(subject)) }) },
	"detach":        func() { KeUnstackDetachProcess(alloc[KAPC_STATE]()) },
	"nt-set-apc":    func() { _, h := newEvent(); irql.Raise(irql.APC); NtSetEvent(h, nil) },
}
