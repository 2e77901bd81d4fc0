// Primitives by the register ABI: arguments and result in R0, every register
// but g, R29, R30 and RSP free to use. See primitive.go.

#include "textflag.h"

TEXT thisCPU<>(SB),NOSPLIT|NOFRAME,$0
	MRS	TPIDR_EL1, R0
	RET

TEXT thisContext<>(SB),NOSPLIT|NOFRAME,$0
	MRS	TPIDR_EL0, R0
	RET

TEXT inKernel<>(SB),NOSPLIT|NOFRAME,$0
	MRS	SPSel, R0
	RET

// IRQL n is the priority mask (15-n)<<4. ICC_PMR_EL1 writes are
// self-synchronizing (GIC IHI 0069, 12.2.18).
TEXT readIRQL<>(SB),NOSPLIT|NOFRAME,$0
	MRS	ICC_PMR_EL1, R0
	LSR	$4, R0
	EOR	$15, R0
	RET

TEXT writeIRQL<>(SB),NOSPLIT|NOFRAME,$0
	EOR	$15, R0
	LSL	$4, R0
	MSR	R0, ICC_PMR_EL1
	RET

// raiseIRQL sets the level and returns the old one. It does nothing and returns
// ^0 where the caller must look closer: a lowering, or Go code of a thread.
TEXT raiseIRQL<>(SB),NOSPLIT|NOFRAME,$0
	MRS	SPSel, R1
	MRS	ICC_PMR_EL1, R2
	EOR	$15, R0
	LSL	$4, R0
	CBZ	R1, slow
	CMP	R0, R2
	BLO	slow
	MSR	R0, ICC_PMR_EL1
	LSR	$4, R2
	EOR	$15, R2, R0
	RET
slow:
	MOVD	$-1, R0
	RET

// lowerIRQL likewise; it returns 0 when it has set the level.
TEXT lowerIRQL<>(SB),NOSPLIT|NOFRAME,$0
	MRS	SPSel, R1
	MRS	ICC_PMR_EL1, R2
	EOR	$15, R0
	LSL	$4, R0
	CBZ	R1, slow
	CMP	R0, R2
	BHI	slow
	MSR	R0, ICC_PMR_EL1
	MOVD	$0, R0
	RET
slow:
	MOVD	$-1, R0
	RET

TEXT pause<>(SB),NOSPLIT|NOFRAME,$0
	YIELD
	RET

// ISB keeps the read from being done early (Arm ARM, D11.2.1).
TEXT counter<>(SB),NOSPLIT|NOFRAME,$0
	ISB	$15
	MRS	CNTVCT_EL0, R0
	RET

TEXT cycles<>(SB),NOSPLIT|NOFRAME,$0
	MRS	PMCCNTR_EL0, R0
	RET

TEXT ·primitiveCode(SB),NOSPLIT|NOFRAME,$0-80
	MOVD	$thisCPU<>(SB), R0
	MOVD	R0, ret+0(FP)
	MOVD	$thisContext<>(SB), R0
	MOVD	R0, ret+8(FP)
	MOVD	$inKernel<>(SB), R0
	MOVD	R0, ret+16(FP)
	MOVD	$readIRQL<>(SB), R0
	MOVD	R0, ret+24(FP)
	MOVD	$writeIRQL<>(SB), R0
	MOVD	R0, ret+32(FP)
	MOVD	$raiseIRQL<>(SB), R0
	MOVD	R0, ret+40(FP)
	MOVD	$lowerIRQL<>(SB), R0
	MOVD	R0, ret+48(FP)
	MOVD	$pause<>(SB), R0
	MOVD	R0, ret+56(FP)
	MOVD	$counter<>(SB), R0
	MOVD	R0, ret+64(FP)
	MOVD	$cycles<>(SB), R0
	MOVD	R0, ret+72(FP)
	RET
