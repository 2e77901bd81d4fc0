package board

import (
	"sync/atomic"
	"unsafe"
)

// The devices of QEMU's virt machine (hw/arm/virt.c, base_memmap), in the boot
// identity map.
const (
	gicDistributor   = 0x0800_0000
	gicRedistributor = 0x080A_0000
	uartBase         = 0x0900_0000
	rtcBase          = 0x0901_0000
	deviceTreeBase   = 0x4000_0000 // where QEMU leaves the device tree for an ELF kernel
)

func read32(addr uintptr) uint32 { return atomic.LoadUint32((*uint32)(unsafe.Pointer(addr))) }

func write32(addr uintptr, v uint32) { atomic.StoreUint32((*uint32)(unsafe.Pointer(addr)), v) }

func read64(addr uintptr) uint64 { return atomic.LoadUint64((*uint64)(unsafe.Pointer(addr))) }

func write64(addr uintptr, v uint64) { atomic.StoreUint64((*uint64)(unsafe.Pointer(addr)), v) }

// write8 is for GIC priority registers, the only ones here with byte access.
func write8(addr uintptr, v uint8) { *(*uint8)(unsafe.Pointer(addr)) = v }
