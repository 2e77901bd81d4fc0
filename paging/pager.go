package paging

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/disk"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/mm"
)

var (
	heapGate, pagerGate gate

	file  store
	pins  [mm.PagedPages]uint32      // by page: how often it is locked
	alive [mm.PagedPages / 64]uint64 // pages that are allocated
	stats Stats                      // pagerGate guards it
	batch [batchPages]uintptr        // addresses that are being unmapped
)

// batchPages is how many pages are unmapped at once, with one shootdown.
const batchPages = 64

// Stats counts pages, and what happened to them since boot.
type Stats struct {
	OnDisk    bool
	Places    int // in the page file, in pages
	Allocated int
	Resident  int // of those, in memory
	Present   int // of those, mapped
	Away      int // in the page file
	Locked    int

	Trimmed uint64 // pages unmapped
	Soft    uint64 // faults that mapped a page on standby
	Zeroed  uint64 // first touches
	Read    uint64 // pages read from the page file
	Written uint64 // to the page file
}

// Start opens the page file and starts the pager. Kernel context, once.
//
// IRQL: PASSIVE_LEVEL
func Start() {
	heapGate.init()
	pagerGate.init()
	file.open()
	startPool()
	if t, ok := kernel.NewKernelThread(pagerThread, 0, kernel.LowRealtime+1, "pager"); ok {
		kernel.Ready(t)
	}
}

// pagerPeriod is how often the pager looks whether memory is short.
const pagerPeriod = kernel.Second

// lowPages is how many free pages are too few.
const lowPages = 1024

func pagerThread(uintptr) {
	for {
		kernel.Delay(-pagerPeriod, false, kernel.KernelMode)
		if mm.ReadStats().Free < lowPages {
			old := pagerGate.acquire()
			if stats.Resident != 0 {
				trim()
				writeAll()
			}
			pagerGate.release(old)
		}
	}
}

// pageable counts the pages that are present: a word to look at without a lock.
var pageable uint64

func setPresent(n int) {
	stats.Present += n
	atomic.StoreUint64(&pageable, uint64(stats.Present))
}

// Fault serves a page fault in paged pool and reports whether the access can be
// repeated. It is called and returns with interrupts disabled, on the thread's
// kernel stack.
//
// Where the thread cannot wait only a page that is there meanwhile is served:
// another processor brought it in.
func Fault(f *arch.Frame, va uintptr) bool {
	if !mm.InPaged(va) {
		return false
	}
	if f.IRQL() >= uintptr(irql.Dispatch) || !f.InterruptsEnabled() {
		s, _ := mm.PagedState(va)
		return s == mm.PagePresent
	}
	arch.EnableInterrupts()
	old := pagerGate.acquire()
	ok := bring(va &^ (arch.PageSize - 1))
	pagerGate.release(old)
	arch.DisableInterrupts()
	return ok
}

// bring makes a page present, and reports whether there is such a page.
// pagerGate held.
func bring(va uintptr) bool {
	s, where := mm.PagedState(va)
	switch s {
	case mm.PageNone:
		return false
	case mm.PagePresent:
		return true
	case mm.PageStandby:
		stats.Soft++
	default:
		pa := memory(va)
		if s == mm.PageAway {
			place := int(where / arch.PageSize)
			if e := file.read(place, pa); e != disk.OK {
				bugcheck.Stop(bugcheck.KernelDataInpageError, uintptr(s), uintptr(e), uintptr(place), va)
			}
			file.release(place)
			stats.Read++
			stats.Away--
		} else {
			stats.Zeroed++
		}
		stats.Resident++
		where = pa
	}
	mm.SetPagedState(va, mm.PagePresent, where)
	setPresent(+1)
	return true
}

// memory returns a cleared page of RAM for the page at va: another one's, if there
// is no free one.
func memory(va uintptr) (pa uintptr) {
	for range 2 {
		var ok bool
		if pa, ok = mm.AllocPage(); ok {
			return pa
		}
		trim()
		writeAll()
	}
	bugcheck.Stop(bugcheck.NoPagesAvailable, 0, 0, 0, va)
	return 0
}

// each calls fn for every page that is allocated.
func each(fn func(va uintptr)) {
	for w, set := range &alive {
		for i := 0; set != 0; i++ {
			if set&1 != 0 {
				fn(mm.PagedAddress(w*64 + i))
			}
			set >>= 1
		}
	}
}

// trim unmaps every page that is not locked. pagerGate held.
func trim() {
	n := 0
	flush := func() {
		gone := mm.UnmapPresent(batch[:n])
		stats.Trimmed += uint64(gone)
		setPresent(-gone)
		n = 0
	}
	each(func(va uintptr) {
		if s, _ := mm.PagedState(va); s != mm.PagePresent || atomic.LoadUint32(&pins[mm.PagedIndex(va)]) != 0 {
			return
		}
		if batch[n] = va; n+1 == len(batch) {
			n++
			flush()
		} else {
			n++
		}
	})
	flush()
}

// writeAll writes the pages on standby to the page file, as many as there is room
// for, and frees their memory. pagerGate held.
func writeAll() {
	each(func(va uintptr) {
		s, pa := mm.PagedState(va)
		if s != mm.PageStandby {
			return
		}
		place, ok := file.reserve()
		if !ok {
			return
		}
		if file.write(place, pa) != disk.OK {
			file.release(place)
			return
		}
		mm.SetPagedState(va, mm.PageAway, uintptr(place)*arch.PageSize)
		mm.FreePage(pa)
		stats.Written++
		stats.Away++
		stats.Resident--
	})
}

// Trim unmaps every page of paged pool that is not locked: the next touch of each
// is a fault. PageOut also writes them to the page file and frees their memory.
//
// IRQL: <= APC_LEVEL
func Trim() { enter(trimmed, false) }

// PageOut takes every page of paged pool away that is not locked.
//
// IRQL: <= APC_LEVEL
func PageOut() { enter(trimmed, true) }

func enter(fn func(*kernel.Args), write bool) {
	var a kernel.Args
	if write {
		a.A = 1
	}
	kernel.EnterBlocking(fn, &a)
}

func trimmed(a *kernel.Args) {
	old := pagerGate.acquire()
	trim()
	if a.A != 0 {
		writeAll()
	}
	pagerGate.release(old)
}

// Raising is for irql.Raising, in verifier mode: it trims before a driver raises
// to DISPATCH_LEVEL or above. What a routine touches there was not necessarily
// present before, and now it certainly is not.
//
// IRQL: <= APC_LEVEL
func Raising() {
	if atomic.LoadUint64(&pageable) != 0 {
		arch.Gate(trimNow, nil)
	}
}

func trimNow(unsafe.Pointer) {
	if old, ok := pagerGate.try(); ok {
		trim()
		pagerGate.release(old)
	}
}

// ReadStats returns the counts of this moment.
//
// IRQL: <= APC_LEVEL
func ReadStats() (s Stats) {
	a := kernel.Args{P: unsafe.Pointer(&s)}
	kernel.EnterBlocking(readStats, &a)
	return s
}

func readStats(a *kernel.Args) {
	old := pagerGate.acquire()
	stats.OnDisk, stats.Places, stats.Locked = file.onDisk, file.places, int(atomic.LoadInt64(&locked))
	*(*Stats)(a.P) = stats
	pagerGate.release(old)
}
