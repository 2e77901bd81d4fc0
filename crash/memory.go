package crash

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/dump"
	"irqlab/intr"
	"irqlab/kernel"
	"irqlab/mm"
)

func pointer(pa uintptr) unsafe.Pointer { return unsafe.Pointer(pa) }

// segment is a range of memory that a dump shows: adjacent virtual and physical
// pages.
type segment struct {
	va, pa, size uintptr
	shared       bool // its bytes are in the file already, as RAM
}

// source is a kind of memory that a dump may hold.
type source uint8

const (
	ram         source = iota // all of it, where it is
	imageData                 // the image's variables
	tables                    // translation tables
	kernelSpace               // kernel stacks and pool
	goSpace                   // memory of the Go runtime
	windows                   // what is worth having in the smallest dump
	sources
)

// holds says which memory each kind of dump holds.
func holds(k dump.Kind, s source) bool {
	switch k {
	case dump.Complete:
		return s == ram || s == kernelSpace || s == goSpace
	case dump.Active:
		return s == imageData || s == tables || s == kernelSpace || s == goSpace
	case dump.Kernel:
		return s == imageData || s == tables || s == kernelSpace || s == windows
	case dump.Small:
		return s == windows
	}
	return false
}

// cursor yields the segments of a dump, every time the same ones.
type cursor struct {
	kind   dump.Kind
	source source
	at     uintptr // address, or index, where the source goes on
	walk   tableWalk
}

func (c *cursor) next(s *segment) bool {
	for ; c.source < sources; c.source, c.at = c.source+1, 0 {
		if holds(c.kind, c.source) && c.from(s) {
			s.shared = c.kind == dump.Complete && c.source != ram
			return true
		}
	}
	return false
}

// from yields the next segment of the source.
func (c *cursor) from(s *segment) bool {
	switch c.source {
	case ram:
		for {
			lo, hi, ok := mm.RAM(int(c.at))
			if !ok {
				return false
			}
			c.at++
			if hi > lo {
				*s = segment{va: lo, pa: lo, size: hi - lo}
				return true
			}
		}
	case imageData:
		lo, hi := data()
		return c.run(s, lo, hi)
	case kernelSpace:
		return c.run(s, arch.KernelBase, mm.KernelEnd)
	case goSpace:
		return c.run(s, mm.AreaFloor, mm.AreaCeiling)
	case tables:
		return c.table(s)
	case windows:
		return c.window(s)
	}
	return false
}

// data returns the pages of the image's variables.
func data() (lo, hi uintptr) {
	_, _, _, _, lo, hi = arch.ImageBounds()
	const mask = arch.PageSize - 1
	return lo &^ mask, (hi + mask) &^ mask
}

func (c *cursor) run(s *segment, lo, hi uintptr) bool {
	r, ok := mm.NextRun(max(c.at, lo), hi, true)
	if ok {
		*s = segment{va: r.Lo, pa: r.PA, size: r.Hi - r.Lo}
		c.at = r.Hi
	}
	return ok
}

// table yields the translation tables, but for those in the image's variables.
func (c *cursor) table(s *segment) bool {
	lo, hi := data()
	for {
		pa, ok := c.walk.next()
		if !ok {
			return false
		}
		if pa < lo || pa >= hi {
			*s = segment{va: pa, pa: pa, size: arch.PageSize}
			return true
		}
	}
}

// tableWalk visits all translation tables, each before those below it.
type tableWalk struct {
	depth int // tables on the path; 0 at the start
	path  [tableLevels]struct {
		pa uintptr
		i  int
	}
	done bool
}

const (
	tableLevels  = 4
	tableEntries = arch.PageSize / 8
)

func (w *tableWalk) next() (pa uintptr, ok bool) {
	if w.done {
		return 0, false
	}
	if w.depth == 0 {
		return w.enter(arch.RootTable())
	}
	for w.depth > 0 {
		top := &w.path[w.depth-1]
		for w.depth < tableLevels && top.i < tableEntries {
			e := (*[tableEntries]arch.PTE)(pointer(top.pa))[top.i]
			top.i++
			if e.Present() && !e.Leaf() && mm.InRAM(e.Address(), arch.PageSize) {
				return w.enter(e.Address())
			}
		}
		w.depth--
	}
	w.done = true
	return 0, false
}

func (w *tableWalk) enter(pa uintptr) (uintptr, bool) {
	w.path[w.depth].pa, w.path[w.depth].i = pa, 0
	w.depth++
	return pa, true
}

// chosen are the ranges of pages that source windows yields.
var chosen struct {
	n      int
	ranges [128]struct{ lo, hi uintptr }
}

// stackPages is how much of a stack above its pointer is worth having.
const stackPages = 8

// choose decides on the windows: the processors' blocks, threads and stacks, and
// the record of the stop.
func choose(r *bugcheck.Record) {
	add(uintptr(unsafe.Pointer(&arch.NumCPUs)), unsafe.Sizeof(arch.NumCPUs))
	for cpu := range arch.NumCPUs {
		add(uintptr(unsafe.Pointer(&arch.CPUs[cpu])), unsafe.Sizeof(arch.CPUs[cpu]))
		if f := r.Frames[cpu]; f != nil {
			add(uintptr(unsafe.Pointer(f)), unsafe.Sizeof(*f))
			add(f.SP(), stackPages*arch.PageSize)
		} else if cpu != r.CPU {
			called.FromStack(r.Stacks[cpu])
			chooseStack(&called)
		}
	}
	add(uintptr(unsafe.Pointer(r)), unsafe.Sizeof(*r))
	chooseStack(&r.Trace)
	kernel.Essentials(add)
	intr.Essentials(add)
}

func chooseStack(t *bugcheck.Trace) {
	for _, fp := range t.FPs[:t.N] {
		if fp != 0 {
			add(fp, 2*arch.PageSize)
		}
	}
}

// add adds the pages of [va, va+n) that are not chosen yet.
func add(va, n uintptr) {
	c := &chosen
next:
	for p := va &^ (arch.PageSize - 1); p < va+n; p += arch.PageSize {
		extend := -1
		for i := range c.n {
			if r := &c.ranges[i]; r.lo <= p && p < r.hi {
				continue next
			} else if r.hi == p {
				extend = i
			}
		}
		switch {
		case extend >= 0:
			c.ranges[extend].hi += arch.PageSize
		case c.n < len(c.ranges):
			c.ranges[c.n].lo, c.ranges[c.n].hi = p, p+arch.PageSize
			c.n++
		}
	}
}

// window yields what is mapped of the windows. The cursor's position is the
// number of the window, above its address's low bits: pages are aligned.
func (c *cursor) window(s *segment) bool {
	for {
		i, at := int(c.at%arch.PageSize), c.at&^(arch.PageSize-1)
		if i >= chosen.n {
			return false
		}
		w := &chosen.ranges[i]
		if r, ok := mm.NextRun(max(at, w.lo), w.hi, true); ok {
			c.at = r.Hi | uintptr(i)
			if !(c.kind == dump.Kernel && inKernel(r.Lo)) {
				*s = segment{va: r.Lo, pa: r.PA, size: r.Hi - r.Lo}
				return true
			}
			continue
		}
		c.at = uintptr(i + 1)
	}
}

// inKernel reports whether a kernel dump holds va anyhow.
func inKernel(va uintptr) bool {
	lo, hi := data()
	return va >= arch.KernelBase && va < mm.KernelEnd || va >= lo && va < hi
}
