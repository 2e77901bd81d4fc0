package board

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
)

// Init prepares console, memory map and command line. Boot processor, once. It
// reports whether the loader's information was usable.
func Init() bool {
	initConsole()
	ok := initMemory()
	offerMemory()
	return ok
}

// PSCI functions and results (Arm DEN 0022, 5.1.4, 5.1.9, 5.1.10, 5.2.2).
const (
	psciCPUOn       = 0xC4000003
	psciSystemOff   = 0x84000008
	psciSystemReset = 0x84000009
	psciSuccess     = 0
)

func firmware(fn, a, b, c uintptr) uintptr {
	if firmwareSMC {
		return arch.SMC(fn, a, b, c)
	}
	return arch.HVC(fn, a, b, c)
}

// CPUCount returns the number of processors of the machine, up to arch.MaxCPUs.
func CPUCount() uint32 { return cpuCount }

// StartPages is empty: PSCI starts a processor in the image itself.
func StartPages() (lo, hi uintptr) { return 0, 0 }

// StartCPUs starts processors 1 to n-1 in the order of the device tree, whose
// first is the boot processor, each on the stack whose top is in stacks, and
// returns the number of processors that run: the first that has not reported
// in time is left out, with all that follow.
func StartCPUs(n uint32, stacks *[arch.MaxCPUs]uintptr) uint32 {
	for id := uint32(1); id < n; id++ {
		c := &arch.CPUs[id]
		c.Prepare(id, stacks[id])
		if firmware(psciCPUOn, uintptr(cpuAffinity[id]), arch.SecondaryEntry(), uintptr(unsafe.Pointer(c))) != psciSuccess {
			return id
		}
		for since := arch.Counter(); atomic.LoadUint32(&c.Started) == 0; {
			if arch.Counter()-since > startPatience*CounterHz() {
				return id
			}
			arch.Pause()
		}
	}
	return n
}

// Semihosting (Arm "Semihosting for AArch32 and AArch64", 6.10): the reason and
// the status.
const (
	semihostExitExtended   = 0x20
	stoppedApplicationExit = 0x20026
)

var exitBlock [2]uint64

// Exit leaves QEMU. Semihosting can give any status; it is the one that
// isa-debug-exit makes of status on x86-64, unlike every failure of QEMU
// itself. Where nobody listens to semihosting, the machine is turned off.
func Exit(status uint8) {
	arch.DisableInterrupts()
	again := exitBlock[0] != 0 // HLT was undefined, and that ended here
	exitBlock = [2]uint64{stoppedApplicationExit, uint64((0x10^status&0x7f)<<1 | 1)}
	if !again {
		arch.Semihost(semihostExitExtended, unsafe.Pointer(&exitBlock))
	}
	firmware(psciSystemOff, 0, 0, 0)
	for {
		arch.Halt()
	}
}

// Reset starts the machine anew.
func Reset() {
	arch.DisableInterrupts()
	firmware(psciSystemReset, 0, 0, 0)
	for {
		arch.Halt()
	}
}
