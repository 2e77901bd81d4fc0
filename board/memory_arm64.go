package board

import (
	"unsafe"

	"irqlab/arch"
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
	var t deviceTree
	if !t.open(deviceTreeBase) {
		return false
	}
	for t.property() {
		switch {
		case unit(t.node, "memory") && t.prop == "reg":
			for at := uintptr(0); at+16 <= t.size; at += 16 {
				base := uintptr(be64(t.data + at))
				addMemory(base, base+uintptr(be64(t.data+at+8)))
			}
		case unit(t.node, "cpu") && t.prop == "reg":
			if cpuCount < arch.MaxCPUs {
				cpuAffinity[cpuCount] = uint64(be32(t.data))
				if t.size == 8 {
					cpuAffinity[cpuCount] = be64(t.data)
				}
				cpuCount++
			}
		case t.node == "psci" && t.prop == "method":
			firmwareSMC = text(t.data) == "smc"
		case t.node == "chosen" && t.prop == "bootargs":
			commandLineLen = copy(commandLine[:], text(t.data))
		case t.node == "chosen" && t.prop == "rng-seed" && t.size >= 8:
			entropy = be64(t.data)
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
