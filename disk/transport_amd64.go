package disk

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/mm"
)

// transport is a device on q35's PCI bus (4.1). TamaGo's packages pci and virtio
// know such devices too, but allocate, which resident code must not.
type transport struct {
	common, config uintptr // structures in the device's memory (4.1.4)
	bell           uintptr // what is written to notify the device of queue 0
}

const (
	vendorVirtio = 0x1AF4
	deviceBlock  = 0x1040 + typeBlock // without the legacy interface (4.1.2.1)
)

// function is a device of bus 0, by the address of its configuration space (PCI
// Local Bus Specification 3.0, 3.2.2.3.2 and 6.1).
type function uint32

const (
	slots         = 32
	configEnable  = 1 << 31
	configAddress = 0xCF8
	configData    = 0xCFC

	configID           = 0x00
	configCommand      = 0x04
	configBAR          = 0x10
	configCapabilities = 0x34

	commandMemory = 1 << 1
	commandMaster = 1 << 2
	commandNoINTx = 1 << 10

	bar64            = 2 << 1 // the next one has the upper half
	barMask          = 0xf
	capabilityMask   = 0xfc
	capabilityVendor = 0x09
)

func (f function) read(reg uint32) uint32 {
	arch.Out32(configAddress, uint32(f)|reg&0xfc)
	return arch.In32(configData)
}

func (f function) write(reg, v uint32) {
	arch.Out32(configAddress, uint32(f)|reg&0xfc)
	arch.Out32(configData, v)
}

// memory returns the physical address of the n-th range of memory.
func (f function) memory(n uint32) uintptr {
	bar := f.read(configBAR + n*4)
	pa := uintptr(bar &^ barMask)
	if bar&barMask&^8 == bar64 {
		pa |= uintptr(f.read(configBAR+n*4+4)) << 32
	}
	return pa
}

// Offsets in a virtio capability and its types (4.1.4).
const (
	capBAR        = 4
	capOffset     = 8
	capMultiplier = 16

	typeCommon = 1
	typeNotify = 2
	typeConfig = 4
)

// Registers of the common structure (4.1.4.3).
const (
	regDeviceSelect   = 0x00
	regDeviceFeatures = 0x04
	regDriverSelect   = 0x08
	regDriverFeatures = 0x0c
	regStatus         = 0x14
	regQueueSelect    = 0x16
	regQueueSize      = 0x18
	regQueueEnable    = 0x1c
	regQueueNotify    = 0x1e
	regDescriptors    = 0x20
	regDriverArea     = 0x28
	regDeviceArea     = 0x30
)

// structureBytes is the part of each structure that the driver uses.
const structureBytes = 0x40

func (t *transport) find() bool {
	for slot := uint32(0); slot < slots; slot++ {
		f := function(configEnable | slot<<11)
		if f.read(configID) == deviceBlock<<16|vendorVirtio {
			f.write(configCommand, f.read(configCommand)&0xffff|commandMemory|commandMaster|commandNoINTx)
			return t.locate(f)
		}
	}
	return false
}

// locate follows the device's list of capabilities to its structures.
func (t *transport) locate(f function) bool {
	var notify uintptr
	var multiplier uint32
	for at := f.read(configCapabilities) & capabilityMask; at != 0; {
		head := f.read(at)
		if head&0xff == capabilityVendor {
			pa := f.memory(f.read(at+capBAR)&0xff) + uintptr(f.read(at+capOffset))
			switch head >> 24 {
			case typeCommon:
				t.common, _ = mm.MapDevice(pa, structureBytes)
			case typeNotify:
				notify, multiplier = pa, f.read(at+capMultiplier)
			case typeConfig:
				t.config, _ = mm.MapDevice(pa, structureBytes)
			}
		}
		at = head >> 8 & capabilityMask
	}
	if t.common == 0 || t.config == 0 || notify == 0 {
		return false
	}
	write16(t.common+regQueueSelect, 0)
	bell, ok := mm.MapDevice(notify+uintptr(read16(t.common+regQueueNotify))*uintptr(multiplier), 2)
	t.bell = bell
	return ok
}

func (t *transport) status() uint32     { return uint32(read8(t.common + regStatus)) }
func (t *transport) setStatus(v uint32) { write8(t.common+regStatus, uint8(v)) }

func (t *transport) features() uint64 {
	write32(t.common+regDeviceSelect, 0)
	f := uint64(read32(t.common + regDeviceFeatures))
	write32(t.common+regDeviceSelect, 1)
	return f | uint64(read32(t.common+regDeviceFeatures))<<32
}

func (t *transport) setFeatures(f uint64) {
	write32(t.common+regDriverSelect, 0)
	write32(t.common+regDriverFeatures, uint32(f))
	write32(t.common+regDriverSelect, 1)
	write32(t.common+regDriverFeatures, uint32(f>>32))
}

func (t *transport) setQueue(size uint32, descriptors, driver, device uintptr) bool {
	write16(t.common+regQueueSelect, 0)
	if uint32(read16(t.common+regQueueSize)) < size {
		return false
	}
	write16(t.common+regQueueSize, uint16(size))
	t.write64(regDescriptors, descriptors)
	t.write64(regDriverArea, driver)
	t.write64(regDeviceArea, device)
	write16(t.common+regQueueEnable, 1)
	return true
}

func (t *transport) write64(reg, v uintptr) {
	write32(t.common+reg, uint32(v))
	write32(t.common+reg+4, uint32(v>>32))
}

func (t *transport) notify() { write16(t.bell, 0) }

// capacity returns the number of sectors (5.2.4).
func (t *transport) capacity() uint64 {
	return uint64(read32(t.config)) | uint64(read32(t.config+4))<<32
}

// Device registers have the width of their access. The functions are calls, so
// that the compiler neither merges nor repeats accesses.

//go:noinline
func read8(a uintptr) uint8 { return *(*uint8)(unsafe.Pointer(a)) }

//go:noinline
func read16(a uintptr) uint16 { return *(*uint16)(unsafe.Pointer(a)) }

//go:noinline
func read32(a uintptr) uint32 { return *(*uint32)(unsafe.Pointer(a)) }

//go:noinline
func write8(a uintptr, v uint8) { *(*uint8)(unsafe.Pointer(a)) = v }

//go:noinline
func write16(a uintptr, v uint16) { *(*uint16)(unsafe.Pointer(a)) = v }

//go:noinline
func write32(a uintptr, v uint32) { *(*uint32)(unsafe.Pointer(a)) = v }
