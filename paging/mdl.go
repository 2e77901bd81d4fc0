package paging

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/kernel"
	"irqlab/mm"
	"irqlab/ntstatus"
	"irqlab/pool"
)

// MDL is a memory descriptor list (48 bytes): a buffer of adjacent addresses, and
// behind the MDL the numbers of the physical pages that it lies in, once they are
// known.
//
// Documentation: "Using MDLs".
type MDL struct {
	Next           *MDL
	Size           int16 // of the MDL, the page numbers included
	Flags          int16
	_              uint32
	Process        uintptr
	MappedSystemVa uintptr
	StartVa        uintptr // the page in which the buffer begins
	ByteCount      uint32
	ByteOffset     uint32 // in that page
}

const _ = uint(48-unsafe.Sizeof(MDL{})) + uint(unsafe.Sizeof(MDL{})-48)

// Bits of MDL.Flags.
const (
	MDLMapped            = 0x0001 // MappedSystemVa is a mapping
	MDLLocked            = 0x0002 // by LockPages
	MDLNonPaged          = 0x0004 // described by Describe
	MDLWrite             = 0x0080 // locked for writing
	maxMDLPages          = (1<<15 - 1 - 48) / 8
	mdlTag      pool.Tag = 'M' | 'd'<<8 | 'l'<<16 | ' '<<24
)

// Access is what pages are locked for (LOCK_OPERATION).
type Access int32

const (
	ForRead Access = iota
	ForWrite
	ForModify
)

// NewMDL returns an MDL for the n bytes at va, or nil if there is no memory or they
// are too many (IoAllocateMdl).
//
// IRQL: <= DISPATCH_LEVEL
func NewMDL(va, n uintptr) *MDL {
	pages := (va%arch.PageSize + n + arch.PageSize - 1) / arch.PageSize
	if n >= 1<<32 || pages > maxMDLPages {
		return nil
	}
	size := unsafe.Sizeof(MDL{}) + pages*unsafe.Sizeof(uintptr(0))
	m := (*MDL)(pool.Alloc(size, mdlTag))
	if m == nil {
		return nil
	}
	m.Size = int16(size)
	m.StartVa, m.ByteOffset, m.ByteCount = va&^(arch.PageSize-1), uint32(va%arch.PageSize), uint32(n)
	return m
}

// Plausible reports whether m looks like an MDL: its size is what its buffer needs.
//
// IRQL: any
func (m *MDL) Plausible() bool {
	pages := (uintptr(m.ByteOffset) + uintptr(m.ByteCount) + arch.PageSize - 1) / arch.PageSize
	return m.StartVa%arch.PageSize == 0 && m.ByteOffset < arch.PageSize &&
		uintptr(uint16(m.Size)) == unsafe.Sizeof(*m)+pages*unsafe.Sizeof(uintptr(0))
}

// Free gives the MDL back (IoFreeMdl). Its pages are not locked any more.
//
// IRQL: <= DISPATCH_LEVEL
func (m *MDL) Free() { pool.Free(unsafe.Pointer(m), mdlTag) }

// VirtualAddress is the buffer's address as it was given to NewMDL.
//
// IRQL: any
func (m *MDL) VirtualAddress() uintptr { return m.StartVa + uintptr(m.ByteOffset) }

// Pages returns the numbers of the buffer's physical pages: none before they are
// known. They are in the pool, for as long as the MDL is.
//
// IRQL: any
func (m *MDL) Pages() []uintptr {
	n := (uintptr(m.ByteOffset) + uintptr(m.ByteCount) + arch.PageSize - 1) / arch.PageSize
	return unsafe.Slice((*uintptr)(unsafe.Add(unsafe.Pointer(m), unsafe.Sizeof(*m))), n)
}

// LockPages brings the buffer's pages into memory, keeps them there, and writes
// down which they are (MmProbeAndLockPages). It returns STATUS_ACCESS_VIOLATION
// for memory that does not exist.
//
// IRQL: <= APC_LEVEL; DISPATCH_LEVEL for memory that is not paged
func (m *MDL) LockPages(access Access) ntstatus.Status {
	if s := Lock(m.VirtualAddress(), uintptr(m.ByteCount)); s != ntstatus.Success {
		return s
	}
	m.fill()
	m.Flags |= MDLLocked
	if access != ForRead {
		m.Flags |= MDLWrite
	}
	return ntstatus.Success
}

// UnlockPages undoes LockPages (MmUnlockPages).
//
// IRQL: <= DISPATCH_LEVEL
func (m *MDL) UnlockPages() {
	m.Flags &^= MDLLocked | MDLWrite | MDLMapped
	m.MappedSystemVa = 0
	Unlock(m.VirtualAddress(), uintptr(m.ByteCount))
}

// Describe writes down the pages of a buffer in nonpaged memory, which need not be
// locked (MmBuildMdlForNonPagedPool).
//
// IRQL: <= DISPATCH_LEVEL
func (m *MDL) Describe() {
	m.fill()
	m.Flags |= MDLNonPaged
	m.MappedSystemVa = m.VirtualAddress()
}

func (m *MDL) fill() {
	a := kernel.Args{P: unsafe.Pointer(m)}
	kernel.Enter(fillMDL, &a)
}

func fillMDL(a *kernel.Args) {
	m := (*MDL)(a.P)
	for i, pages := 0, m.Pages(); i < len(pages); i++ {
		pa, _ := mm.Physical(m.StartVa + uintptr(i)*arch.PageSize)
		pages[i] = pa / arch.PageSize
	}
}

// Map returns an address at which the locked pages can be reached at any level
// (MmMapLockedPagesSpecifyCache): there is one address space, so it is the
// buffer's own.
//
// IRQL: <= DISPATCH_LEVEL
func (m *MDL) Map() uintptr {
	m.Flags |= MDLMapped
	m.MappedSystemVa = m.VirtualAddress()
	return m.MappedSystemVa
}

// Unmap undoes Map (MmUnmapLockedPages).
//
// IRQL: <= DISPATCH_LEVEL
func (m *MDL) Unmap() {
	m.Flags &^= MDLMapped
	m.MappedSystemVa = 0
}
