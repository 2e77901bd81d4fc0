package linux

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/mm"
)

// accessible reports whether a program may pass [p, p+n): it lies in an area
// with the permissions wanted, or in the image. Read-only data of the image
// counts as writable here; storing there would be the kernel's own fault, and
// stop the machine.
func accessible(p, n uintptr, want mm.Prot) bool {
	text, _, _, _, _, end := arch.ImageBounds()
	if text <= p && p+n <= end && p+n >= p {
		return true
	}
	return mm.Accessible(p, n, want)
}

func readable(p, n uintptr) bool { return accessible(p, n, mm.Read) }
func writable(p, n uintptr) bool { return accessible(p, n, mm.Write) }

// timespec is struct timespec of 64-bit Linux.
type timespec struct{ sec, nsec int64 }

// maxSeconds keeps a time in ns within 64 bits: 292 years.
const maxSeconds = 1<<63/1_000_000_000 - 1

// ns returns the time in nanoseconds, at most what fits.
func (t timespec) ns() int64 {
	if t.sec > maxSeconds {
		return 1<<63 - 1
	}
	return t.sec*1_000_000_000 + t.nsec
}

func (t timespec) valid() bool { return t.sec >= 0 && uint64(t.nsec) < 1_000_000_000 }

func (t *timespec) set(ns uint64) {
	t.sec, t.nsec = int64(ns/1_000_000_000), int64(ns%1_000_000_000)
}

// readTimespec copies a time from the program.
func readTimespec(p uintptr) (t timespec, e errno) {
	if !readable(p, unsafe.Sizeof(t)) {
		return t, eFAULT
	}
	t = *(*timespec)(pointer(p))
	if !t.valid() {
		return t, eINVAL
	}
	return t, 0
}

func writeTimespec(p uintptr, ns uint64) uintptr {
	if !writable(p, unsafe.Sizeof(timespec{})) {
		return eFAULT.result()
	}
	(*timespec)(pointer(p)).set(ns)
	return 0
}

// pointer turns an address that the program passed into a pointer. What it
// points to is off the kernel's stacks and never moves.
func pointer(p uintptr) unsafe.Pointer { return unsafe.Pointer(p) }

// bytesAt returns [p, p+n) as a slice.
func bytesAt(p, n uintptr) []byte { return unsafe.Slice((*byte)(pointer(p)), n) }
