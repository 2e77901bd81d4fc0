package bugcheck

import (
	"irqlab/arch"
)

// maxDepth bounds a back trace; deeper ones end with a note.
const maxDepth = 48

// Trace is a back trace: the PC where it starts, then return addresses.
type Trace struct {
	PCs  [maxDepth]uintptr
	FPs  [maxDepth]uintptr // where the frame record with the PC is; 0 if it is in none
	N    int
	More bool // there were more frames
	// Exact is true for the first PC when it is the interrupted instruction
	// and not a return address.
	Exact bool
}

// FromFrame walks from where a trap interrupted.
func (t *Trace) FromFrame(f *arch.Frame) {
	t.N, t.More, t.Exact = 0, false, true
	t.add(f.PC(), 0)
	// Before its prologue has run, and in a leaf without a frame, a function is
	// not in the chain yet: its caller is known from the return address alone.
	// The same goes for a call through a bad pointer.
	if frameless(f.PC()) {
		caller := f.Link()
		if caller == 0 {
			caller, _ = load(f.SP())
		}
		if inText(caller) {
			t.add(caller, 0)
		}
	}
	t.walk(f.BasePointer())
	t.resume()
}

// FromHere walks from the caller.
//
//go:noinline
func (t *Trace) FromHere() {
	t.N, t.More, t.Exact = 0, false, false
	t.walk(arch.FramePointer())
	t.resume()
}

// FromStack walks from a frame record, such as the one on top of the stack of a
// thread that does not run.
func (t *Trace) FromStack(fp uintptr) {
	t.N, t.More, t.Exact = 0, false, false
	t.walk(fp)
}

// walk follows the frame-pointer chain: at the frame pointer the caller's, in
// the word after it the return address, on both architectures. Gates and trap
// stubs link the chains of the two stacks they join, so it reaches from an ISR
// through the kernel to the goroutine.
func (t *Trace) walk(fp uintptr) {
	for {
		next, ok1 := load(fp)
		pc, ok2 := load(fp + 8)
		if !ok1 || !ok2 || pc == 0 {
			return
		}
		if !t.add(pc, fp) || next == fp {
			return
		}
		fp = next
	}
}

// resume goes on where the running thread's goroutine stands, if the trace has ended
// because the goroutine gave way to the Go runtime's scheduler, on another stack. The
// Go runtime may have forgotten by then whom it was about to switch from.
func (t *Trace) resume() {
	c := arch.ThisContext()
	if c == nil || c.Raised == 0 || t.N == 0 || !leavesGoroutine(t.Site(t.N-1)) {
		return
	}
	var saved [6]uintptr
	for i := range saved {
		var ok bool
		if saved[i], ok = load(c.Raised + schedOffset + uintptr(i)*8); !ok {
			return
		}
	}
	sp, pc, lr, fp := saved[0], saved[1], saved[4], saved[5]
	if !t.add(pc, 0) {
		return
	}
	if frameless(pc - 1) { // the stack is to grow for its frame
		if lr == 0 {
			lr, _ = load(sp)
		}
		if inText(lr) && !t.add(lr, 0) {
			return
		}
	}
	t.walk(fp)
}

// schedOffset is where runtime.g has its gobuf: the words sp, pc, g, ctxt, lr and bp
// (runtime/runtime2.go).
const schedOffset = 7 * 8

// leavesGoroutine reports whether pc is where the Go runtime goes from a goroutine's
// stack to the scheduler's.
func leavesGoroutine(pc uintptr) bool {
	var p positions
	var at Position
	if !p.find(pc) {
		return false
	}
	for p.next(&at) {
	}
	return at.Function == "runtime.mcall" || at.Function == "runtime.morestack"
}

func (t *Trace) add(pc, fp uintptr) bool {
	if t.N == len(t.PCs) {
		t.More = true
		return false
	}
	t.PCs[t.N], t.FPs[t.N] = pc, fp
	t.N++
	return true
}

// Caller returns the index of the first function that is not one of this package
// and its ways in, and has a frame record, or -1.
func (t *Trace) Caller() int {
	for i := range t.N {
		var p positions
		var at Position
		if t.FPs[i] == 0 || !p.find(t.Site(i)) {
			continue
		}
		for p.next(&at) {
		}
		if !leadsHere(at.Function) {
			return i
		}
	}
	return -1
}

// driverCall returns the address of the innermost call instruction that is none of
// the kernel's own, or 0.
func (t *Trace) driverCall() uintptr {
	for i := range t.N {
		if site := t.Site(i); inText(site) && driver(site) {
			return CallBefore(t.PCs[i])
		}
	}
	return 0
}

// Site returns an address inside the i-th call instruction.
func (t *Trace) Site(i int) uintptr {
	if i == 0 && t.Exact {
		return t.PCs[i]
	}
	return t.PCs[i] - 1
}

// frameless reports whether the code at pc has nothing on the stack.
func frameless(pc uintptr) bool {
	var p positions
	return !p.find(pc) || p.value(p.f.pcsp, pc) == 0
}

func inText(pc uintptr) bool {
	text, etext, _, _, _, _ := arch.ImageBounds()
	return text <= pc && pc < etext
}

// load reads a word if that cannot fault: it looks the address up in the
// translation tables first. Device registers are left alone, for reading them
// may have effects.
func load(va uintptr) (uintptr, bool) {
	if va%8 != 0 || va < arch.PageSize || !arch.Translated(va) {
		return 0, false
	}
	if !readable(va) {
		return 0, false
	}
	return *(*uintptr)(pointer(va)), true
}

// readableByte reports whether the byte at any address can be read.
func readableByte(va uintptr) bool { return va >= arch.PageSize && arch.Translated(va) && readable(va) }

func readable(va uintptr) bool {
	table := arch.RootTable()
	for shift := 39; ; shift -= 9 {
		e := *(*arch.PTE)(pointer(table + va>>shift%512*8))
		if !e.Present() {
			return false
		}
		if shift == 12 || e.Leaf() {
			return e.Prot()&arch.ProtDevice == 0
		}
		table = e.Address()
	}
}
