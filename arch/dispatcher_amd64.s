// The fast path of the dispatcher lock by the register ABI (see dispatcher.go):
// the argument in AX, results in AX and BX.

#include "textflag.h"
#include "zz_offsets_amd64.h"

// The exchange does not hurt a lock that is held: it stores what is there.
TEXT acquireDispatcher<>(SB),NOSPLIT|NOFRAME,$0
	CMPB	CPU_InKernel(GS), $0
	JEQ	fromGo
	MOVQ	CR8, AX
	MOVL	$const_DispatcherHeld, DX // which is DISPATCH_LEVEL as well
	CMPQ	AX, DX
	JHI	high
	MOVQ	DX, CR8
	XCHGL	DX, ·DispatcherLock(SB)
	TESTL	DX, DX
	JNE	held
	MOVQ	CPU_Dispatcher(GS), BX
	RET
held:
	PUSHQ	AX
	SUBQ	$8, SP	// where the callee may spill its argument
	MOVQ	·DispatcherSlow+DispatcherFallback_Held(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	ADDQ	$8, SP
	POPQ	AX
	MOVQ	CPU_Dispatcher(GS), BX
	RET
high:
	MOVQ	·DispatcherSlow+DispatcherFallback_High(SB), DX
	MOVQ	(DX), CX
	JMP	CX
fromGo:
	XORL	BX, BX
	RET

// A plain store releases: stores are seen in order (Intel SDM vol. 3A, 9.2.2).
TEXT releaseDispatcher<>(SB),NOSPLIT|NOFRAME,$0
	MOVQ	CPU_Dispatcher(GS), CX
	CMPW	(CX), $0
	JNE	slow
	MOVL	$0, ·DispatcherLock(SB)
	MOVQ	AX, CR8
	RET
slow:
	MOVQ	·DispatcherSlow+DispatcherFallback_Release(SB), DX
	MOVQ	(DX), CX
	JMP	CX

TEXT ·dispatcherPrimitives(SB),NOSPLIT|NOFRAME,$0-16
	LEAQ	acquireDispatcher<>(SB), AX
	MOVQ	AX, ret+0(FP)
	LEAQ	releaseDispatcher<>(SB), AX
	MOVQ	AX, ret+8(FP)
	RET
