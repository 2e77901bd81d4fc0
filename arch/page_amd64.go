package arch

// PTE is an entry of any level of the page tables (Intel SDM vol. 3A, 4.5.4).
type PTE uint64

const (
	ptePresent PTE = 1 << 0
	pteWrite   PTE = 1 << 1
	pteUncache PTE = 1<<3 | 1<<4 // PWT, PCD: memory type UC with the reset PAT
	pteLarge   PTE = 1 << 7
	pteNX      PTE = 1 << 63
	pteAddress PTE = 0x000f_ffff_ffff_f000
)

// PermBits and KindBits are the bits of an entry that say what may be done with
// the memory, and what kind it is. They sit in the same places at every level.
const (
	PermBits = pteWrite | pteNX
	KindBits = pteUncache
)

// TLBBroadcast is false: INVLPG and CR3 writes reach only their own processor.
const TLBBroadcast = false

// KernelBase starts the 64 GiB of address space for kernel stacks and pool, in
// the upper half that the Go runtime never asks for.
const KernelBase = 0xffff_8000_0000_0000

// Canonical reports whether va is in one of the halves of the address space: a
// bad address elsewhere is no page fault.
func Canonical(va uintptr) bool { return va == uintptr(int64(va)<<16>>16) }

// Translated reports whether va is an address that the tables can translate.
func Translated(va uintptr) bool { return Canonical(va) }

// MakePTE returns an entry that maps the page at pa.
func MakePTE(pa uintptr, p Prot) PTE {
	e := PTE(pa)&pteAddress | ptePresent
	if p&ProtWrite != 0 {
		e |= pteWrite
	}
	if p&ProtExec == 0 {
		e |= pteNX
	}
	if p&ProtDevice != 0 {
		e |= pteUncache
	}
	return e
}

// MakeTable returns an entry that points to the next level's table at pa.
func MakeTable(pa uintptr) PTE { return PTE(pa) | ptePresent | pteWrite }

// Present reports whether the entry maps something.
func (e PTE) Present() bool { return e&ptePresent != 0 }

// Leaf reports whether an entry above the last level maps a large page.
func (e PTE) Leaf() bool { return e&pteLarge != 0 }

// Address returns the physical address of the page or table.
func (e PTE) Address() uintptr { return uintptr(e & pteAddress) }

// Prot returns what the entry allows.
func (e PTE) Prot() Prot {
	var p Prot
	if e&pteWrite != 0 {
		p |= ProtWrite
	}
	if e&pteNX == 0 {
		p |= ProtExec
	}
	if e&pteUncache != 0 {
		p |= ProtDevice
	}
	return p
}
