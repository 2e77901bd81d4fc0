package mm

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"irqlab/arch"
)

// model is the obvious form of areas: one protection per page.
type model map[uintptr]Prot

const testPages = 64 // small, so that random operations collide

func (m model) check(t *testing.T, s *areas) {
	t.Helper()
	charges := uintptr(0)
	for i := 0; i < s.n; i++ {
		a := s.a[i]
		if a.lo >= a.hi {
			t.Fatalf("area %d is empty: %x", i, a)
		}
		if i > 0 && (s.a[i-1].hi > a.lo || s.a[i-1].hi == a.lo && s.a[i-1].prot == a.prot) {
			t.Fatalf("areas %d and %d overlap or should be one: %x %x", i-1, i, s.a[i-1], a)
		}
		if a.prot&charged != 0 {
			charges += (a.hi - a.lo) / arch.PageSize
		}
	}
	if charges != s.charged {
		t.Fatalf("charged %d pages, want %d", s.charged, charges)
	}
	for p := uintptr(0); p < testPages; p++ {
		va := areaFloor + p*arch.PageSize
		got, ok := s.at(va + 17)
		want, wantOK := m[va]
		if got != want || ok != wantOK {
			t.Fatalf("page %d: %x %v, want %x %v", p, got, ok, want, wantOK)
		}
	}
}

func TestAreasAgainstModel(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		s, m := new(areas), model{}
		for range 2000 {
			lo := uintptr(r.IntN(testPages))
			hi := lo + 1 + uintptr(r.IntN(testPages-int(lo)))
			lo, hi = areaFloor+lo*arch.PageSize, areaFloor+hi*arch.PageSize
			free, full, writable := true, true, true
			for va := lo; va < hi; va += arch.PageSize {
				p, ok := m[va]
				free, full, writable = free && !ok, full && ok, writable && p&Write != 0
			}
			if s.permits(lo, hi, Read|Write) != writable || !s.permits(lo, lo, Write) {
				t.Fatalf("seed %d: permits [%x, %x) = %v", seed, lo, hi, !writable)
			}
			if s.isFree(lo, hi) != free || s.covers(lo, hi) != full {
				t.Fatalf("seed %d: isFree, covers [%x, %x) = %v, %v, want %v, %v", seed, lo, hi, !free, !full, free, full)
			}
			if r.IntN(3) == 0 {
				if !s.clear(lo, hi) {
					t.Fatal("clear failed")
				}
				for va := lo; va < hi; va += arch.PageSize {
					delete(m, va)
				}
			} else {
				p := []Prot{None, Read, Read | Write, Read | Write | charged}[r.IntN(4)]
				if !s.set(lo, hi, p) {
					t.Fatal("set failed")
				}
				for va := lo; va < hi; va += arch.PageSize {
					m[va] = p
				}
			}
			m.check(t, s)
		}
	}
}

func TestAreasFull(t *testing.T) {
	s := new(areas)
	at := func(i int) uintptr { return areaFloor + uintptr(i)*2*arch.PageSize }
	for i := range maxAreas {
		if !s.set(at(i), at(i)+arch.PageSize, Read) {
			t.Fatalf("set %d failed", i)
		}
	}
	if s.set(at(maxAreas), at(maxAreas)+arch.PageSize, Read) {
		t.Error("one area too many was accepted")
	}
	if s.n != maxAreas {
		t.Errorf("a failed set left %d areas", s.n)
	}
	if !s.set(at(0)+arch.PageSize, at(1), Read) {
		t.Error("filling a hole fails")
	}
	if s.n != maxAreas-1 {
		t.Errorf("%d areas after a merge of two, want %d", s.n, maxAreas-1)
	}
}

func TestGap(t *testing.T) {
	const page = arch.PageSize
	s := new(areas)
	if a, ok := s.gap(page); !ok || a != areaCeiling-page {
		t.Errorf("first gap at %x, %v", a, ok)
	}
	s.set(areaCeiling-page, areaCeiling, Read)
	s.set(areaCeiling-4*page, areaCeiling-3*page, Read)
	for _, c := range []struct{ pages, below uintptr }{{1, 2}, {2, 3}, {3, 7}} {
		if a, ok := s.gap(c.pages * page); !ok || a != areaCeiling-c.below*page {
			t.Errorf("gap of %d pages at %d pages below the ceiling, %v; want %d", c.pages, (areaCeiling-a)/page, ok, c.below)
		}
	}
	if _, ok := s.gap(1 << 47); ok {
		t.Error("a gap larger than the address space")
	}
}

func TestAllows(t *testing.T) {
	for _, c := range []struct {
		p       Prot
		r, w, x bool
	}{
		{None, false, false, false},
		{None | charged, false, false, false},
		{Read, true, false, false},
		{Read | Write | charged, true, true, false},
		{Exec, true, false, true},
	} {
		r, w, x := c.p.allows(arch.AccessRead), c.p.allows(arch.AccessWrite), c.p.allows(arch.AccessExecute)
		if r != c.r || w != c.w || x != c.x {
			t.Errorf("%x allows %v %v %v", c.p, r, w, x)
		}
	}
}

// newPhysical returns an allocator over Go memory.
func newPhysical(t *testing.T, pages uintptr) *physical {
	mem := make([]byte, (pages+1)*arch.PageSize)
	for i := range mem {
		mem[i] = 0xa5
	}
	t.Cleanup(func() { mem[0] = 0 })
	base := (uintptr(unsafe.Pointer(&mem[0])) + arch.PageSize - 1) &^ (arch.PageSize - 1)
	p := new(physical)
	p.add(base+1, base+2) // less than a page: ignored
	half := base + pages/2*arch.PageSize
	p.add(base, half)
	p.add(half, base+pages*arch.PageSize)
	return p
}

func TestPhysical(t *testing.T) {
	const pages = 200
	p := newPhysical(t, pages)
	if p.total != pages || p.free != pages {
		t.Fatalf("total %d free %d", p.total, p.free)
	}
	p.refill(reservePages + 5)
	if p.reserved != reservePages || p.free != pages {
		t.Fatalf("reserved %d, free %d", p.reserved, p.free)
	}
	seen := map[uintptr]bool{}
	var got []uintptr
	for {
		pa := p.zeroed(false)
		if pa == 0 {
			break
		}
		if seen[pa] || pa%arch.PageSize != 0 {
			t.Fatalf("page %x twice or unaligned", pa)
		}
		if *(*[arch.PageSize]byte)(unsafe.Pointer(pa)) != [arch.PageSize]byte{} {
			t.Fatalf("page %x is not clear", pa)
		}
		seen[pa] = true
		got = append(got, pa)
	}
	if len(got) != pages-reservePages || p.free != reservePages {
		t.Fatalf("%d pages before the reserve, %d free", len(got), p.free)
	}
	for range reservePages {
		if pa := p.zeroed(true); pa == 0 || seen[pa] {
			t.Fatalf("reserve gave %x", pa)
		}
	}
	if p.zeroed(true) != 0 || p.free != 0 {
		t.Fatal("more pages than there are")
	}
	for _, pa := range got {
		p.put(pa)
	}
	if p.free != uintptr(len(got)) || p.take() != got[len(got)-1] {
		t.Fatal("pages were not taken back")
	}
}
