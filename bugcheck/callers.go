package bugcheck

import (
	"sync/atomic"

	"irqlab/arch"
)

// Callers stores the return addresses of the calls that led to it, the innermost
// first, and returns how many it found. It may be called at any level: like a
// back trace it looks each stack up in the translation tables before it reads it,
// but only once per page.
//
// IRQL: any
//
//go:noinline
func Callers(pcs []uintptr) int {
	fp, checked := arch.FramePointer(), uintptr(0)
	for n := range pcs {
		const last = arch.PageSize - 8
		page := fp &^ (arch.PageSize - 1)
		if page != checked || fp&(arch.PageSize-1) == last {
			if _, ok := load(fp); !ok {
				return n
			}
			if _, ok := load(fp + 8); !ok {
				return n
			}
			checked = page
		}
		next, pc := *(*uintptr)(pointer(fp)), *(*uintptr)(pointer(fp + 8))
		if pc == 0 {
			return n
		}
		pcs[n] = pc
		if next == fp || next%8 != 0 {
			return n + 1
		}
		fp = next
	}
	return len(pcs)
}

// KernelCaller reports whether the call that returns to pc was made by a function
// of the kernel's own packages.
//
// IRQL: any
func KernelCaller(pc uintptr) bool {
	const own = 1
	known := &callers[pc/4%uintptr(len(callers))]
	word := atomic.LoadUintptr(known)
	if word>>1 != pc {
		if word = pc << 1; !driver(pc - 1) {
			word |= own
		}
		atomic.StoreUintptr(known, word)
	}
	return word&own != 0
}

// callers is what KernelCaller has found: return addresses, one bit to the left,
// and in that bit the answer. The tables of functions are slow, and the verifier asks
// at every wait and allocation.
var callers [1024]uintptr

// DriverCaller returns the return address of the innermost call that a function of
// none of the kernel's own packages made, or 0.
//
// IRQL: any
//
//go:noinline
func DriverCaller() uintptr {
	var all [32]uintptr
	n := Callers(all[:])
	for _, pc := range all[:n] {
		if !KernelCaller(pc) {
			return pc
		}
	}
	return 0
}

// PackageOf returns the import path of the package whose function has the
// instruction at pc, or "". Code that was inlined belongs to the function that it
// was inlined into.
//
// IRQL: any
func PackageOf(pc uintptr) string {
	var p positions
	var at Position
	if !p.find(pc) {
		return ""
	}
	for p.next(&at) {
	}
	return packageOf(at.Function)
}

// packageOf cuts a function's name at the first dot behind the last slash of the
// path; a generic function's type arguments, in brackets, may have more of both.
func packageOf(function string) string {
	dot := 0
	for i := range len(function) {
		switch c := function[i]; {
		case c == '[':
			return function[:dot]
		case c == '/':
			dot = 0
		case c == '.' && dot == 0:
			dot = i
		}
	}
	return function[:dot]
}
