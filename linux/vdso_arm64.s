#include "textflag.h"

// clockGettime is called by the C calling convention (AAPCS64): clock in W0,
// timespec in X1. The ISB keeps the counter from being read early (Arm ARM,
// D11.2.2).
TEXT clockGettime<>(SB),NOSPLIT|NOFRAME,$0
	CMPW	$1, R0	// CLOCK_MONOTONIC
	BHI	other
	ISB	$15
	MRS	CNTVCT_EL0, R2
	MOVD	·counterBase(SB), R3
	SUB	R3, R2, R2
	MOVD	·counterScale(SB), R3
	UMULH	R3, R2, R4
	MUL	R3, R2, R2
	EXTR	$32, R2, R4, R2	// ns since boot
	CBNZW	R0, store
	MOVD	·unixBase(SB), R3
	ADD	R3, R2, R2
store:
	MOVD	$1000000000, R3
	UDIV	R3, R2, R4
	MSUB	R3, R2, R4, R5
	MOVD	R4, 0(R1)
	MOVD	R5, 8(R1)
	MOVD	$0, R0
	RET
other:
	MOVD	$113, R8	// clock_gettime
	SVC
	RET

// func vdsoEntry() uintptr
TEXT ·vdsoEntry(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	$clockGettime<>(SB), R0
	MOVD	R0, ret+0(FP)
	RET

TEXT sigreturn<>(SB),NOSPLIT|NOFRAME,$0
	MOVD	$139, R8	// rt_sigreturn
	SVC
	UNDEF

// func restorer() uintptr
TEXT ·restorer(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	$sigreturn<>(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// func instructionSet() uint64
TEXT ·instructionSet(SB),NOSPLIT|NOFRAME,$0-8
	MRS	ID_AA64ISAR0_EL1, R0
	MOVD	R0, ret+0(FP)
	RET
