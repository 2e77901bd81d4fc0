// Single instructions that Go has no name for.

#include "textflag.h"
#include "zz_offsets_arm64.h"

// IRQL n is the priority mask (15-n)<<4. ICC_PMR_EL1 writes are
// self-synchronizing (GIC IHI 0069, 12.2.18).
TEXT ·ReadIRQL(SB),NOSPLIT|NOFRAME,$0-8
	MRS	ICC_PMR_EL1, R0
	LSR	$4, R0
	EOR	$15, R0
	MOVD	R0, ret+0(FP)
	RET

TEXT ·WriteIRQL(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	level+0(FP), R0
	EOR	$15, R0
	LSL	$4, R0
	MSR	R0, ICC_PMR_EL1
	RET

// func RaiseIRQL(level uintptr) uintptr
TEXT ·RaiseIRQL(SB),NOSPLIT|NOFRAME,$0-16
	MOVD	level+0(FP), R0
	MRS	ICC_PMR_EL1, R1
	MRS	SPSel, R2
	EOR	$15, R0
	LSL	$4, R0
	CBZ	R2, raise
	CMP	R0, R1
	BLO	raise
	MSR	R0, ICC_PMR_EL1
	LSR	$4, R1
	EOR	$15, R1
	MOVD	R1, ret+8(FP)
	RET
raise:
	MOVD	$const_LookCloser, R0
	MOVD	R0, ret+8(FP)
	RET

TEXT ·DisableInterrupts(SB),NOSPLIT|NOFRAME,$0-1
	MRS	DAIF, R0
	MSR	$2, DAIFSet
	LSR	$7, R0	// I
	AND	$1, R0
	EOR	$1, R0
	MOVB	R0, ret+0(FP)
	RET

// SError is left masked from the vector on; whoever enables interrupts is ready
// for it as well.
TEXT ·EnableInterrupts(SB),NOSPLIT|NOFRAME,$0
	MSR	$7, DAIFClr
	RET

// WFI ends for an interrupt that DAIF masks, but not for one that the priority
// mask holds back.
TEXT ·Halt(SB),NOSPLIT|NOFRAME,$0
	DSB	$15
	WFI
	MSR	$2, DAIFClr
	ISB	$15
	MSR	$2, DAIFSet
	RET

TEXT ·Pause(SB),NOSPLIT|NOFRAME,$0
	YIELD
	RET

TEXT ·Breakpoint(SB),NOSPLIT|NOFRAME,$0
	BRK	$0
	RET

// ISB keeps the read from being done early (Arm ARM, D11.2.1).
TEXT ·Counter(SB),NOSPLIT|NOFRAME,$0-8
	ISB	$15
	MRS	CNTVCT_EL0, R0
	MOVD	R0, ret+0(FP)
	RET

TEXT ·Cycles(SB),NOSPLIT|NOFRAME,$0-8
	MRS	PMCCNTR_EL0, R0
	MOVD	R0, ret+0(FP)
	RET

TEXT ·ThisCPU(SB),NOSPLIT|NOFRAME,$0-8
	MRS	TPIDR_EL1, R0
	MOVD	R0, ret+0(FP)
	RET

TEXT ·ThisContext(SB),NOSPLIT|NOFRAME,$0-8
	MRS	TPIDR_EL0, R0
	MOVD	R0, ret+0(FP)
	RET

TEXT ·KernelContext(SB),NOSPLIT|NOFRAME,$0-8
	MRS	SPSel, R1
	MOVD	ZR, R0
	CBZ	R1, fromGo
	MRS	TPIDR_EL0, R0
fromGo:
	MOVD	R0, ret+0(FP)
	RET

TEXT ·InKernel(SB),NOSPLIT|NOFRAME,$0-1
	MRS	SPSel, R0
	MOVB	R0, ret+0(FP)
	RET

// The operand of TLBI by address is VA[55:12] (Arm ARM, C5.5.65). The barriers
// order the table entry before it for all table walkers, but the invalidation is
// waited for here only: under QEMU, one that is broadcast stops all processors.
TEXT ·FlushPage(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	va+0(FP), R0
	LSR	$12, R0
	DSB	$10	// ISHST
	TLBI	VAAE1, R0
	DSB	$7	// NSH
	ISB	$15
	RET

TEXT ·FlushTLB(SB),NOSPLIT|NOFRAME,$0
	DSB	$10
	TLBI	VMALLE1IS
	DSB	$11	// ISH
	ISB	$15
	RET

TEXT ·publish(SB),NOSPLIT|NOFRAME,$0
	DSB	$10
	ISB	$15
	RET

TEXT ·RootTable(SB),NOSPLIT|NOFRAME,$0-8
	MRS	TTBR0_EL1, R0
	MOVD	R0, ret+0(FP)
	RET

// The linker aligns segments to 64 KiB and starts the writable one with small
// tables of its own, so its start follows from the first symbol in it.
TEXT ·ImageBounds(SB),NOSPLIT|NOFRAME,$0-48
	MOVD	$runtime·text(SB), R0
	MOVD	R0, text+0(FP)
	MOVD	$runtime·etext(SB), R0
	ADD	$(const_PageSize-1), R0
	AND	$~(const_PageSize-1), R0
	MOVD	R0, etext+8(FP)
	MOVD	$runtime·rodata(SB), R0
	MOVD	R0, rodata+16(FP)
	MOVD	$runtime·noptrdata(SB), R0
	AND	$~0xffff, R0
	MOVD	R0, erodata+24(FP)
	MOVD	R0, data+32(FP)
	MOVD	$runtime·end(SB), R0
	MOVD	R0, end+40(FP)
	RET

TEXT ·GoEntry(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	$_rt0_arm64_linux(SB), R0
	MOVD	R0, ret+0(FP)
	RET

