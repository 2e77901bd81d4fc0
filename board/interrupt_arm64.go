package board

import (
	"irqlab/arch"
	"irqlab/fault"
)

// A vector is an INTID (Arm IHI 0069, 2.2.1): 0-15 software generated, one per
// IRQL; 16-31 private to a processor; from 32 on, the lines of devices.
//
// An interrupt of level n has priority (15-n)<<4, and the mask of IRQL n is the
// same number: an interrupt is delivered if its priority is lower in value.
const firstLine = 32

// Lines is the number of device lines on the virt machine (QEMU
// include/hw/arm/virt.h, NUM_IRQS).
const Lines = 256

// Spurious is what Acknowledge returns when there is nothing to do; it takes
// no EndOfInterrupt (IHI 0069, 2.2.1, INTID 1023).
const Spurious Vector = 1023

// lineLevels are the IRQLs of connected lines.
var lineLevels [Lines]uint8

func priority(level uintptr) uint8 { return uint8(15-level) << 4 }

// Distributor registers (IHI 0069, 12.9). Those of INTIDs are arrays of bits,
// bytes or words.
const (
	gicdCTLR       = gicDistributor + 0x0000
	gicdIGROUPR    = gicDistributor + 0x0080
	gicdISENABLER  = gicDistributor + 0x0100
	gicdICENABLER  = gicDistributor + 0x0180
	gicdIPRIORITYR = gicDistributor + 0x0400
	gicdIROUTER    = gicDistributor + 0x6000

	gicdEnableGroup1 = 1 << 1
	gicdAffinity     = 1 << 4 // ARE
	gicdRWP          = 1 << 31
)

// Redistributor registers: a frame for the processor, then one for its SGIs and
// PPIs (IHI 0069, 12.10, 12.11).
const (
	gicrTYPER      = 0x0008
	gicrWAKER      = 0x0014
	gicrStride     = 0x20000
	gicrIGROUPR0   = 0x10080
	gicrISENABLER0 = 0x10100
	gicrICENABLER0 = 0x10180
	gicrIPRIORITYR = 0x10400

	typerLast           = 1 << 4
	typerVirtualLPI     = 1 << 1 // two more frames
	typerAffinityShift  = 32
	wakerSleep          = 1 << 1
	wakerChildrenAsleep = 1 << 2
)

// InitInterrupts turns the distributor on, with every line disabled.
func InitInterrupts() {
	write32(gicdCTLR, 0)
	waitDistributor()
	for i := uintptr(0); i < Lines/32; i++ {
		write32(gicdICENABLER+4+i*4, ^uint32(0))
		write32(gicdIGROUPR+4+i*4, ^uint32(0))
	}
	write32(gicdCTLR, gicdAffinity)
	waitDistributor()
	write32(gicdCTLR, gicdAffinity|gicdEnableGroup1)
	waitDistributor()
}

// waitDistributor waits until register writes have taken effect.
func waitDistributor() {
	for read32(gicdCTLR)&gicdRWP != 0 {
		arch.Pause()
	}
}

// InitCPU enables the running processor's redistributor and CPU interface, its
// software interrupts and its timer.
func InitCPU(id uint32) {
	r := redistributor(arch.CPUs[id].Affinity())
	write32(r+gicrWAKER, read32(r+gicrWAKER)&^wakerSleep)
	for read32(r+gicrWAKER)&wakerChildrenAsleep != 0 {
		arch.Pause()
	}
	write32(r+gicrICENABLER0, ^uint32(0))
	write32(r+gicrIGROUPR0, ^uint32(0))
	for level := uintptr(0); level <= levelHigh; level++ {
		write8(r+gicrIPRIORITYR+level, priority(level))
	}
	write8(r+gicrIPRIORITYR+uintptr(vectorClock), priority(levelClock))
	write32(r+gicrISENABLER0, 0xfffe|1<<vectorClock)
	arch.EnableGroup1()
	initTimer()
}

// redistributor returns the address of the frames of the processor with the
// given affinity.
func redistributor(affinity uint64) uintptr {
	packed := affinity>>32<<24 | affinity&0xffffff // as GICR_TYPER has it
	for r := uintptr(gicRedistributor); ; {
		typer := read64(r + gicrTYPER)
		if typer>>typerAffinityShift == packed || typer&typerLast != 0 {
			return r
		}
		r += gicrStride
		if typer&typerVirtualLPI != 0 {
			r += gicrStride
		}
	}
}

// Acknowledge returns the interrupt being delivered, which becomes active: its
// level and those below are held back until EndOfInterrupt.
func Acknowledge(f *arch.Frame) Vector {
	if id := arch.AcknowledgeInterrupt(); id < firstLine+Lines {
		return Vector(id)
	}
	return Spurious
}

// Level returns the IRQL at which the vector is delivered.
func (v Vector) Level() uintptr {
	switch {
	case v <= levelHigh:
		return uintptr(v)
	case v == vectorClock:
		return levelClock
	case v >= firstLine && v < firstLine+Lines:
		return uintptr(lineLevels[v-firstLine])
	}
	return levelHigh
}

// EndOfInterrupt lets the vector's level be delivered again.
func EndOfInterrupt(v Vector) { arch.EndInterrupt(uint64(v)) }

// SoftVector returns the vector that SendIPI and RequestSelf use for a level.
func SoftVector(level uintptr) Vector { return Vector(level) }

// RequestSelf pends an interrupt of the given level on this processor. It is
// delivered as soon as the level allows.
func RequestSelf(level uintptr) { arch.SendSelfSGI(level) }

// SendIPI pends an interrupt of the given level on another processor.
func SendIPI(cpu uint32, level uintptr) {
	if fault.Now(fault.IPI) {
		return
	}
	arch.SendSGI(arch.CPUs[cpu].SGITarget() | uint64(level)<<24)
}

// SendNMI interrupts another processor at any level but HIGH: GICv3 without
// FEAT_GICv3_NMI has no interrupt that its mask can't hold back.
func SendNMI(cpu uint32) { SendIPI(cpu, levelHigh) }

// ConnectLine routes shared peripheral interrupt line to a processor at a
// level. Lines are level-sensitive.
func ConnectLine(line int, level uintptr, cpu uint32) Vector {
	id := uintptr(firstLine + line)
	lineLevels[line] = uint8(level)
	write8(gicdIPRIORITYR+id, priority(level))
	write64(gicdIROUTER+id*8, arch.CPUs[cpu].Affinity())
	write32(gicdISENABLER+id/32*4, 1<<(id%32))
	return Vector(id)
}

// DisconnectLine disables a line. An interrupt that was on its way may still
// come.
func DisconnectLine(line int) {
	id := uintptr(firstLine + line)
	write32(gicdICENABLER+id/32*4, 1<<(id%32))
	waitDistributor()
}
