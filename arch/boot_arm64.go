package arch

import "unsafe"

// The first gibibytes of QEMU's virt machine (hw/arm/virt.c, base_memmap).
// Flash at 0 stays unmapped, so that nil faults.
const (
	deviceBase = 0x0800_0000
	ramBase    = 0x4000_0000
)

const (
	blockSize = 2 << 20 // by an entry of level 2
	gigabyte  = 1 << 30 // by an entry of level 1
)

type pageTable [PageSize / 8]PTE

// bootTables are level 0, level 1, and level 2 for the first gibibyte: devices.
const bootTables = 3

// bootTableMemory has a page more than the tables need: the linker does not
// align to pages.
var bootTableMemory [bootTables + 1]pageTable

//go:nosplit
func bootTable(i uintptr) *pageTable {
	base := (uintptr(unsafe.Pointer(&bootTableMemory)) + PageSize - 1) &^ (PageSize - 1)
	return (*pageTable)(unsafe.Pointer(base + i*PageSize))
}

//go:nosplit
func (t *pageTable) address() uintptr { return uintptr(unsafe.Pointer(t)) }

// rootTable is the physical address of level 0.
var rootTable uintptr

// buildTables makes the identity map that the kernel starts in: devices, and
// the first gibibyte of RAM, where the image is. Package mm gives the image its
// permissions.
//
// It runs with the MMU off, where all memory is device memory: no unaligned
// access, no atomic, no block clear (Arm ARM DDI 0487, B2.7.2). Stores of whole
// words compile to what is allowed.
//
//go:nosplit
func buildTables() {
	root, level1, devices := bootTable(0), bootTable(1), bootTable(2)
	rootTable = root.address()
	root[0] = MakeTable(level1.address())
	level1[deviceBase/gigabyte] = MakeTable(devices.address())
	level1[ramBase/gigabyte] = makeBlock(ramBase, ProtWrite|ProtExec)
	for pa := uintptr(deviceBase); pa < ramBase; pa += blockSize {
		devices[pa/blockSize] = makeBlock(pa, ProtWrite|ProtDevice)
	}
}

// MapRAM extends the identity map over RAM up to end. The board calls it once
// it knows how much there is, before anything else of the map has changed.
func MapRAM(end uintptr) {
	level1 := bootTable(1)
	for pa := uintptr(ramBase + gigabyte); pa < end; pa += gigabyte {
		level1[pa/gigabyte] = makeBlock(pa, ProtWrite)
	}
	publish()
}

// Every kernel stack is the upper half of a slot of its size and alignment; the
// lower half is not mapped, or not used before package mm maps stacks. The
// vectors rely on it (trap_arm64.s).
const (
	stackSlot = 32 << 10
	stackSize = stackSlot / 2
)

// InterruptStackExtra is how many bytes an interrupt stack has more than other
// kernel stacks. None, for the vectors' sake: an interrupt takes 1.2 KiB of it.
const InterruptStackExtra = 0

// inGuard reports whether va lies in the guard below the stack that sp is on.
func inGuard(va, sp uintptr) bool {
	slot := (sp - 1) &^ (stackSlot - 1)
	return va >= slot && va < slot+stackSlot-stackSize
}

// Emergency stacks come two to a slot: nothing that runs on them is meant to
// survive an overflow.
const emergencySize = stackSize / 2

// stackMemory is a slot for the boot stack, then the emergency stacks, and what
// it takes to align them.
var stackMemory [(1 + MaxCPUs/2 + 1) * stackSlot]byte

// bootStackTop is the end of the first slot; start computes it too.
func bootStackTop() uintptr {
	return (uintptr(unsafe.Pointer(&stackMemory))+stackSlot-1)&^(stackSlot-1) + stackSlot
}

// Prepare fills in the block of processor id, which will start with its stack
// pointer at hi, the end of a stack slot.
func (c *CPU) Prepare(id uint32, hi uintptr) {
	c.Self = c
	c.ID = id
	c.machine.start = hi
	top := bootStackTop() + uintptr(id/2+1)*stackSlot - uintptr(id%2)*emergencySize
	c.machine.emergency.Init(top-emergencySize, top)
}

// init makes c the block of the running processor.
func (c *CPU) init() {
	setVectors(vectorBase())
	setThisCPU(c)
	c.machine.affinity = readMPIDR() & affinityMask
	c.machine.selfSGI = c.SGITarget()
	enableSystemInterface()
	WriteIRQL(15) // HIGH_LEVEL: also what a reset leaves
	startCycleCounter()
}

// initBoot prepares the boot processor. Called from start.
func initBoot() {
	FillPoison()
	CPUs[0].Prepare(0, bootStackTop())
	CPUs[0].init()
}

// initSecondary prepares another one. Called from secondary.
func initSecondary(c *CPU) { c.init() }

// SecondaryEntry returns the address where PSCI shall start a processor, with
// the address of its prepared CPU as the context.
func SecondaryEntry() uintptr

// only named by the linker
func start()
