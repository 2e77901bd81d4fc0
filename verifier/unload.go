package verifier

import (
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/pool"
)

// leftBehind is parameter 1 of bug check DRIVER_VERIFIER_DETECTED_VIOLATION for a
// driver that is unloaded and has not freed all of its pool. Parameter 2 is its
// name, parameter 4 the number of allocations.
const leftBehind = 0x62

// maxListed is how many allocations the stop screen lists.
const maxListed = 8

// left is what stopLeft reports.
var left struct {
	name string
	tag  pool.Tag
	n    int
	list [maxListed]pool.Allocation
}

// Unloaded is for a driver that has done with everything: it stops the machine if
// one of the driver's allocations is left, which it knows by their tags. The name
// is for the stop screen.
//
// IRQL: <= APC_LEVEL
func Unloaded(name string, tags ...pool.Tag) {
	if rules&Leaks == 0 {
		return
	}
	for _, tag := range tags {
		if n := pool.Find(tag, left.list[:]); n != 0 {
			left.name, left.tag, left.n = name, tag, n
			stop("a driver was unloaded without freeing all of its pool", detailLeft, leftBehind,
				uintptr(unsafe.Pointer(unsafe.StringData(name))), 0, uintptr(n))
		}
	}
}

func detailLeft() {
	chars := left.tag.Chars()
	bugcheck.Print("    driver ")
	bugcheck.Print(left.name)
	bugcheck.Print(", tag ")
	bugcheck.PrintBytes(chars[:])
	bugcheck.Print("\n")
	for _, a := range left.list[:min(left.n, maxListed)] {
		bugcheck.Print("        ")
		bugcheck.PrintAddress(a.Address)
		bugcheck.Print(": ")
		bugcheck.PrintDecimal(a.Size)
		bugcheck.Print(" bytes")
		if a.Paged {
			bugcheck.Print(", paged")
		}
		bugcheck.Print("\n")
	}
}
