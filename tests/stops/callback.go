package main

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	. "irqlab/wdk"
)

func init() {
	stops["callbacks"] = callbacks
	stops["callback-fault"] = func() {
		r := alloc[KBUGCHECK_CALLBACK_RECORD]()
		KeInitializeCallbackRecord(r)
		KeRegisterBugCheckCallback(r, func(PVOID, ULONG) { *(*int)(nothingThere) = 1 }, nil, 0, nil)
		KeBugCheck(0xE2)
	}
	stops["nmi-unclaimed"] = func() {
		KeRegisterNmiCallback(func(PVOID, BOOLEAN) BOOLEAN { return false }, nil)
		sendNMI()
	}
}

// callbacks registers one callback of each kind, one that is removed again, and
// one whose record gets damaged, and stops the machine.
func callbacks() {
	data := alloc[[16]byte]()
	record := func(name string) *KBUGCHECK_CALLBACK_RECORD {
		r := alloc[KBUGCHECK_CALLBACK_RECORD]()
		KeInitializeCallbackRecord(r)
		routine := func(b PVOID, n ULONG) {
			sayCalled(name)
			if b != PVOID(data) || n != 16 {
				bugcheck.Print("with another buffer\n")
			}
		}
		if !KeRegisterBugCheckCallback(r, routine, PVOID(data), 16, nil) || KeRegisterBugCheckCallback(r, routine, PVOID(data), 16, nil) {
			bugcheck.Print("registered twice, or not at all\n")
		}
		return r
	}
	record("one")
	gone, damaged := record("gone"), record("damaged")
	record("two")
	if !KeDeregisterBugCheckCallback(gone) || KeDeregisterBugCheckCallback(gone) {
		bugcheck.Print("removed twice, or not at all\n")
	}
	damaged.Length++

	r := alloc[KBUGCHECK_REASON_CALLBACK_RECORD]()
	KeInitializeCallbackRecord(r)
	KeRegisterBugCheckReasonCallback(r, func(_ KBUGCHECK_CALLBACK_REASON, _ *KBUGCHECK_REASON_CALLBACK_RECORD, p PVOID, _ ULONG) {
		sayCalled("for the dump")
		d := (*KBUGCHECK_SECONDARY_DUMP_DATA)(p)
		copy(unsafe.Slice((*byte)(d.In), d.InLength), "a driver's last words")
		d.GUID[0], d.Out, d.OutLength = 42, d.In, 21
	}, KbCallbackSecondaryDumpData, nil)
	KeBugCheck(0xE2)
}

// sayCalled says which callback is called, and at what level.
func sayCalled(name string) {
	bugcheck.Print("callback ")
	bugcheck.Print(name)
	bugcheck.Print(" at IRQL ")
	bugcheck.PrintDecimal(arch.ReadIRQL())
	bugcheck.Print("\n")
}
