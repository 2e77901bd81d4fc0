package mm

import (
	"irqlab/arch"
)

// Prot says what an area may be used for, in the bits of mmap(2). None makes it
// a reservation of addresses.
type Prot uint8

const (
	None  Prot = 0
	Read  Prot = 1
	Write Prot = 2
	Exec  Prot = 4

	// charged marks an area whose pages are all counted as used, touched or not.
	charged Prot = 0x80
)

// allows reports whether an access is one that p permits. Any permission
// includes reading, as on the hardware.
func (p Prot) allows(a arch.Access) bool {
	switch a {
	case arch.AccessWrite:
		return p&Write != 0
	case arch.AccessExecute:
		return p&Exec != 0
	}
	return p&(Read|Write|Exec) != 0
}

// page returns the permissions of a page of the area.
func (p Prot) page() arch.Prot {
	var a arch.Prot
	if p&Write != 0 {
		a |= arch.ProtWrite
	}
	if p&Exec != 0 {
		a |= arch.ProtExec
	}
	return a
}

// maxAreas bounds the areas. The runtime has about 35; a test that punches
// holes has more. Beyond it, mapping fails as for lack of memory.
const maxAreas = 4096

// Areas lie between the identity map and the kernel's addresses, in the 47 bits
// that Go's pointers have on both architectures. The floor is ARM64's first
// heap address (runtime.mallocinit: 0x0040<<32).
const (
	areaFloor   = 1 << 38
	areaCeiling = min(arch.KernelBase, 1<<47)
)

// UserProbe is where the addresses end that a user's buffer may have
// (MmUserProbeAddress): everything below counts as a user's, though there is no
// user mode here. The last 64 KiB in front of system space are nobody's.
const UserProbe = areaCeiling - 64<<10

// System reports whether va is an address of system space, where a fault is never
// an exception that code can handle.
//
// IRQL: any
func System(va uintptr) bool { return va >= areaCeiling && arch.Canonical(va) }

// InAreas reports whether va is an address of the Go runtime's memory: its heap,
// or a stack. What lies elsewhere is of no concern to the garbage collector.
//
// IRQL: any
func InAreas(va uintptr) bool { return va >= areaFloor && va < areaCeiling }

// area is a range of addresses with one protection.
type area struct {
	lo, hi uintptr
	prot   Prot
}

// areas is a set of areas: sorted, disjoint, and merged where neighbours agree,
// so that one state of the address space has one representation.
type areas struct {
	n       int
	charged uintptr // pages in charged areas
	a       [maxAreas]area
}

var space areas

// find returns the index of the first area that ends above va.
func (t *areas) find(va uintptr) int {
	lo, hi := 0, t.n
	for lo < hi {
		m := int(uint(lo+hi) / 2)
		if t.a[m].hi > va {
			hi = m
		} else {
			lo = m + 1
		}
	}
	return lo
}

// at returns the protection at va, and whether there is an area.
func (t *areas) at(va uintptr) (Prot, bool) {
	i := t.find(va)
	if i == t.n || t.a[i].lo > va {
		return None, false
	}
	return t.a[i].prot, true
}

// isFree reports whether [lo, hi) touches no area.
func (t *areas) isFree(lo, hi uintptr) bool {
	i := t.find(lo)
	return i == t.n || t.a[i].lo >= hi
}

// covers reports whether [lo, hi) has no hole.
func (t *areas) covers(lo, hi uintptr) bool {
	for i := t.find(lo); i < t.n && t.a[i].lo <= lo; i++ {
		if lo = t.a[i].hi; lo >= hi {
			return true
		}
	}
	return false
}

// permits reports whether [lo, hi) has no hole and all of it the permissions p.
func (t *areas) permits(lo, hi uintptr, p Prot) bool {
	for i := t.find(lo); lo < hi; i++ {
		if i == t.n || t.a[i].lo > lo || t.a[i].prot&p != p {
			return false
		}
		lo = t.a[i].hi
	}
	return true
}

// splice is what takes the place of the areas that an operation touches: at
// most what sticks out on the left, the new area, what sticks out on the right.
type splice struct {
	n int
	a [3]area
}

func (s *splice) add(lo, hi uintptr, p Prot) {
	if lo >= hi {
		return
	}
	if s.n > 0 && s.a[s.n-1].hi == lo && s.a[s.n-1].prot == p {
		s.a[s.n-1].hi = hi
		return
	}
	s.a[s.n] = area{lo, hi, p}
	s.n++
}

