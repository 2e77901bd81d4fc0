package mm

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
)

// Translation tables have four levels of 512 entries on both architectures:
// level 4 entries cover 512 GiB each, level 1 entries one page. Leaves of the
// boot identity map may sit at levels 2 and 3.
const (
	levels  = 4
	entries = 512
)

// reach is how many bytes of addresses one entry of a level covers.
func reach(level int) uintptr { return arch.PageSize << (9 * (level - 1)) }

type table [entries]arch.PTE

func tableAt(pa uintptr) *table { return (*table)(unsafe.Pointer(pa)) }

// entry returns the entry for va in a table of the given level.
func (t *table) entry(va uintptr, level int) *arch.PTE {
	return &t[va/reach(level)%entries]
}

// lookup returns the deepest existing entry for va and its level. At level 1 it
// is the page's own, present or not; above it is a leaf, or absent.
func lookup(va uintptr) (e *arch.PTE, level int) {
	t := tableAt(arch.RootTable())
	for level = levels; ; level-- {
		e = t.entry(va, level)
		if level == 1 || !e.Present() || e.Leaf() {
			return e, level
		}
		t = tableAt(e.Address())
	}
}

// page returns the level 1 entry for va and makes the tables on the way, or nil
// if there is no memory for them. Large leaves on the way are split.
func page(va uintptr, raised bool) *arch.PTE {
	for {
		e, level := lookup(va)
		if level == 1 {
			return e
		}
		pa := phys.zeroed(raised)
		if pa == 0 {
			return nil
		}
		stats.Tables++
		if e.Present() {
			split(tableAt(pa), *e, level)
		}
		store(e, arch.MakeTable(pa))
		if level < levels {
			arch.FlushPage(va)
		}
	}
}

// split fills t with the leaves, one level down, that map what leaf maps.
func split(t *table, leaf arch.PTE, level int) {
	base := leaf.Address()
	const attributes = arch.PermBits | arch.KindBits
	for i := range t {
		offset := uintptr(i) * reach(level-1)
		if level > 2 {
			t[i] = leaf + arch.PTE(offset)
		} else {
			t[i] = arch.MakePTE(base+offset, 0)&^attributes | leaf&attributes
		}
	}
}

// store writes an entry that a table walker may be reading.
func store(e *arch.PTE, v arch.PTE) {
	atomic.StoreUint64((*uint64)(e), uint64(v))
}

// Shootdown makes every other processor drop all its translations before it
// returns. Package ipi sets it before it starts other processors. It is called
// at DISPATCH_LEVEL or above with interrupts enabled, and never with the lock
// of this package held.
var Shootdown func()

func shootdown() {
	switch {
	case arch.NumCPUs == 1:
	case arch.TLBBroadcast:
		arch.FlushTLB()
	case Shootdown != nil:
		Shootdown()
	}
}

// A batch is what one section under the lock does to a range of pages. Its
// bounds keep the section short and the batch on the stack.
const (
	batchPages   = 64  // pages taken away, or given
	batchEntries = 512 // entries looked at
)

type batch struct {
	n     int
	pages [batchPages]uintptr
}

// valid is the bit of an entry without which both architectures ignore the
// rest of it. An area that was made inaccessible keeps its pages in entries
// that lack it.
const valid = 1

// collect takes away the pages from va on and returns where it stopped.
func (b *batch) collect(va, hi uintptr) uintptr {
	for looked := 0; va < hi && b.n < batchPages && looked < batchEntries; looked++ {
		e, level := lookup(va)
		if level == 1 && *e != 0 {
			b.pages[b.n] = e.Address()
			b.n++
			store(e, 0)
			arch.FlushPage(va)
		}
		va = next(va, level)
	}
	return min(va, hi)
}

// next returns the first address beyond the reach of va's entry at a level.
func next(va uintptr, level int) uintptr { return (va | (reach(level) - 1)) + 1 }

// purge frees the pages of [lo, hi). A page goes back to the allocator only
// when no processor can reach it any more.
//
// From the first FlushPage to the shootdown of the others the caller must stay
// on its processor, hence the level.
func purge(lo, hi uintptr) {
	old := raise()
	for lo < hi {
		var b batch
		on := acquire()
		lo = b.collect(lo, hi)
		release(on)
		if b.n == 0 {
			continue
		}
		shootdown()
		on = acquire()
		for i := 0; i < b.n; i++ {
			phys.put(b.pages[i])
		}
		release(on)
	}
	lower(old)
}

// reprotect gives the pages that are there in [lo, hi) the permissions p.
func reprotect(lo, hi uintptr, p Prot) {
	old := raise()
	for lo < hi {
		on := acquire()
		changed := false
		for looked := 0; lo < hi && looked < batchEntries; looked++ {
			e, level := lookup(lo)
			if level == 1 && *e != 0 {
				if v := permit(*e, p); v != *e {
					store(e, v)
					arch.FlushPage(lo)
					changed = true
				}
			}
			lo = next(lo, level)
		}
		release(on)
		if changed {
			shootdown()
		}
	}
	lower(old)
}

// permit returns e with the permissions of an area with protection p.
func permit(e arch.PTE, p Prot) arch.PTE {
	if p&(Read|Write|Exec) == 0 {
		return e &^ valid
	}
	return withPerm(e, p.page()) | valid
}

func withPerm(e arch.PTE, p arch.Prot) arch.PTE {
	return e&^arch.PermBits | arch.MakePTE(0, p)&arch.PermBits
}

// raise keeps the caller on its processor until lower.
func raise() irql.Level {
	old := irql.Current()
	if old < irql.Dispatch {
		irql.Raise(irql.Dispatch)
	}
	return old
}

func lower(old irql.Level) {
	if old < irql.Dispatch {
		irql.Lower(old)
	}
}
