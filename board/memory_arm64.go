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

// initMemory reads the device tree. It stays where it is, below the image, but
// nobody looks at it again.
func initMemory() bool {
	var t deviceTree
	if !t.open(deviceTreeBase) {
		return false
	}
	for t.property() {
		switch {
		case unit(t.node, "memory") && t.prop == "reg":
			for at := uintptr(0); at+16 <= t.size && memoryCount < len(memory); at += 16 {
				memory[memoryCount] = memoryRange{uintptr(be64(t.data + at)), uintptr(be64(t.data + at + 8))}
				arch.MapRAM(memory[memoryCount].base + memory[memoryCount].size)
				memoryCount++
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

// Memory returns the i-th range of RAM.
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
