package verifier

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/dpc"
	"irqlab/intr"
	"irqlab/kernel"
	"irqlab/ob"
	"irqlab/pool"
	"irqlab/sync"
)

// Parameter 1 of bug check DRIVER_VERIFIER_DETECTED_VIOLATION for a driver that is
// unloaded and has left something behind. Parameter 2 is its name, parameter 4 how
// much there is of it.
const (
	poolLeft = 0x62

	// What Windows has no number for.
	handlesLeft    = 0x10003
	referencesLeft = 0x10004
)

// executes is parameter 2 of bug check
// DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS: the code, parameter 1,
// would be executed.
const executes = 8

// maxListed is how many of the things left behind the stop screen lists.
const maxListed = 8

// thing is something that a driver has left behind.
type thing struct {
	what    string // such as "a timer"
	address uintptr
	n       uintptr // bytes or references
	code    uintptr // of the driver: its routine, or where it asked for the thing
}

// left is what is found of the driver that is being unloaded, one kind at a time.
// Drivers are unloaded one by one.
var left struct {
	name, code string
	n          int
	list       [maxListed]thing

	pool [maxListed]pool.Allocation
	dpcs [64]dpc.Info
	isrs [64]intr.Info
}

// Unloaded stops the machine if a driver that is unloaded has left something
// behind: first what would still call its code, a package with that import path,
// then handles, references to objects, and pool. The name is for the stop screen.
//
// IRQL: PASSIVE_LEVEL, one at a time
func Unloaded(name, code string) {
	if rules&Leaks == 0 {
		return
	}
	left.name, left.code = name, code
	var a kernel.Args
	kernel.Enter(findPending, &a)
	kernel.Enter(findHandles, &a)
	kernel.Enter(findReferences, &a)
	left.n = pool.Find(allocatedByDriver, left.pool[:])
	for i := range min(left.n, maxListed) {
		p := &left.pool[i]
		left.list[i] = thing{"pool", p.Address, p.Size, p.By}
	}
	stopLeft("a driver was unloaded without freeing all of its pool", poolLeft)
}

// ofDriver reports whether the code belongs to the driver. A return address may be
// just behind its function.
func ofDriver(code uintptr) bool { return code != 0 && bugcheck.PackageOf(code-1) == left.code }

func allocatedByDriver(a pool.Allocation) bool { return a.By != 0 && ofDriver(a.By) }

// found notes a thing if it is the driver's.
func found(what string, address, n, code uintptr) {
	if !ofDriver(code) {
		return
	}
	if left.n < maxListed {
		left.list[left.n] = thing{what, address, n, code}
	}
	left.n++
}

// findPending looks for what will call the driver's code, or is running it.
func findPending(*kernel.Args) {
	left.n = 0
	old := kernel.LockDispatcher()
	kernel.EachThread(func(t *kernel.Thread) bool {
		found("a thread", uintptr(unsafe.Pointer(t)), 0, routine(t.Routine))
		return true
	})
	sync.EachWorkItem(func(w *sync.WorkItem) bool {
		found("a work item", uintptr(unsafe.Pointer(w)), 0, routine(dpc.EntryPoint(w.Routine)))
		return true
	})
	for cpu := range arch.NumCPUs {
		kernel.EachTimer(cpu, func(t *kernel.Timer) bool {
			if t.DPC != nil {
				found("a timer", uintptr(unsafe.Pointer(t)), 0, routine(dpc.EntryPoint(t.DPC.Routine)))
			}
			return true
		})
	}
	kernel.UnlockDispatcher(old)
	for cpu := range arch.NumCPUs {
		for _, d := range left.dpcs[:min(dpc.List(cpu, left.dpcs[:]), len(left.dpcs))] {
			found("a DPC", d.Address, 0, routine(d.Routine))
		}
	}
	for _, i := range left.isrs[:min(intr.List(left.isrs[:]), len(left.isrs))] {
		found("an interrupt", i.Address, 0, routine(i.Routine))
	}
	if left.n == 0 {
		return
	}
	first := &left.list[0]
	bugcheck.Detail = detailLeft
	bugcheck.StopBecause("a driver was unloaded whose code will still be called, or runs",
		bugcheck.DriverUnloadedPending, first.code-1, executes, 0, first.address)
}

// routine makes of a routine's entry point an address as found wants it: one behind
// an instruction.
func routine(entry uintptr) uintptr {
	if entry == 0 {
		return 0
	}
	return entry + 1
}

func findHandles(*kernel.Args) {
	left.n = 0
	ob.EachHandle(func(h ob.Handle, o *kernel.ObjectHeader) bool {
		found(ob.Describe(o.TypeIndex).Name, uintptr(h), 0, state.handles[h.Index()])
		return true
	})
	stopLeft("a driver was unloaded without closing all of its handles", handlesLeft)
}

func findReferences(*kernel.Args) {
	left.n = 0
	on := acquire()
	for i := range state.references {
		if r := &state.references[i]; r.object > gone && r.n > 0 {
			found("references", r.object, uintptr(r.n), r.by)
		}
	}
	release(on)
	stopLeft("a driver was unloaded without dropping all of its references to objects", referencesLeft)
}

// stopLeft stops the machine if something was found.
func stopLeft(text string, rule uintptr) {
	if left.n != 0 {
		stop(text, detailLeft, rule, uintptr(unsafe.Pointer(unsafe.StringData(left.name))), 0, uintptr(left.n))
	}
}

func detailLeft() {
	bugcheck.Print("    driver ")
	bugcheck.Print(left.name)
	bugcheck.Print(", package ")
	bugcheck.Print(left.code)
	bugcheck.Print("\n")
	for i := range min(left.n, maxListed) {
		l := &left.list[i]
		bugcheck.Print("    ")
		bugcheck.Print(l.what)
		bugcheck.Print(" ")
		bugcheck.PrintAddress(l.address)
		if l.n != 0 {
			bugcheck.Print(": ")
			bugcheck.PrintDecimal(l.n)
		}
		bugcheck.Print("\n")
		bugcheck.PrintCalls([]uintptr{l.code}, nil)
	}
}
