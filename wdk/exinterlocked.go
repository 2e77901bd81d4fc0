package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/list"
)

// The lock of these routines is used for nothing else: it is taken at HIGH_LEVEL,
// because interrupt service routines may call them too.

// ExInterlockedInsertHeadList puts ListEntry in front and returns the entry that
// was first, or nil.
//
// IRQL: any
//
// Documentation: "ExInterlockedInsertHeadList function (wdm.h)"
func ExInterlockedInsertHeadList(ListHead, ListEntry PLIST_ENTRY, Lock PKSPIN_LOCK) PLIST_ENTRY {
	mustBe(&aListEntry, unsafe.Pointer(ListHead))
	mustBe(&aListEntry, unsafe.Pointer(ListEntry))
	mustBe(&aSpinLock, unsafe.Pointer(Lock))
	old := Lock.AcquireTo(irql.High)
	first := ListHead.Flink
	ListHead.InsertHead(ListEntry)
	Lock.ReleaseTo(old)
	return notHead(first, ListHead)
}

// ExInterlockedInsertTailList puts ListEntry at the end and returns the entry
// that was last, or nil.
//
// IRQL: any
//
// Documentation: "ExInterlockedInsertTailList function (wdm.h)"
func ExInterlockedInsertTailList(ListHead, ListEntry PLIST_ENTRY, Lock PKSPIN_LOCK) PLIST_ENTRY {
	mustBe(&aListEntry, unsafe.Pointer(ListHead))
	mustBe(&aListEntry, unsafe.Pointer(ListEntry))
	mustBe(&aSpinLock, unsafe.Pointer(Lock))
	old := Lock.AcquireTo(irql.High)
	last := ListHead.Blink
	ListHead.InsertTail(ListEntry)
	Lock.ReleaseTo(old)
	return notHead(last, ListHead)
}

// ExInterlockedRemoveHeadList takes out and returns the first entry, or nil. In
// checked mode the entry's links are poison afterwards.
//
// IRQL: any
//
// Documentation: "ExInterlockedRemoveHeadList function (wdm.h)"
func ExInterlockedRemoveHeadList(ListHead PLIST_ENTRY, Lock PKSPIN_LOCK) PLIST_ENTRY {
	mustBe(&aListEntry, unsafe.Pointer(ListHead))
	mustBe(&aSpinLock, unsafe.Pointer(Lock))
	old := Lock.AcquireTo(irql.High)
	e := ListHead.RemoveHead()
	Lock.ReleaseTo(old)
	if e != nil && Checked {
		words := (*[2]uintptr)(unsafe.Pointer(e))
		words[0], words[1] = removedLink, removedLink
	}
	return e
}

// removedLink is what checked builds leave in a removed entry.
const removedLink = 0x0BADD0FF_0BADD0FF

func notHead(e, head PLIST_ENTRY) PLIST_ENTRY {
	if e == head {
		return nil
	}
	return e
}

// ExInterlockedPushEntryList puts an entry in front of a singly linked list and
// returns the one that was first, or nil.
//
// IRQL: any
//
// Documentation: "ExInterlockedPushEntryList function (wdm.h)"
func ExInterlockedPushEntryList(ListHead, ListEntry PSINGLE_LIST_ENTRY, Lock PKSPIN_LOCK) PSINGLE_LIST_ENTRY {
	mustBe(&aSingleEntry, unsafe.Pointer(ListHead))
	mustBe(&aSingleEntry, unsafe.Pointer(ListEntry))
	mustBe(&aSpinLock, unsafe.Pointer(Lock))
	old := Lock.AcquireTo(irql.High)
	first := list.PushSingle(ListHead, ListEntry)
	Lock.ReleaseTo(old)
	return first
}

// ExInterlockedPopEntryList takes out and returns the first entry of a singly
// linked list, or nil.
//
// IRQL: any
//
// Documentation: "ExInterlockedPopEntryList function (wdm.h)"
func ExInterlockedPopEntryList(ListHead PSINGLE_LIST_ENTRY, Lock PKSPIN_LOCK) PSINGLE_LIST_ENTRY {
	mustBe(&aSingleEntry, unsafe.Pointer(ListHead))
	mustBe(&aSpinLock, unsafe.Pointer(Lock))
	old := Lock.AcquireTo(irql.High)
	first := list.PopSingle(ListHead)
	Lock.ReleaseTo(old)
	return first
}

// ExInterlockedAddUlong adds Increment and returns the old value.
//
// IRQL: any
//
// Documentation: "ExInterlockedAddUlong function (wdm.h)"
func ExInterlockedAddUlong(Addend *ULONG, Increment ULONG, Lock PKSPIN_LOCK) ULONG {
	mustBe(&aCounter, unsafe.Pointer(Addend))
	mustBe(&aSpinLock, unsafe.Pointer(Lock))
	old := Lock.AcquireTo(irql.High)
	value := *Addend
	*Addend += Increment
	Lock.ReleaseTo(old)
	return value
}

// ExInterlockedAddLargeInteger adds Increment and returns the old value.
//
// IRQL: any
//
// Documentation: "ExInterlockedAddLargeInteger function (wdm.h)"
func ExInterlockedAddLargeInteger(Addend PLARGE_INTEGER, Increment LARGE_INTEGER, Lock PKSPIN_LOCK) LARGE_INTEGER {
	mustBe(&aLarge, unsafe.Pointer(Addend))
	mustBe(&aSpinLock, unsafe.Pointer(Lock))
	old := Lock.AcquireTo(irql.High)
	value := *Addend
	*Addend += Increment
	Lock.ReleaseTo(old)
	return value
}

// ExInterlockedAddLargeStatistic adds Increment.
//
// IRQL: any
//
// Documentation: "ExInterlockedAddLargeStatistic function (wdm.h)"
func ExInterlockedAddLargeStatistic(Addend PLARGE_INTEGER, Increment ULONG) {
	mustBe(&aLarge, unsafe.Pointer(Addend))
	InterlockedExchangeAdd64(Addend, LONG64(Increment))
}

// ExInterlockedCompareExchange64 stores Exchange if the value equals Comparand,
// and returns the old value. Lock is not used.
//
// IRQL: any
//
// Documentation: "ExInterlockedCompareExchange64 function (wdm.h)"
func ExInterlockedCompareExchange64(Destination, Exchange, Comparand *LONG64, Lock PKSPIN_LOCK) LONG64 {
	mustBe(&aLarge, unsafe.Pointer(Destination))
	mustBe(&aLarge, unsafe.Pointer(Exchange))
	mustBe(&aLarge, unsafe.Pointer(Comparand))
	mustBe(&aSpinLock, unsafe.Pointer(Lock))
	return InterlockedCompareExchange64(Destination, *Exchange, *Comparand)
}
