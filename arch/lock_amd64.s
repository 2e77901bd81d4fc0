// The fast path of spin locks by the register ABI (see lock.go): arguments in AX
// and BX, the result in AX.

#include "textflag.h"
#include "zz_offsets_amd64.h"

TEXT acquireLock<>(SB),NOSPLIT|NOFRAME,$0
	CMPB	CPU_InKernel(GS), $0
	JEQ	slow
	MOVQ	CR8, CX
	MOVQ	AX, BX
	MOVL	$const_LockHeld, DX // which is DISPATCH_LEVEL as well
	MOVQ	DX, CR8
	XORL	AX, AX
	LOCK
	CMPXCHGQ	DX, (BX)
	JNE	contended
	MOVQ	CX, AX
	RET
contended:
	PUSHQ	CX
	SUBQ	$8, SP	// where the callee may spill its argument
	MOVQ	BX, AX
	MOVQ	·LockSlow+LockFallback_Contended(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	ADDQ	$8, SP
	POPQ	AX
	RET
slow:
	MOVQ	·LockSlow+LockFallback_Acquire(SB), DX
	MOVQ	(DX), CX
	JMP	CX

// A plain store releases: stores are seen in order (Intel SDM vol. 3A, 9.2.2).
TEXT releaseLock<>(SB),NOSPLIT|NOFRAME,$0
	MOVBLZX	BX, BX
	CMPB	CPU_InKernel(GS), $0
	JEQ	slow
	MOVQ	$0, (AX)
	MOVQ	BX, CR8
	RET
slow:
	MOVQ	·LockSlow+LockFallback_Release(SB), DX
	MOVQ	(DX), CX
	JMP	CX

TEXT ·lockPrimitives(SB),NOSPLIT|NOFRAME,$0-16
	LEAQ	acquireLock<>(SB), AX
	MOVQ	AX, ret+0(FP)
	LEAQ	releaseLock<>(SB), AX
	MOVQ	AX, ret+8(FP)
	RET
