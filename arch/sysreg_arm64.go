package arch

import "unsafe"

// defined in sysreg_arm64.s

// AcknowledgeInterrupt reads ICC_IAR1_EL1: the INTID of the interrupt that
// becomes active, 1020 or above if there is none (GIC IHI 0069, 12.2.10).
func AcknowledgeInterrupt() uint64

// EndInterrupt writes ICC_EOIR1_EL1: the interrupt is no longer active and the
// running priority drops (IHI 0069, 12.2.8).
func EndInterrupt(id uint64)

// SendSGI writes ICC_SGI1R_EL1 (IHI 0069, 12.2.22). See CPU.SGITarget.
func SendSGI(v uint64)

// SendSelfSGI pends software interrupt id on the running processor.
func SendSelfSGI(id uintptr)

// EnableGroup1 lets the CPU interface signal Group 1 interrupts: every
// implemented priority bit preempts (ICC_BPR1_EL1 0), EOI deactivates as well
// (ICC_CTLR_EL1.EOImode 0).
func EnableGroup1()

// SetTimerCompare writes CNTV_CVAL_EL0, the counter value at which the virtual
// timer asserts its interrupt (Arm ARM, D11.2.4).
func SetTimerCompare(v uint64)

// SetTimerControl writes CNTV_CTL_EL0: 1 enable, 2 mask.
func SetTimerControl(v uint64)

// CounterFrequency reads CNTFRQ_EL0, in Hz.
func CounterFrequency() uint64

// ReadISAR0 reads ID_AA64ISAR0_EL1: which optional instructions there are.
func ReadISAR0() uint64

// HVC and SMC make a call by the SMC Calling Convention (Arm DEN 0028) with
// three arguments.
func HVC(fn, a, b, c uintptr) uintptr
func SMC(fn, a, b, c uintptr) uintptr

// Semihost makes a semihosting call (Arm "Semihosting for AArch32 and
// AArch64", 3.1). Without a host that listens, it is an undefined instruction.
//
//go:noescape
func Semihost(op uintptr, arg unsafe.Pointer) uintptr

func enableSystemInterface()
func readMPIDR() uint64
func startCycleCounter()
func setVectors(base uintptr)
func setThisCPU(c *CPU)