// set makes [lo, hi) one area with protection p, whatever was there. It fails,
// without effect, if there would be too many areas.
func (t *areas) set(lo, hi uintptr, p Prot) bool { return t.change(lo, hi, p, true) }

// clear makes [lo, hi) free. It can fail too: a hole in an area makes two.
func (t *areas) clear(lo, hi uintptr) bool { return t.change(lo, hi, None, false) }

func (t *areas) change(lo, hi uintptr, p Prot, keep bool) bool {
	i := t.find(lo)
	j := i
	for j < t.n && t.a[j].lo < hi {
		j++
	}
	// Adjacent areas take part too, so that they can merge.
	if i > 0 && t.a[i-1].hi == lo {
		i--
	}
	if j < t.n && t.a[j].lo == hi {
		j++
	}
	var s splice
	if i < j {
		s.add(t.a[i].lo, min(lo, t.a[i].hi), t.a[i].prot)
	}
	if keep {
		s.add(lo, hi, p)
	}
	if i < j {
		s.add(max(hi, t.a[j-1].lo), t.a[j-1].hi, t.a[j-1].prot)
	}
	if t.n-(j-i)+s.n > maxAreas {
		return false
	}
	for k := i; k < j; k++ {
		t.charged -= t.a[k].charge()
	}
	copy(t.a[i+s.n:], t.a[j:t.n])
	t.n += s.n - (j - i)
	for k := 0; k < s.n; k++ {
		t.a[i+k] = s.a[k]
		t.charged += s.a[k].charge()
	}
	return true
}

func (a *area) charge() uintptr {
	if a.prot&charged == 0 {
		return 0
	}
	return (a.hi - a.lo) / arch.PageSize
}

// gap returns the highest free range of n bytes.
func (t *areas) gap(n uintptr) (uintptr, bool) {
	hi := uintptr(areaCeiling)
	for i := t.n - 1; i >= -1; i-- {
		lo := uintptr(areaFloor)
		if i >= 0 {
			lo = t.a[i].hi
		}
		if hi-lo >= n {
			return hi - n, true
		}
		if i >= 0 {
			hi = t.a[i].lo
		}
	}
	return 0, false
}

// Error is why an operation on areas failed.
type Error uint8

const (
	OK       Error = iota
	Invalid        // address or length
	Exists         // the place is taken, and Map was told not to replace
	NoMemory       // no address range, no room for another area, or no RAM left
)

// Where says how Map treats the address it is given.
type Where uint8

const (
	Hint      Where = iota // take it if it is free
	Fixed                  // replace what is there (MAP_FIXED)
	NoReplace              // fail if something is there (MAP_FIXED_NOREPLACE)
)

// floorPages is how many free pages Map leaves: a Go runtime that is refused
// memory still needs some to say so.
const floorPages = reservePages + 64

// heapChunk is how many pages the runtime's heap grows by at least (4 MiB,
// runtime.pallocChunkPages). A machine that is too small for three chunks may
// promise them all the same: the runtime starts with one or two and touches
// little of them.
const heapChunk = 1024

// affordable reports whether n pages more, charged or sparse, may be promised.
// Charged pages may be if all that were promised fit in RAM, an eighth of which
// is left to what is never charged: kernel stacks and pool, tables, the
// runtime's indexes. Or if they fit in what is free now: then many areas were
// promised that are hardly used.
func affordable(n uintptr, p Prot) bool {
	if p&Write == 0 {
		return true
	}
	if phys.free < floorPages {
		return false
	}
	return p&charged == 0 ||
		space.charged+n <= max(phys.total-phys.total/8, 3*heapChunk) ||
		n+phys.total/16 <= phys.free
}

// bounds checks and rounds a range of areas.
func bounds(addr, n uintptr) (lo, hi uintptr, ok bool) {
	n = (n + arch.PageSize - 1) &^ (arch.PageSize - 1)
	hi = addr + n
	return addr, hi, addr%arch.PageSize == 0 && n != 0 && addr >= areaFloor && hi > addr && hi <= areaCeiling
}

