package linux

import (
	"irqlab/arch"
	"irqlab/board"
)

// processID is the one process's ID: as on Linux, that of its first thread.
var processID uintptr

// Exit ends the machine with a status, its last line on the console.
//
// IRQL: any
func Exit(status int32) {
	seizeConsole()
	putString("irqlab: exit ")
	putDecimal(uint32(status & 0xff))
	putString("\n")
	board.Exit(uint8(status))
	for {
		arch.Pause()
	}
}

// schedGetaffinity stores the set of processors the thread may run on.
func schedGetaffinity(s *state, n, p uintptr) uintptr {
	if n < 8 || n%8 != 0 {
		return eINVAL.result()
	}
	if !writable(p, 8) {
		return eFAULT.result()
	}
	*(*uint64)(pointer(p)) = uint64(s.thread().Affinity) & (1<<arch.NumCPUs - 1)
	return 8
}

// Resources of prlimit(2).
const (
	limitStack = 3
	limitFiles = 7
)

const unlimited = ^uint64(0)

func prlimit(resource, old uintptr) uintptr {
	if old == 0 {
		return 0 // a new limit is accepted and means nothing
	}
	if !writable(old, 16) {
		return eFAULT.result()
	}
	limit := unlimited
	switch resource {
	case limitStack:
		limit = stackBytes
	case limitFiles:
		limit = maxFiles
	}
	*(*[2]uint64)(pointer(old)) = [2]uint64{limit, limit}
	return 0
}

// uname tells the standard library's checks of kernel versions that calls of
// the last years are missing.
func uname(p uintptr) uintptr {
	const field = 65
	if !writable(p, 6*field) {
		return eFAULT.result()
	}
	b := bytesAt(p, 6*field)
	clear(b)
	copy(b, "Linux")
	copy(b[field:], "irqlab")
	copy(b[2*field:], "4.19.0-irqlab")
	copy(b[3*field:], "irqlab")
	copy(b[4*field:], machine)
	return 0
}

// getrusage reports the time used; counts of faults and switches are 0.
func getrusage(p uintptr) uintptr {
	if !writable(p, 18*8) {
		return eFAULT.result()
	}
	b := (*[18]uint64)(pointer(p))
	*b = [18]uint64{}
	ns := processTime()
	b[0], b[1] = ns/1e9, ns%1e9/1e3
	return 0
}

func getcwd(p, n uintptr) uintptr {
	if n < 2 {
		return eRANGE.result()
	}
	if !writable(p, 2) {
		return eFAULT.result()
	}
	copy(bytesAt(p, 2), "/\x00")
	return 2
}
