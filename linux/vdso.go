package linux

import (
	"unsafe"

	"irqlab/kernel"
)

// The vDSO is an ELF image that the Go runtime looks for clock_gettime in
// (vdso(7), runtime/vdso_linux.go). Ours has headers only: the function is code
// of the kernel's image, which reads the counter without entering the kernel.

// Layouts of ELF-64 ("System V ABI", chapters 4 and 5).
type (
	elfHeader struct {
		ident                     [16]byte
		kind, machine             uint16
		version                   uint32
		entry, phoff, shoff       uint64
		flags                     uint32
		ehsize, phentsize, phnum  uint16
		shentsize, shnum, shstrdx uint16
	}
	elfSegment struct {
		kind, flags                                uint32
		offset, vaddr, paddr, filesz, memsz, align uint64
	}
	elfDynamic struct {
		tag, value uint64
	}
	elfSymbol struct {
		name        uint32
		info, other uint8
		section     uint16
		value, size uint64
	}
	elfVersion struct { // Verdef
		version, flags, index, count uint16
		hash, aux, next              uint32
	}
)

const (
	segmentLoad    = 1 // PT_LOAD
	segmentDynamic = 2 // PT_DYNAMIC

	dynamicHash       = 4          // DT_HASH
	dynamicStrings    = 5          // DT_STRTAB
	dynamicSymbols    = 6          // DT_SYMTAB
	dynamicVersionDef = 0x6ffffffc // DT_VERDEF

	globalFunction = 1<<4 | 2 // STB_GLOBAL, STT_FUNC
	versionBase    = 1        // VER_FLG_BASE: names the file, not a version
)

// vdsoImage is the image, at address 0 of its own.
type vdsoImage struct {
	header   elfHeader
	segments [2]elfSegment
	dynamic  [5]elfDynamic
	hash     [5]uint32 // one bucket, two chains, the bucket, the chains
	symbols  [2]elfSymbol
	version  elfVersion
	strings  [32]byte
}

// vdso is static data but for the function's address. Without DT_VERSYM the
// runtime accepts the symbol whatever its version, but it follows DT_VERDEF
// unchecked (runtime.vdsoFindVersion).
var vdso = vdsoImage{
	header: elfHeader{
		ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1},
		phoff: uint64(unsafe.Offsetof(vdsoImage{}.segments)),
		phnum: 2,
	},
	segments: [2]elfSegment{
		{kind: segmentLoad, memsz: uint64(unsafe.Sizeof(vdsoImage{}))},
		{kind: segmentDynamic, offset: uint64(unsafe.Offsetof(vdsoImage{}.dynamic))},
	},
	dynamic: [5]elfDynamic{
		{dynamicHash, uint64(unsafe.Offsetof(vdsoImage{}.hash))},
		{dynamicStrings, uint64(unsafe.Offsetof(vdsoImage{}.strings))},
		{dynamicSymbols, uint64(unsafe.Offsetof(vdsoImage{}.symbols))},
		{dynamicVersionDef, uint64(unsafe.Offsetof(vdsoImage{}.version))},
	},
	hash:    [5]uint32{1, 2, 1, 0, 0},
	symbols: [2]elfSymbol{1: {name: 1, info: globalFunction, section: 1}},
	version: elfVersion{version: 1, flags: versionBase},
}

// What the function needs: counterBase is the counter at boot, counterScale
// the ns per tick in 32.32 fixed point, unixBase the Unix time of boot in ns.
var counterBase, counterScale, unixBase uint64

func initVDSO() {
	counterBase, counterScale = kernel.TimeScale()
	// Boot is at a full second, since the RTC counts those.
	const second = 1_000_000_000
	boot := uint64(kernel.UnixTime()) - kernel.Nanotime()
	unixBase = (boot + second/2) / second * second

	vdso.symbols[1].value = uint64(vdsoEntry() - vdsoBase())
	copy(vdso.strings[1:], vdsoName)
}

func vdsoBase() uintptr { return uintptr(unsafe.Pointer(&vdso)) }

// vdsoEntry returns the address of the C function
//
//	int clock_gettime(clockid_t, struct timespec *)
//
// defined in vdso_amd64.s and vdso_arm64.s.
func vdsoEntry() uintptr
