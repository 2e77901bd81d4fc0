package board

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/board/fdt"
)

type memoryRange struct{ base, size uintptr }

var (
	memory      [4]memoryRange
	memoryCount int
)

// What else the device tree tells: the processors' affinities, and how firmware
// is called.
var (
	cpuAffinity [arch.MaxCPUs]uint64
	cpuCount    uint32
	firmwareSMC bool
)

// initMemory reads the device tree, which is not needed again: it lies in RAM
// that is given away.
func initMemory() bool {
	var t fdt.Tree
	if !t.Open(deviceTreeBase) {
		return false
	}
	for t.Next() {
		switch {
		case t.IsUnit("memory") && t.Name == "reg":
			for at := t.Data; at+16 <= t.Data+t.Size; at += 16 {
				base := uintptr(fdt.Uint64(at))
				addMemory(base, base+uintptr(fdt.Uint64(at+8)))
			}
		case t.IsUnit("cpu") && t.Name == "reg":
			if cpuCount < arch.MaxCPUs {
				cpuAffinity[cpuCount] = uint64(fdt.Uint32(t.Data))
				if t.Size == 8 {
					cpuAffinity[cpuCount] = fdt.Uint64(t.Data)
				}
				cpuCount++
			}
		case t.Node == "psci" && t.Name == "method":
			firmwareSMC = fdt.String(t.Data) == "smc"
		case t.Node == "chosen" && t.Name == "bootargs":
			commandLineLen = copy(commandLine[:], fdt.String(t.Data))
		case t.Node == "chosen" && t.Name == "rng-seed" && t.Size >= 8:
			entropy = fdt.Uint64(t.Data)
		}
	}
	return memoryCount > 0
}

// addMemory adds the RAM in [lo, hi) without the image.
func addMemory(lo, hi uintptr) {
	arch.MapRAM(hi)
	text, _, _, _, _, end := arch.ImageBounds()
	if lo < end && text < hi {
		addRange(lo, text)
		lo = end
	}
	addRange(lo, hi)
}

func addRange(lo, hi uintptr) {
	if lo < hi && memoryCount < len(memory) {
		memory[memoryCount] = memoryRange{lo, hi - lo}
		memoryCount++
	}
}

// Memory returns the i-th range of RAM that is free to use.
func Memory(i int) (base, size uintptr, ok bool) {
	if i >= memoryCount {
		return 0, 0, false
	}
	return memory[i].base, memory[i].size, true
}

// CommandLine returns the boot command line.
func CommandLine() string {
	return unsafe.String(&commandLine[0], commandLineLen)
}

// BootMemory returns the RAM that was used for booting and is not in the image:
// none.
func BootMemory() (lo, hi uintptr) { return 0, 0 }
