package wdk

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/sync"
)

// KDEVICE_QUEUE is 40 bytes of nonpaged pool, KDEVICE_QUEUE_ENTRY 24.
type (
	KDEVICE_QUEUE        = sync.DeviceQueue
	PKDEVICE_QUEUE       = *KDEVICE_QUEUE
	KDEVICE_QUEUE_ENTRY  = sync.DeviceQueueEntry
	PKDEVICE_QUEUE_ENTRY = *KDEVICE_QUEUE_ENTRY
)

// KeInitializeDeviceQueue makes DeviceQueue the empty queue of an idle device.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeInitializeDeviceQueue function (wdm.h)"
func KeInitializeDeviceQueue(DeviceQueue PKDEVICE_QUEUE) {
	atMost(irql.Dispatch)
	mayBecome(&aDevQueue, unsafe.Pointer(DeviceQueue))
	DeviceQueue.Init()
}

// KeInsertDeviceQueue queues the entry and returns true if the device is busy;
// otherwise the device is busy now, and the entry is not queued.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KeInsertDeviceQueue function (wdm.h)"
func KeInsertDeviceQueue(DeviceQueue PKDEVICE_QUEUE, DeviceQueueEntry PKDEVICE_QUEUE_ENTRY) BOOLEAN {
	exactly(irql.Dispatch)
	mustBe(&aDevQueue, unsafe.Pointer(DeviceQueue))
	mustBe(&aQueued, unsafe.Pointer(DeviceQueueEntry))
	return DeviceQueue.Insert(DeviceQueueEntry)
}

// KeInsertByKeyDeviceQueue is KeInsertDeviceQueue that keeps the entries in
// ascending order of keys.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KeInsertByKeyDeviceQueue function (wdm.h)"
func KeInsertByKeyDeviceQueue(DeviceQueue PKDEVICE_QUEUE, DeviceQueueEntry PKDEVICE_QUEUE_ENTRY, SortKey ULONG) BOOLEAN {
	exactly(irql.Dispatch)
	mustBe(&aDevQueue, unsafe.Pointer(DeviceQueue))
	mustBe(&aQueued, unsafe.Pointer(DeviceQueueEntry))
	return DeviceQueue.InsertByKey(DeviceQueueEntry, SortKey)
}

// KeRemoveDeviceQueue takes out the first entry. If there is none it returns
// nil, and the device is idle.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KeRemoveDeviceQueue function (wdm.h)"
func KeRemoveDeviceQueue(DeviceQueue PKDEVICE_QUEUE) PKDEVICE_QUEUE_ENTRY {
	exactly(irql.Dispatch)
	mustBe(&aDevQueue, unsafe.Pointer(DeviceQueue))
	return DeviceQueue.Remove()
}

// KeRemoveByKeyDeviceQueue is KeRemoveDeviceQueue of the first entry whose key
// is not below SortKey, or of the first if there is none.
//
// IRQL: DISPATCH_LEVEL
//
// Documentation: "KeRemoveByKeyDeviceQueue function (wdm.h)"
func KeRemoveByKeyDeviceQueue(DeviceQueue PKDEVICE_QUEUE, SortKey ULONG) PKDEVICE_QUEUE_ENTRY {
	exactly(irql.Dispatch)
	mustBe(&aDevQueue, unsafe.Pointer(DeviceQueue))
	return DeviceQueue.RemoveByKey(SortKey)
}

// KeRemoveEntryDeviceQueue takes out an entry and reports whether it was queued.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeRemoveEntryDeviceQueue function (wdm.h)"
func KeRemoveEntryDeviceQueue(DeviceQueue PKDEVICE_QUEUE, DeviceQueueEntry PKDEVICE_QUEUE_ENTRY) BOOLEAN {
	atMostWith(irql.Dispatch, &aDevQueue, unsafe.Pointer(DeviceQueue))
	mustBe(&aQueued, unsafe.Pointer(DeviceQueueEntry))
	return DeviceQueue.RemoveEntry(DeviceQueueEntry)
}
