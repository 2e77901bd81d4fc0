package board

import (
	"unsafe"

	"irqlab/arch"
)

// startInfo is hvm_start_info, version 1 (Xen public headers,
// arch-x86/hvm/start_info.h).
type startInfo struct {
	magic, version, flags, nrModules uint32
	modules, commandLine, rsdp       uint64
	memoryMap                        uint64
	memoryMapEntries, _              uint32
}

type memoryMapEntry struct {
	base, size uint64
	kind, _    uint32
}

const (
	startMagic = 0x336ec578
	kindRAM    = 1
)

// lowMemory ends what the boot code and the AP trampoline use of the first
// MiB; nothing below is given to the pager.
const lowMemory = 1 << 20

// identityTop ends the identity map that start builds.
const identityTop = 4 << 30

type memoryRange struct{ base, size uintptr }

var (
	memory      [8]memoryRange
	memoryCount int
)

// initMemory reads the loader's memory map and command line.
func initMemory() bool {
	s := (*startInfo)(unsafe.Pointer(arch.BootInfo))
	if s.magic != startMagic {
		return false
	}
	for commandLineLen < len(commandLine) && s.commandLine != 0 {
		c := *(*byte)(unsafe.Pointer(uintptr(s.commandLine) + uintptr(commandLineLen)))
		if c == 0 {
			break
		}
		commandLine[commandLineLen] = c
		commandLineLen++
	}
	text, _, _, _, _, end := arch.ImageBounds()
	for i := uint32(0); i < s.memoryMapEntries; i++ {
		e := (*memoryMapEntry)(unsafe.Pointer(uintptr(s.memoryMap) + uintptr(i)*unsafe.Sizeof(memoryMapEntry{})))
		if e.kind != kindRAM {
			continue
		}
		lo, hi := uintptr(e.base), min(uintptr(e.base+e.size), identityTop)
		lo = max(lo, lowMemory)
		// The image and what lies between it and the start of RAM stay out.
		if lo < end && hi > text {
			lo = end
		}
		lo = (lo + arch.PageSize - 1) &^ (arch.PageSize - 1)
		hi &^= arch.PageSize - 1
		if hi > lo && memoryCount < len(memory) {
			memory[memoryCount] = memoryRange{lo, hi - lo}
			memoryCount++
		}
	}
	return memoryCount > 0
}

// Memory returns the i-th range of RAM that is free to use, page aligned.
func Memory(i int) (base, size uintptr, ok bool) {
	if i >= memoryCount {
		return 0, 0, false
	}
	return memory[i].base, memory[i].size, true
}

// CommandLine returns the boot command line.
func CommandLine() string {
	return unsafe.String(&commandLine[0], commandLineLen)
}

// BootMemory returns the RAM with the first page tables and the start of the
// other processors, which Memory leaves out.
func BootMemory() (lo, hi uintptr) { return trampolinePage, 0x16000 }
