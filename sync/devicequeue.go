package sync

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/list"
	"irqlab/sync/spin"
)

// DeviceQueue is a KDEVICE_QUEUE (40 bytes): the requests that wait while a
// device is busy with another one. A request that finds the device idle is not
// queued: its driver starts it, and the device is busy.
//
// Documentation: "Driver-Managed Queues with StartIo", KeInsertDeviceQueue.
type DeviceQueue struct {
	Type uint16
	Size uint16
	_    uint32
	List list.Entry
	Lock spin.Lock
	Busy uint64 // 0 or 1; the bits above are a hint in Windows
}

// DeviceQueueEntry is a KDEVICE_QUEUE_ENTRY (24 bytes).
type DeviceQueueEntry struct {
	Entry    list.Entry
	SortKey  uint32
	Inserted uint8
	_        [3]uint8
}

// typeDeviceQueue is DeviceQueueObject of KOBJECTS.
const typeDeviceQueue = 20

// Init makes q an empty queue of an idle device (KeInitializeDeviceQueue).
//
// IRQL: <= DISPATCH_LEVEL
func (q *DeviceQueue) Init() {
	checkResident(unsafe.Pointer(q), unsafe.Sizeof(*q))
	q.Type, q.Size, q.Busy = typeDeviceQueue, uint16(unsafe.Sizeof(*q)), 0
	q.List.Init()
	q.Lock.Init()
}

// Initialized reports whether q looks like a device queue.
//
// IRQL: any
func (q *DeviceQueue) Initialized() bool {
	return q.Type == typeDeviceQueue && uintptr(q.Size) == unsafe.Sizeof(*q)
}

// Insert queues the entry behind the others and returns true if the device is
// busy; otherwise it makes the device busy and returns false
// (KeInsertDeviceQueue).
//
// IRQL: <= DISPATCH_LEVEL
func (q *DeviceQueue) Insert(e *DeviceQueueEntry) bool { return q.insert(e, false, 0) }

// InsertByKey is Insert that keeps the entries in ascending order of keys, equal
// ones in order of arrival (KeInsertByKeyDeviceQueue).
//
// IRQL: <= DISPATCH_LEVEL
func (q *DeviceQueue) InsertByKey(e *DeviceQueueEntry, key uint32) bool {
	return q.insert(e, true, key)
}

func (q *DeviceQueue) insert(e *DeviceQueueEntry, sorted bool, key uint32) bool {
	old := q.Lock.Acquire()
	busy := q.Busy&1 != 0
	if busy {
		at := &q.List // the entry goes in front of it
		if sorted {
			e.SortKey = key
			for at = q.List.Flink; at != &q.List && deviceEntry(at).SortKey <= key; {
				at = at.Flink
			}
		}
		at.InsertTail(&e.Entry)
	}
	e.Inserted = uint8(truth(busy))
	q.Busy |= 1
	q.Lock.Release(old)
	return busy
}

func deviceEntry(e *list.Entry) *DeviceQueueEntry {
	return (*DeviceQueueEntry)(unsafe.Pointer(e)) // Entry is its first field
}

// Remove takes out the first entry, for the device that is done with another. If
// there is none it returns nil, and the device is idle (KeRemoveDeviceQueue).
//
// IRQL: <= DISPATCH_LEVEL
func (q *DeviceQueue) Remove() *DeviceQueueEntry { return q.RemoveByKey(0) }

// RemoveByKey is Remove of the first entry whose key is not below the given one,
// or of the first if there is none (KeRemoveByKeyDeviceQueue).
//
// IRQL: <= DISPATCH_LEVEL
func (q *DeviceQueue) RemoveByKey(key uint32) *DeviceQueueEntry {
	old := q.Lock.Acquire()
	if q.List.Empty() {
		q.Busy &^= 1
		q.Lock.Release(old)
		return nil
	}
	e := q.List.Flink
	for e != &q.List && deviceEntry(e).SortKey < key {
		e = e.Flink
	}
	if e == &q.List {
		e = q.List.Flink
	}
	e.Remove()
	d := deviceEntry(e)
	d.Inserted = 0
	q.Lock.Release(old)
	return d
}

// RemoveEntry takes out an entry and reports whether it was queued
// (KeRemoveEntryDeviceQueue). The device stays as busy as it is.
//
// IRQL: <= DISPATCH_LEVEL
func (q *DeviceQueue) RemoveEntry(e *DeviceQueueEntry) bool {
	irql.AssertAtMost(irql.Dispatch)
	old := q.Lock.Acquire()
	was := e.Inserted != 0
	if was {
		e.Inserted = 0
		e.Entry.Remove()
	}
	q.Lock.Release(old)
	return was
}
