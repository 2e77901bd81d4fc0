package wdk

import "irqlab/list"

// InitializeListHead makes ListHead an empty list.
//
// IRQL: any
//
// Documentation: "InitializeListHead function (wdm.h)"
func InitializeListHead(ListHead PLIST_ENTRY) { ListHead.Init() }

// IsListEmpty reports whether the list has no entries.
//
// IRQL: any
//
// Documentation: "IsListEmpty function (wdm.h)"
func IsListEmpty(ListHead PLIST_ENTRY) BOOLEAN { return ListHead.Empty() }

// InsertHeadList puts Entry in front of the list.
//
// IRQL: any
//
// Documentation: "InsertHeadList function (wdm.h)"
func InsertHeadList(ListHead, Entry PLIST_ENTRY) { ListHead.InsertHead(Entry) }

// InsertTailList puts Entry at the end of the list.
//
// IRQL: any
//
// Documentation: "InsertTailList function (wdm.h)"
func InsertTailList(ListHead, Entry PLIST_ENTRY) { ListHead.InsertTail(Entry) }

// RemoveEntryList takes Entry out of its list and reports whether the list is
// empty now.
//
// IRQL: any
//
// Documentation: "RemoveEntryList function (wdm.h)"
func RemoveEntryList(Entry PLIST_ENTRY) BOOLEAN { return Entry.Remove() }

// RemoveHeadList takes out and returns the first entry; of an empty list it
// returns the head itself.
//
// IRQL: any
//
// Documentation: "RemoveHeadList function (wdm.h)"
func RemoveHeadList(ListHead PLIST_ENTRY) PLIST_ENTRY {
	e := ListHead.Flink
	e.Remove()
	return e
}

// RemoveTailList takes out and returns the last entry; of an empty list it
// returns the head itself.
//
// IRQL: any
//
// Documentation: "RemoveTailList function (wdm.h)"
func RemoveTailList(ListHead PLIST_ENTRY) PLIST_ENTRY {
	e := ListHead.Blink
	e.Remove()
	return e
}

// AppendTailList puts a list of entries that has no head of its own, of which
// ListToAppend is one, at the end of the list.
//
// IRQL: any
//
// Documentation: "AppendTailList function (wdm.h)"
func AppendTailList(ListHead, ListToAppend PLIST_ENTRY) { ListHead.AppendTail(ListToAppend) }

// PushEntryList puts Entry in front of a singly linked list.
//
// IRQL: any
//
// Documentation: "PushEntryList function (wdm.h)"
func PushEntryList(ListHead, Entry PSINGLE_LIST_ENTRY) { list.PushSingle(ListHead, Entry) }

// PopEntryList takes out and returns the first entry of a singly linked list, or
// nil.
//
// IRQL: any
//
// Documentation: "PopEntryList function (wdm.h)"
func PopEntryList(ListHead PSINGLE_LIST_ENTRY) PSINGLE_LIST_ENTRY { return list.PopSingle(ListHead) }
