// The fast path of raising and lowering IRQL by the register ABI (see level.go):
// argument and result in AX. Only the argument's low byte is defined.

#include "textflag.h"
#include "zz_offsets_amd64.h"

TEXT raiseLevel<>(SB),NOSPLIT|NOFRAME,$0
	MOVBLZX	AX, AX
	MOVQ	CR8, CX
	CMPQ	CX, AX
	JHI	slow
	CMPB	CPU_InKernel(GS), $0
	JEQ	slow
	MOVQ	AX, CR8
	MOVQ	CX, AX
	RET
slow:
	MOVQ	·LevelSlow+LevelFallback_Raise(SB), DX
	MOVQ	(DX), CX
	JMP	CX

TEXT lowerLevel<>(SB),NOSPLIT|NOFRAME,$0
	MOVBLZX	AX, AX
	MOVQ	CR8, CX
	CMPQ	AX, CX
	JHI	slow
	CMPB	CPU_InKernel(GS), $0
	JEQ	slow
	MOVQ	AX, CR8
	RET
slow:
	MOVQ	·LevelSlow+LevelFallback_Lower(SB), DX
	MOVQ	(DX), CX
	JMP	CX

TEXT ·levelPrimitives(SB),NOSPLIT|NOFRAME,$0-16
	LEAQ	raiseLevel<>(SB), AX
	MOVQ	AX, ret+0(FP)
	LEAQ	lowerLevel<>(SB), AX
	MOVQ	AX, ret+8(FP)
	RET
