package mm

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/fault"
	"irqlab/irql"
)

// lock guards all state of the package; see the package comment.
var lock uint32

// acquire disables interrupts and takes the package's lock. It returns what
// release needs. Go code that could be preempted by the Go runtime, and go on
// elsewhere, is stopped.
func acquire() (enabled bool) {
	if level := uintptr(irql.Current()); !arch.InKernel() && level < uintptr(irql.Dispatch) {
		bugcheck.StopBecause("Go code takes the memory manager's lock below DISPATCH_LEVEL",
			bugcheck.IRQLNotGreaterOrEqual, level, level, uintptr(irql.Dispatch), 0)
	}
	enabled = arch.DisableInterrupts()
	for !atomic.CompareAndSwapUint32(&lock, 0, 1) {
		for atomic.LoadUint32(&lock) != 0 {
			arch.Pause()
		}
	}
	return enabled
}

func release(enabled bool) {
	atomic.StoreUint32(&lock, 0)
	if enabled {
		arch.EnableInterrupts()
	}
}

// reservePages is the number of zeroed pages kept back for faults at
// DISPATCH_LEVEL and above. A raised routine can touch that many new pages
// however short memory is, and none of them costs it a clearing.
const reservePages = 64

// span is a range of RAM of which the pages from next on were never given out.
// They have not even been touched, so a large machine boots as fast as a small
// one.
type span struct {
	next, end uintptr
}

// physical is the page allocator: constant time, one word of state per page
// only while the page is free.
type physical struct {
	spans   [8]span
	current int     // span that fresh pages come from
	head    uintptr // of the list of freed pages, linked through their first words

	total uintptr // pages managed
	free  uintptr // of those, not in use; includes the reserve

	reserve  [reservePages]uintptr // zeroed
	reserved uintptr
}

var phys physical

// add gives the pages in [base, end) to the allocator. RAM in more pieces than
// there are spans is left unused.
func (p *physical) add(base, end uintptr) {
	base = (base + arch.PageSize - 1) &^ (arch.PageSize - 1)
	end &^= arch.PageSize - 1
	if base >= end {
		return
	}
	for i := range p.spans {
		if s := &p.spans[i]; s.end == 0 {
			*s = span{base, end}
			n := (end - base) / arch.PageSize
			p.total += n
			p.free += n
			return
		}
	}
}

// take returns a page with unknown contents, or 0 if there is none outside the
// reserve.
func (p *physical) take() uintptr {
	if fault.Now(fault.Page) {
		return 0
	}
	if pa := p.head; pa != 0 {
		p.head = *(*uintptr)(unsafe.Pointer(pa))
		p.free--
		return pa
	}
	for p.current < len(p.spans) {
		s := &p.spans[p.current]
		if s.next < s.end {
			pa := s.next
			s.next += arch.PageSize
			p.free--
			return pa
		}
		p.current++
	}
	return 0
}

// put takes a page back.
func (p *physical) put(pa uintptr) {
	*(*uintptr)(unsafe.Pointer(pa)) = p.head
	p.head = pa
	p.free++
}

// zeroed returns a cleared page, or 0. With raised set it prefers the reserve;
// otherwise it leaves the reserve alone.
func (p *physical) zeroed(raised bool) uintptr {
	if raised && p.reserved != 0 {
		p.reserved--
		p.free--
		return p.reserve[p.reserved]
	}
	pa := p.take()
	if pa != 0 {
		zero(pa, arch.PageSize)
	}
	return pa
}

// refill clears up to n pages for the reserve.
func (p *physical) refill(n int) {
	for ; n > 0 && p.reserved < reservePages; n-- {
		pa := p.take()
		if pa == 0 {
			return
		}
		zero(pa, arch.PageSize)
		p.reserve[p.reserved] = pa
		p.reserved++
		p.free++
	}
}

// zero clears memory. Its length is no constant here, so that the runtime's
// routine does it, with the best instructions there are.
//
//go:noinline
func zero(pa, n uintptr) { clear(unsafe.Slice((*byte)(unsafe.Pointer(pa)), n)) }

// Init takes over the machine's RAM and protects the image. Once, on the boot
// processor, before any other processor runs.
//
// The boot tables map RAM at its physical addresses; what they leave out is not
// used.
func Init() {
	for i := 0; ; i++ {
		base, size, ok := board.Memory(i)
		if !ok {
			break
		}
		phys.add(base, identityEnd(base, base+size))
	}
	phys.refill(reservePages)
	initRuns()
	protectImage()
}

// Refill tops up the reserve for raised faults by one page and reports whether
// it is still short. Idle processors call it.
func Refill() bool {
	on := acquire()
	phys.refill(1)
	short := phys.reserved < reservePages && phys.free > phys.reserved
	release(on)
	return short
}

// AllocPage returns a cleared page of RAM at its physical address.
//
// IRQL: any
func AllocPage() (pa uintptr, ok bool) {
	on := acquire()
	pa = phys.zeroed(raised())
	release(on)
	return pa, pa != 0
}

// FreePage takes a page of AllocPage back.
//
// IRQL: any
func FreePage(pa uintptr) {
	on := acquire()
	phys.put(pa)
	release(on)
}

// AllocContiguous returns pages adjacent pages of RAM, cleared, at their
// physical address, for devices that address memory themselves. They are taken
// from RAM that was never used, so drivers ask for them early and keep them.
//
// IRQL: any
func AllocContiguous(pages int) (pa uintptr, ok bool) {
	n := uintptr(pages) * arch.PageSize
	on := acquire()
	for i := range phys.spans {
		// From the top, so that the bump pointer is not disturbed.
		if s := &phys.spans[i]; s.end-s.next >= n && n != 0 {
			s.end -= n
			phys.free -= uintptr(pages)
			pa, ok = s.end, true
			break
		}
	}
	release(on)
	if ok {
		zero(pa, n)
	}
	return pa, ok
}

// Stats are counts of pages, and of faults since boot.
type Stats struct {
	Total    uintptr // RAM managed
	Free     uintptr // of that, not in use
	Reserve  uintptr // of that, zeroed and kept for raised faults
	Tables   uintptr // used by translation tables
	Charged  uintptr // promised to areas that are charged in full
	Areas    int     // areas of the Go runtime
	Faults   uint64  // pages provided on first touch
	Raised   uint64  // of those, at DISPATCH_LEVEL or above
	Spurious uint64  // faults that another processor had resolved already
}

// ReadStats returns the counts of this moment.
//
// IRQL: any
func ReadStats() Stats {
	on := acquire()
	s := stats
	s.Total, s.Free, s.Reserve = phys.total, phys.free, phys.reserved
	s.Areas, s.Charged = space.n, space.charged
	release(on)
	return s
}

var stats Stats // Tables and the fault counts

// raised reports whether the processor is at DISPATCH_LEVEL or above.
func raised() bool { return arch.ReadIRQL() >= 2 }
