package linux

import (
	"irqlab/arch"
	"irqlab/mm"
)

// Flags of mmap(2).
const (
	mapPrivate        = 0x02
	mapShared         = 0x01
	mapFixed          = 0x10
	mapAnonymous      = 0x20
	mapFixedNoReplace = 0x100000
)

// Advice of madvise(2).
const (
	adviseNormal     = 0
	adviseRandom     = 1
	adviseSequential = 2
	adviseWillNeed   = 3
	adviseDontNeed   = 4
	adviseFree       = 8
	adviseHugePage   = 14
	adviseNoHugePage = 15
	adviseDump       = 17
	adviseDontDump   = 16
)

const protMask = uintptr(mm.Read | mm.Write | mm.Exec)

func mmap(addr, n, prot, flags uintptr, fd int32) uintptr {
	if flags&mapAnonymous == 0 || flags&(mapPrivate|mapShared) == 0 || prot&^protMask != 0 {
		return eINVAL.result() // there is nothing else to map
	}
	where := mm.Hint
	switch {
	case flags&mapFixedNoReplace != 0:
		where = mm.NoReplace
	case flags&mapFixed != 0:
		where = mm.Fixed
	}
	at, e := mm.Map(addr, n, mm.Prot(prot), where)
	if e != mm.OK {
		return memoryError(e)
	}
	return at
}

func munmap(addr, n uintptr) uintptr { return memoryError(mm.Unmap(addr, n)) }

func mprotect(addr, n, prot uintptr) uintptr {
	if prot&^protMask != 0 {
		return eINVAL.result()
	}
	return memoryError(mm.Protect(addr, n, mm.Prot(prot)))
}

// madvise takes pages back where that is asked for. Whether pages are large,
// read ahead or dumped does not arise.
func madvise(addr, n, advice uintptr) uintptr {
	switch advice {
	case adviseDontNeed, adviseFree:
		return memoryError(mm.Discard(addr, n))
	case adviseNormal, adviseRandom, adviseSequential, adviseWillNeed,
		adviseHugePage, adviseNoHugePage, adviseDump, adviseDontDump:
		return 0
	}
	return eINVAL.result()
}

// mincore tells which pages have been touched.
func mincore(addr, n, vec uintptr) uintptr {
	pages := (n + arch.PageSize - 1) / arch.PageSize
	if !writable(vec, pages) {
		return eFAULT.result()
	}
	return memoryError(mm.Present(addr, bytesAt(vec, pages)))
}

func memoryError(e mm.Error) uintptr {
	switch e {
	case mm.OK:
		return 0
	case mm.Exists:
		return eEXIST.result()
	case mm.NoMemory:
		return eNOMEM.result()
	}
	return eINVAL.result()
}
