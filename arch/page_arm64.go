package arch

// PTE is an entry of any level of the translation tables: a VMSAv8-64
// descriptor for the 4 KiB granule (Arm ARM DDI 0487, D8.3).
type PTE uint64

const (
	pteValid    PTE = 1 << 0
	pteTable    PTE = 1 << 1 // table, or page at the last level; clear for a block
	pteDevice   PTE = 1 << 2 // AttrIndx 1 of MAIR_EL1; 0 is normal memory
	pteReadOnly PTE = 1 << 7 // AP[2]; AP[1] clear: no EL0
	pteInner    PTE = 3 << 8 // SH: inner shareable
	pteAccess   PTE = 1 << 10
	ptePXN      PTE = 1 << 53
	pteUXN      PTE = 1 << 54
	pteAddress  PTE = 0x0000_ffff_ffff_f000
)

// PermBits and KindBits are the bits of an entry that say what may be done with
// the memory, and what kind it is. They sit in the same places at every level.
const (
	PermBits = pteReadOnly | ptePXN
	KindBits = pteDevice
)

// vaBits is the size of each half of the address space: the lower one begins at 0
// and the upper one, bits 63 to 48 set, ends at the top. TTBR1_EL1, which would
// translate the upper one, is not used.
const vaBits = 48

// TLBBroadcast is true: TLBI by ...IS reaches every processor.
const TLBBroadcast = true

// KernelBase starts the 64 GiB of address space for kernel stacks and pool, in
// the upper half that the Go runtime never asks for.
const KernelBase = 0x0000_ff00_0000_0000

// Canonical reports whether va is in one of the halves of the address space: a
// bad address elsewhere is no page fault.
func Canonical(va uintptr) bool { return va>>vaBits == 0 || va>>vaBits == 1<<(64-vaBits)-1 }

// Translated reports whether va is an address that the tables can translate.
func Translated(va uintptr) bool { return va>>vaBits == 0 }

// MakePTE returns an entry that maps the page at pa.
//
//go:nosplit
func MakePTE(pa uintptr, p Prot) PTE {
	e := PTE(pa)&pteAddress | pteUXN | pteAccess | pteInner | pteTable | pteValid
	if p&ProtWrite == 0 {
		e |= pteReadOnly
	}
	if p&ProtExec == 0 {
		e |= ptePXN
	}
	if p&ProtDevice != 0 {
		e |= pteDevice
	}
	return e
}

// makeBlock is MakePTE for the block of memory that an entry of a higher level
// covers.
//
//go:nosplit
func makeBlock(pa uintptr, p Prot) PTE { return MakePTE(pa, p) &^ pteTable }

// MakeTable returns an entry that points to the next level's table at pa.
//
//go:nosplit
func MakeTable(pa uintptr) PTE { return PTE(pa) | pteTable | pteValid }

// Present reports whether the entry maps something.
func (e PTE) Present() bool { return e&pteValid != 0 }

// Leaf reports whether an entry above the last level maps a block.
func (e PTE) Leaf() bool { return e&pteTable == 0 }

// Address returns the physical address of the page or table.
func (e PTE) Address() uintptr { return uintptr(e & pteAddress) }

// Prot returns what the entry allows.
func (e PTE) Prot() Prot {
	var p Prot
	if e&pteReadOnly == 0 {
		p |= ProtWrite
	}
	if e&ptePXN == 0 {
		p |= ProtExec
	}
	if e&pteDevice != 0 {
		p |= ProtDevice
	}
	return p
}