// Map makes an area of n bytes, at addr as where says, of pages that read as
// zero, and returns its address.
//
// IRQL: <= APC_LEVEL
func Map(addr, n uintptr, p Prot, where Where) (uintptr, Error) {
	n = (n + arch.PageSize - 1) &^ (arch.PageSize - 1)
	if n == 0 {
		return 0, Invalid
	}
	if where == Hint {
		return mapAnywhere(addr, n, p)
	}
	if p&Write != 0 {
		p |= charged
	}
	return mapAt(addr, n, p, where == Fixed)
}

func mapAnywhere(hint, n uintptr, p Prot) (addr uintptr, err Error) {
	on := acquire()
	lo, hi, ok := bounds(hint, n)
	if !ok || !space.isFree(lo, hi) {
		lo, ok = space.gap(n)
		hi = lo + n
	}
	if !ok || !affordable(n/arch.PageSize, p) || !space.set(lo, hi, p) {
		lo, err = 0, NoMemory
	}
	release(on)
	return lo, err
}

func mapAt(addr, n uintptr, p Prot, replace bool) (uintptr, Error) {
	lo, hi, ok := bounds(addr, n)
	if !ok {
		return 0, NoMemory
	}
	on := acquire()
	if !replace && !space.isFree(lo, hi) {
		release(on)
		return 0, Exists
	}
	// What is there becomes a reservation first: nobody else gets the
	// addresses, and nobody touches them, while the pages go.
	ok = affordable(n/arch.PageSize, p) && space.set(lo, hi, None)
	release(on)
	if ok {
		purge(lo, hi)
		on = acquire()
		ok = space.set(lo, hi, p)
		release(on)
	}
	if !ok {
		return 0, NoMemory
	}
	return lo, OK
}

// Unmap frees the addresses [addr, addr+n) and their pages. There may be holes.
//
// IRQL: <= APC_LEVEL
func Unmap(addr, n uintptr) Error {
	lo, hi, ok := bounds(addr, n)
	if !ok {
		return Invalid
	}
	on := acquire()
	ok = space.isFree(lo, hi) || space.set(lo, hi, None) // see mapAt
	release(on)
	if !ok {
		return NoMemory
	}
	purge(lo, hi)
	on = acquire()
	space.clear(lo, hi) // cannot fail: set made [lo, hi) an area, or part of a reservation
	release(on)
	return OK
}

// Protect changes what [addr, addr+n) may be used for. A hole in it is an
// error, and what lies below the hole is changed all the same, as mprotect(2)
// has it.
//
// IRQL: <= APC_LEVEL
func Protect(addr, n uintptr, p Prot) Error {
	lo, hi, ok := bounds(addr, n)
	if !ok {
		return Invalid
	}
	err := OK
	on := acquire()
	for va := lo; va < hi; {
		i := space.find(va)
		if i == space.n || space.a[i].lo > va {
			err = NoMemory
			hi = va
			break
		}
		end := min(hi, space.a[i].hi)
		if !space.set(va, end, p|space.a[i].prot&charged) {
			err = NoMemory
			hi = va
			break
		}
		va = end
	}
	release(on)
	reprotect(lo, hi, p)
	return err
}

// Discard frees the pages of [addr, addr+n); they read as zero when they are
// touched again (MADV_DONTNEED).
//
// IRQL: <= APC_LEVEL
func Discard(addr, n uintptr) Error {
	lo, hi, ok := bounds(addr, n)
	if !ok {
		return Invalid
	}
	purge(lo, hi)
	return OK
}

// Accessible reports whether all of [addr, addr+n) lies in areas that have all
// the permissions p.
//
// IRQL: any
func Accessible(addr, n uintptr, p Prot) bool {
	if addr+n < addr {
		return false
	}
	on := acquire()
	ok := space.permits(addr, addr+n, p)
	release(on)
	return ok
}

// Present stores in vec, a byte per page, whether each page of [addr, addr+n)
// is there (mincore(2)). A hole is an error.
//
// IRQL: <= APC_LEVEL
func Present(addr uintptr, vec []byte) Error {
	lo, hi, ok := bounds(addr, uintptr(len(vec))*arch.PageSize)
	if !ok {
		return Invalid
	}
	for i := range vec {
		va := lo + uintptr(i)*arch.PageSize
		on := acquire()
		covered := space.covers(va, min(va+arch.PageSize, hi))
		e, _ := lookup(va)
		here := e != nil && e.Present()
		release(on)
		if !covered {
			return NoMemory
		}
		vec[i] = 0 // may fault, so not under the lock
		if here {
			vec[i] = 1
		}
	}
	return OK
}
