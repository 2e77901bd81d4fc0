// The fast path of raising and lowering IRQL by the register ABI (see level.go):
// argument and result in R0. IRQL n is the priority mask (15-n)<<4.

#include "textflag.h"
#include "zz_offsets_arm64.h"

TEXT raiseLevel<>(SB),NOSPLIT|NOFRAME,$0
	AND	$15, R0
	MRS	SPSel, R2
	CBZ	R2, slow
	MRS	ICC_PMR_EL1, R1
	EOR	$15, R0, R3
	LSL	$4, R3
	CMP	R3, R1
	BLO	slow
	MSR	R3, ICC_PMR_EL1
	LSR	$4, R1
	EOR	$15, R1, R0
	RET
slow:
	MOVD	·LevelSlow+LevelFallback_Raise(SB), R26
	MOVD	(R26), R2
	JMP	(R2)

TEXT lowerLevel<>(SB),NOSPLIT|NOFRAME,$0
	AND	$15, R0
	MRS	SPSel, R2
	CBZ	R2, slow
	MRS	ICC_PMR_EL1, R1
	EOR	$15, R0, R3
	LSL	$4, R3
	CMP	R3, R1
	BHI	slow
	MSR	R3, ICC_PMR_EL1
	RET
slow:
	MOVD	·LevelSlow+LevelFallback_Lower(SB), R26
	MOVD	(R26), R2
	JMP	(R2)

TEXT ·levelPrimitives(SB),NOSPLIT|NOFRAME,$0-16
	MOVD	$raiseLevel<>(SB), R0
	MOVD	R0, ret+0(FP)
	MOVD	$lowerLevel<>(SB), R0
	MOVD	R0, ret+8(FP)
	RET
