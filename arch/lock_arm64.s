// The fast path of spin locks by the register ABI (see lock.go): arguments in R0
// and R1, the result in R0. IRQL n is the priority mask (15-n)<<4.

#include "textflag.h"
#include "zz_offsets_arm64.h"

TEXT acquireLock<>(SB),NOSPLIT|NOFRAME,$0
	MRS	SPSel, R2
	CBZ	R2, slow
	MRS	ICC_PMR_EL1, R1
	MOVD	$((15-2)<<4), R3
	MSR	R3, ICC_PMR_EL1
	MOVD	$const_LockHeld, R4
	LSR	$4, R1
	EOR	$15, R1
again:
	LDAXR	(R0), R5
	CBNZ	R5, contended
	STXR	R4, (R0), R5
	CBNZ	R5, again
	MOVD	R1, R0
	RET
contended:
	// 0 and 8 belong to the callee (saved LR of this frame, spill slot of R0).
	SUB	$48, RSP
	STP	(R29, R30), 16(RSP)
	MOVD	R1, 32(RSP)
	MOVD	·LockSlow+LockFallback_Contended(SB), R26
	MOVD	(R26), R2
	CALL	(R2)
	MOVD	32(RSP), R0
	LDP	16(RSP), (R29, R30)
	ADD	$48, RSP
	RET
slow:
	MOVD	·LockSlow+LockFallback_Acquire(SB), R26
	MOVD	(R26), R2
	JMP	(R2)

TEXT releaseLock<>(SB),NOSPLIT|NOFRAME,$0
	AND	$15, R1
	MRS	SPSel, R2
	CBZ	R2, slow
	EOR	$15, R1
	LSL	$4, R1
	STLR	ZR, (R0)
	MSR	R1, ICC_PMR_EL1
	RET
slow:
	MOVD	·LockSlow+LockFallback_Release(SB), R26
	MOVD	(R26), R2
	JMP	(R2)

TEXT ·lockPrimitives(SB),NOSPLIT|NOFRAME,$0-16
	MOVD	$acquireLock<>(SB), R0
	MOVD	R0, ret+0(FP)
	MOVD	$releaseLock<>(SB), R0
	MOVD	R0, ret+8(FP)
	RET
