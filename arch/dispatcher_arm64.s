// The fast path of the dispatcher lock by the register ABI (see dispatcher.go):
// the argument in R0, results in R0 and R1. IRQL n is the priority mask
// (15-n)<<4.

#include "textflag.h"
#include "zz_offsets_arm64.h"

TEXT acquireDispatcher<>(SB),NOSPLIT|NOFRAME,$0
	MRS	SPSel, R2
	CBZ	R2, fromGo
	MRS	ICC_PMR_EL1, R0
	MOVD	$((15-2)<<4), R3
	CMP	R3, R0
	BLO	high
	MSR	R3, ICC_PMR_EL1
	LSR	$4, R0
	EOR	$15, R0
	MOVD	$·DispatcherLock(SB), R4
	MOVD	$const_DispatcherHeld, R5
again:
	LDAXRW	(R4), R6
	CBNZW	R6, held
	STXRW	R5, (R4), R6
	CBNZW	R6, again
	MRS	TPIDR_EL1, R1
	MOVD	CPU_Dispatcher(R1), R1
	RET
held:
	// 0 and 8 belong to the callee (saved LR of this frame, spill slot of R0).
	SUB	$48, RSP
	STP	(R29, R30), 16(RSP)
	MOVD	R0, 32(RSP)
	MOVD	·DispatcherSlow+DispatcherFallback_Held(SB), R26
	MOVD	(R26), R2
	CALL	(R2)
	MOVD	32(RSP), R0
	LDP	16(RSP), (R29, R30)
	ADD	$48, RSP
	MRS	TPIDR_EL1, R1
	MOVD	CPU_Dispatcher(R1), R1
	RET
high:
	MOVD	·DispatcherSlow+DispatcherFallback_High(SB), R26
	MOVD	(R26), R2
	JMP	(R2)
fromGo:
	MOVD	ZR, R1
	RET

TEXT releaseDispatcher<>(SB),NOSPLIT|NOFRAME,$0
	MRS	TPIDR_EL1, R2
	MOVD	CPU_Dispatcher(R2), R2
	MOVHU	(R2), R2
	CBNZ	R2, slow
	EOR	$15, R0
	LSL	$4, R0
	MOVD	$·DispatcherLock(SB), R4
	STLRW	ZR, (R4)
	MSR	R0, ICC_PMR_EL1
	RET
slow:
	MOVD	·DispatcherSlow+DispatcherFallback_Release(SB), R26
	MOVD	(R26), R2
	JMP	(R2)

TEXT ·dispatcherPrimitives(SB),NOSPLIT|NOFRAME,$0-16
	MOVD	$acquireDispatcher<>(SB), R0
	MOVD	R0, ret+0(FP)
	MOVD	$releaseDispatcher<>(SB), R0
	MOVD	R0, ret+8(FP)
	RET
