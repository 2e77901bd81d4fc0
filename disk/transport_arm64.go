package disk

import (
	"sync/atomic"
	"unsafe"
)

// transport is a device on QEMU's virt machine, whose registers are in memory
// (4.2). The machine has 32 places for devices (hw/arm/virt.c, base_memmap,
// VIRT_MMIO), in the boot identity map.
type transport struct {
	base uintptr
}

const (
	firstDevice = 0x0A00_0000
	deviceSize  = 0x200
	devices     = 32
)

// Registers (4.2.2).
const (
	regMagic          = 0x000
	regVersion        = 0x004
	regDeviceID       = 0x008
	regDeviceFeatures = 0x010
	regDeviceSelect   = 0x014
	regDriverFeatures = 0x020
	regDriverSelect   = 0x024
	regQueueSelect    = 0x030
	regQueueMax       = 0x034
	regQueueSize      = 0x038
	regQueueReady     = 0x044
	regQueueNotify    = 0x050
	regStatus         = 0x070
	regDescriptors    = 0x080
	regDriverArea     = 0x090
	regDeviceArea     = 0x0a0
	regConfig         = 0x100

	magic   = 0x74726976 // "virt"
	version = 2
)

func (t *transport) read(reg uintptr) uint32 {
	return atomic.LoadUint32((*uint32)(unsafe.Pointer(t.base + reg)))
}

func (t *transport) write(reg uintptr, v uint32) {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(t.base+reg)), v)
}

func (t *transport) find() bool {
	for i := uintptr(0); i < devices; i++ {
		t.base = firstDevice + i*deviceSize
		if t.read(regMagic) == magic && t.read(regVersion) == version && t.read(regDeviceID) == typeBlock {
			return true
		}
	}
	return false
}

func (t *transport) status() uint32     { return t.read(regStatus) }
func (t *transport) setStatus(v uint32) { t.write(regStatus, v) }

func (t *transport) features() uint64 {
	t.write(regDeviceSelect, 0)
	f := uint64(t.read(regDeviceFeatures))
	t.write(regDeviceSelect, 1)
	return f | uint64(t.read(regDeviceFeatures))<<32
}

func (t *transport) setFeatures(f uint64) {
	t.write(regDriverSelect, 0)
	t.write(regDriverFeatures, uint32(f))
	t.write(regDriverSelect, 1)
	t.write(regDriverFeatures, uint32(f>>32))
}

func (t *transport) setQueue(size uint32, descriptors, driver, device uintptr) bool {
	t.write(regQueueSelect, 0)
	if t.read(regQueueMax) < size {
		return false
	}
	t.write(regQueueSize, size)
	t.write64(regDescriptors, descriptors)
	t.write64(regDriverArea, driver)
	t.write64(regDeviceArea, device)
	t.write(regQueueReady, 1)
	return true
}

func (t *transport) write64(reg, v uintptr) {
	t.write(reg, uint32(v))
	t.write(reg+4, uint32(v>>32))
}

func (t *transport) notify() { t.write(regQueueNotify, 0) }

// capacity returns the number of sectors (5.2.4).
func (t *transport) capacity() uint64 {
	return uint64(t.read(regConfig)) | uint64(t.read(regConfig+4))<<32
}
