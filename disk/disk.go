// Package disk reads and writes a virtio block device, without interrupts: a
// request is handed to the device and its completion is polled. So it works at
// any IRQL with interrupts disabled, which a crash dump needs. The first block
// device of the machine is the disk; there may be none.
//
// The queue holds one request. Its lock is taken at DISPATCH_LEVEL by everybody
// but the stop of the machine, which takes the device away from them instead
// (Seize).
//
// References are to "Virtual I/O Device (VIRTIO) Version 1.2".
package disk

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/disk/layout"
	"irqlab/fault"
	"irqlab/mm"
	"irqlab/sync/spin"
)

// Error says how a request failed.
type Error uint8

const (
	OK          Error = iota
	Missing           // there is no disk
	Failed            // the device reports an I/O error
	Unsupported       // the device does not know the request
	Timeout           // the device does not answer
	Beyond            // the request reaches beyond the end of the disk
)

// String says what went wrong.
func (e Error) String() string {
	if int(e) < len(errorTexts) {
		return errorTexts[e]
	}
	return "?"
}

var errorTexts = [...]string{"no error", "there is no disk", "the disk reports an I/O error",
	"the disk does not support the request", "the disk does not answer", "beyond the end of the disk"}

// MaxTransfer is the largest request in bytes.
const MaxTransfer = 1 << 20

// timeout is how long a request may take, in seconds of the counter.
const timeout = 30

var (
	device   transport
	sectors  uint64 // capacity; 0 without a disk
	memory   *shared
	lock     spin.Lock
	flushing bool // the device has a write cache that must be told to empty itself
)

// Device types, features and status bits (5; 5.2.3, 6; 2.1).
const (
	typeBlock = 2

	featureFlush   = 1 << 9
	featureVersion = 1 << 32

	statusAcknowledge = 1
	statusDriver      = 2
	statusDriverOK    = 4
	statusFeaturesOK  = 8
)

// Init finds the disk. Once, at boot.
//
// IRQL: <= DISPATCH_LEVEL
func Init() {
	if !device.find() {
		return
	}
	pa, ok := mm.AllocPage()
	if !ok {
		return
	}
	memory = (*shared)(unsafe.Pointer(pa))
	if start() {
		sectors = device.capacity()
	}
}

// start resets the device and sets it up (3.1.1).
func start() bool {
	device.setStatus(0)
	for since := arch.Counter(); device.status() != 0; {
		if arch.Counter()-since > timeout*board.CounterHz() {
			return false
		}
		arch.Pause()
	}
	device.setStatus(statusAcknowledge | statusDriver)
	features := device.features() & (featureFlush | featureVersion)
	if features&featureVersion == 0 {
		return false
	}
	flushing = features&featureFlush != 0
	device.setFeatures(features)
	device.setStatus(statusAcknowledge | statusDriver | statusFeaturesOK)
	if device.status()&statusFeaturesOK == 0 {
		return false
	}
	*memory = shared{}
	memory.available.flags = noInterrupt
	at := uintptr(unsafe.Pointer(memory))
	if !device.setQueue(queueSize, at+unsafe.Offsetof(memory.descriptors), at+unsafe.Offsetof(memory.available), at+unsafe.Offsetof(memory.used)) {
		return false
	}
	device.setStatus(statusAcknowledge | statusDriver | statusFeaturesOK | statusDriverOK)
	return true
}

// Size returns the disk's size in bytes, 0 without one.
//
// IRQL: any
func Size() uint64 { return sectors * layout.SectorSize }

// Read reads n bytes at an offset of the disk to the physical address pa. Both
// offset and n are multiples of layout.SectorSize; n is at most MaxTransfer.
//
// IRQL: <= DISPATCH_LEVEL
func Read(offset uint64, pa, n uintptr) Error { return locked(readRequest, offset, pa, n) }

// Write writes n bytes at the physical address pa to an offset of the disk; see
// Read.
//
// IRQL: <= DISPATCH_LEVEL
func Write(offset uint64, pa, n uintptr) Error { return locked(writeRequest, offset, pa, n) }

// Flush returns when what was written has reached the disk.
//
// IRQL: <= DISPATCH_LEVEL
func Flush() Error {
	if !flushing {
		return OK
	}
	return locked(flushRequest, 0, 0, 0)
}

// seized is set once the stop of the machine has the disk for itself.
var seized bool

// Seize takes the disk away from everybody else, for good, whatever they are in
// the middle of: from then on Read, Write and Flush take no lock. It is for the
// stop of the machine, with all other processors frozen. It reports whether
// there is a disk.
//
// IRQL: any
func Seize() bool {
	seized = true
	return sectors != 0 && start()
}

func locked(kind uint32, offset uint64, pa, n uintptr) Error {
	if seized {
		return request(kind, offset, pa, n)
	}
	old := lock.Acquire()
	e := request(kind, offset, pa, n)
	lock.Release(old)
	return e
}

// request has the device serve one request, and waits for it.
func request(kind uint32, offset uint64, pa, n uintptr) Error {
	switch {
	case sectors == 0:
		return Missing
	case n > MaxTransfer || offset%layout.SectorSize != 0 || n%layout.SectorSize != 0:
		return Unsupported
	case offset > Size() || uint64(n) > Size()-offset:
		return Beyond
	}
	if fault.Now(fault.Disk) {
		return Failed
	}
	m := memory
	m.compose(kind, offset/layout.SectorSize, pa, n)
	next := m.available.index
	m.available.ring[next%queueSize] = 0
	atomicStore16(&m.available.index, next+1)
	device.notify()
	for since := arch.Counter(); atomicLoad16(&m.used.index) != next+1; {
		if arch.Counter()-since > timeout*board.CounterHz() {
			return Timeout
		}
		arch.Pause()
	}
	switch atomic.LoadUint32(&m.status) & 0xff {
	case 0:
		return OK
	case 2:
		return Unsupported
	}
	return Failed
}
