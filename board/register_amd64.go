package board

import (
	"sync/atomic"
	"unsafe"

	"github.com/usbarmory/tamago/soc/intel/ioapic"
)

func writeLocal(reg uintptr, v uint32) {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(uintptr(lapicBase)+reg)), v)
}

func readLocal(reg uintptr) uint32 {
	return atomic.LoadUint32((*uint32)(unsafe.Pointer(uintptr(lapicBase) + reg)))
}

func writeIO(reg, v uint32) {
	base := uintptr(io.Base)
	atomic.StoreUint32((*uint32)(unsafe.Pointer(base+ioapic.IOREGSEL)), reg)
	atomic.StoreUint32((*uint32)(unsafe.Pointer(base+ioapic.IOWIN)), v)
}
