package board

import (
	"irqlab/arch"
	"irqlab/fault"

	"github.com/usbarmory/tamago/amd64/lapic"
	"github.com/usbarmory/tamago/soc/intel/ioapic"
)

// The vector's upper four bits are its IRQL, as in 64-bit Windows: the local
// APIC holds back vectors whose class is not above CR8 (Intel SDM vol. 3A,
// 11.8.3.1).
const (
	vectorAPC      = 0x1F
	vectorDispatch = 0x2F
	vectorSoft     = 0x0E // low bits of a device level's software vector
	vectorClock    = 0xD1
	vectorIPI      = 0xE1
	vectorHigh     = 0xF1
	vectorSpurious = 0xFF
)

// Spurious is what Acknowledge returns when there is nothing to do; it takes
// no EndOfInterrupt (Intel SDM vol. 3A, 11.9).
const Spurious Vector = vectorSpurious

const lapicBase = 0xFEE00000

var (
	local = lapic.LAPIC{Base: lapicBase}
	io    = ioapic.IOAPIC{Index: 0, Base: 0xFEC00000}
)

// Local APIC registers that the TamaGo driver leaves to the board (Intel SDM
// vol. 3A, table 11-1).
const (
	lapicLVT0     = 0x350
	lapicLVT1     = 0x360
	lapicInitial  = 0x380
	lapicCurrent  = 0x390
	lapicDivide   = 0x3E0
	lvtMasked     = 1 << 16
	divideByOne   = 0b1011
	svrOffset     = 0xF0
	apicBaseMSR   = 0x1B
	apicBaseOn    = 1 << 11
	icrAssert     = 1 << 14
	deliverNMI    = 0b100 << 8
	deliverInit   = 0b101 << 8
	deliverSIPI   = 0b110 << 8
	destAllExcept = 0b11 << 18
	destSelf      = 0b01 << 18
)

// InitInterrupts masks the legacy 8259s; the I/O APIC starts with every line
// masked.
func InitInterrupts() {
	arch.Out8(0x21, 0xff)
	arch.Out8(0xA1, 0xff)
	io.Init()
}

// InitCPU enables the running processor's local APIC, with its local lines
// masked.
func InitCPU(id uint32) {
	arch.WriteMSR(apicBaseMSR, arch.ReadMSR(apicBaseMSR)|apicBaseOn)
	writeLocal(svrOffset, vectorSpurious)
	local.Enable()
	writeLocal(lapicLVT0, lvtMasked)
	writeLocal(lapicLVT1, lvtMasked)
	writeLocal(lapicDivide, divideByOne)
	local.SetTimer(vectorClock, lapic.TIMER_MODE_ONE_SHOT)
	arch.CPUs[id].SetAPICID(local.ID())
}

// Acknowledge returns the interrupt that made the frame.
func Acknowledge(f *arch.Frame) Vector { return Vector(f.Vector) }

// Level returns the IRQL at which the vector is delivered.
func (v Vector) Level() uintptr { return uintptr(v >> 4) }

// EndOfInterrupt lets the local APIC deliver the vector's level again.
func EndOfInterrupt(v Vector) { writeLocal(lapic.LAPIC_EOI, 0) }

// SoftVector returns the vector that SendIPI and RequestSelf use for a level.
func SoftVector(level uintptr) Vector { return softVectors[level&15] }

var softVectors = [16]Vector{
	levelAPC: vectorAPC, levelDispatch: vectorDispatch,
	3: 0x30 | vectorSoft, 4: 0x40 | vectorSoft, 5: 0x50 | vectorSoft, 6: 0x60 | vectorSoft, 7: 0x70 | vectorSoft,
	8: 0x80 | vectorSoft, 9: 0x90 | vectorSoft, 10: 0xA0 | vectorSoft, 11: 0xB0 | vectorSoft, 12: 0xC0 | vectorSoft,
	levelClock: vectorClock, levelIPI: vectorIPI, levelHigh: vectorHigh,
}

// RequestSelf pends an interrupt of the given level on this processor. It is
// delivered as soon as the level allows.
func RequestSelf(level uintptr) {
	writeLocal(lapic.LAPIC_ICRL, uint32(SoftVector(level))|icrAssert|destSelf)
}

// SendIPI pends an interrupt of the given level on another processor.
func SendIPI(cpu uint32, level uintptr) {
	if fault.Now(fault.IPI) {
		return
	}
	send(arch.CPUs[cpu].APICID(), uint32(SoftVector(level)))
}

// SendNMI interrupts another processor at any level.
func SendNMI(cpu uint32) { send(arch.CPUs[cpu].APICID(), deliverNMI) }

// send writes both halves of the ICR with interrupts disabled: an interrupt
// between them that sends too would redirect this one.
func send(apic, command uint32) {
	on := arch.DisableInterrupts()
	writeLocal(lapic.LAPIC_ICRH, apic<<24)
	writeLocal(lapic.LAPIC_ICRL, command|icrAssert)
	if on {
		arch.EnableInterrupts()
	}
}

// Lines is the number of interrupt lines, the inputs of the I/O APIC (Intel ICH9
// data sheet, 5.9).
const Lines = 24

// ConnectLine routes I/O APIC input line to a vector of the given level on the
// boot processor, whichever was asked for: TamaGo's driver knows no other.
func ConnectLine(line int, level uintptr, cpu uint32) Vector {
	v := Vector(level<<4 | uintptr(line&7))
	io.EnableInterrupt(line, int(v))
	return v
}

// DisconnectLine masks an I/O APIC input.
func DisconnectLine(line int) {
	writeIO(ioapic.IOAPICREDTBLn+uint32(line)*2, 1<<ioapic.REDTBL_MASK)
}
