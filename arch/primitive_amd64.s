// Primitives by the register ABI: arguments and result in AX, every register
// but SP, BP, R14 and X15 free to use. See primitive_amd64.go.

#include "textflag.h"
#include "zz_offsets_amd64.h"

TEXT thisCPU<>(SB),NOSPLIT|NOFRAME,$0
	MOVQ	CPU_Self(GS), AX
	RET

TEXT thisContext<>(SB),NOSPLIT|NOFRAME,$0
	MOVQ	CPU_Context(GS), AX
	RET

TEXT inKernel<>(SB),NOSPLIT|NOFRAME,$0
	MOVQ	CPU_InKernel(GS), AX
	RET

TEXT ofKernel<>(SB),NOSPLIT|NOFRAME,$0
	CMPB	CPU_InKernel(GS), $0
	JEQ	fromGo
	MOVQ	CPU_Context(GS), AX
	RET
fromGo:
	XORL	AX, AX
	RET

TEXT readIRQL<>(SB),NOSPLIT|NOFRAME,$0
	MOVQ	CR8, AX
	RET

TEXT writeIRQL<>(SB),NOSPLIT|NOFRAME,$0
	MOVQ	AX, CR8
	RET

// raiseIRQL sets the level and returns the old one. It does nothing and returns
// ^0 where the caller must look closer: a lowering, or Go code of a thread.
TEXT raiseIRQL<>(SB),NOSPLIT|NOFRAME,$0
	MOVQ	CR8, CX
	CMPQ	CX, AX
	JHI	slow
	CMPB	CPU_InKernel(GS), $0
	JEQ	slow
	MOVQ	AX, CR8
	MOVQ	CX, AX
	RET
slow:
	MOVQ	$-1, AX
	RET

TEXT pause<>(SB),NOSPLIT|NOFRAME,$0
	PAUSE
	RET

TEXT counter<>(SB),NOSPLIT|NOFRAME,$0
	RDTSC
	SHLQ	$32, DX
	ORQ	DX, AX
	RET

TEXT dispatcher<>(SB),NOSPLIT|NOFRAME,$0
	MOVQ	CPU_Dispatcher(GS), AX
	RET

TEXT disable<>(SB),NOSPLIT|NOFRAME,$0
	PUSHFQ
	POPQ	AX
	CLI
	SHRL	$9, AX
	ANDL	$1, AX
	RET

TEXT enable<>(SB),NOSPLIT|NOFRAME,$0
	STI
	RET

// change switches from context AX to context BX, and from what account CX is
// charged to now to bucket DI. The register ABI keeps only BP and SP across a
// call. Stack pointer, kernel g and TLS slot change with interrupts disabled,
// because a trap relies on all three; it charges time as well.
TEXT change<>(SB),NOSPLIT|NOFRAME,$0
	PUSHQ	BP
	LEAQ	(Context_Stack+Stack_G)(BX), R14
	MOVQ	AX, SI
	CLI
	RDTSC
	SHLQ	$32, DX
	ORQ	DX, AX
	MOVQ	AX, R8
	SUBQ	Account_Last(CX), R8
	MOVQ	Account_Bucket(CX), R9
	ADDQ	R8, (R9)
	MOVQ	AX, Account_Last(CX)
	MOVQ	DI, Account_Bucket(CX)
	MOVQ	SP, Context_SP(SI)
	MOVQ	BX, CPU_Context(GS)
	MOVQ	R14, CPU_KernelG(GS)
	MOVQ	R14, CPU_machine_tls(GS)
	MOVQ	Context_SP(BX), SP
	MOVQ	CPU_Dispatcher(GS), AX
	STI
	POPQ	BP
	RET

// callOn calls the closure BX with argument CX on stack AX.
TEXT callOn<>(SB),NOSPLIT|NOFRAME,$0
	PUSHQ	BP
	MOVQ	SP, BP
	MOVQ	BX, DX
	MOVQ	CPU_KernelG(GS), SI
	LEAQ	Stack_G(AX), R14
	MOVQ	Stack_Hi(AX), SP
	MOVQ	R14, CPU_KernelG(GS)
	MOVQ	R14, CPU_machine_tls(GS)
	PUSHQ	SI
	MOVQ	CX, AX
	MOVQ	(DX), CX
	PUSHQ	AX	// where the callee may spill its argument
	CALL	CX
	POPQ	AX
	POPQ	R14
	MOVQ	R14, CPU_KernelG(GS)
	MOVQ	R14, CPU_machine_tls(GS)
	MOVQ	BP, SP
	POPQ	BP
	RET

// become makes context AX the running one on the same stack.
TEXT become<>(SB),NOSPLIT|NOFRAME,$0
	LEAQ	(Context_Stack+Stack_G)(AX), R14
	CLI
	MOVQ	AX, CPU_Context(GS)
	MOVQ	R14, CPU_KernelG(GS)
	MOVQ	R14, CPU_machine_tls(GS)
	STI
	RET

TEXT ·primitiveCode(SB),NOSPLIT|NOFRAME,$0-120
	LEAQ	thisCPU<>(SB), AX
	MOVQ	AX, ret+0(FP)
	LEAQ	thisContext<>(SB), AX
	MOVQ	AX, ret+8(FP)
	LEAQ	inKernel<>(SB), AX
	MOVQ	AX, ret+16(FP)
	LEAQ	readIRQL<>(SB), AX
	MOVQ	AX, ret+24(FP)
	LEAQ	writeIRQL<>(SB), AX
	MOVQ	AX, ret+32(FP)
	LEAQ	raiseIRQL<>(SB), AX
	MOVQ	AX, ret+40(FP)
	LEAQ	pause<>(SB), AX
	MOVQ	AX, ret+48(FP)
	LEAQ	counter<>(SB), AX
	MOVQ	AX, ret+56(FP)
	LEAQ	dispatcher<>(SB), AX
	MOVQ	AX, ret+64(FP)
	LEAQ	disable<>(SB), AX
	MOVQ	AX, ret+72(FP)
	LEAQ	enable<>(SB), AX
	MOVQ	AX, ret+80(FP)
	LEAQ	change<>(SB), AX
	MOVQ	AX, ret+88(FP)
	LEAQ	callOn<>(SB), AX
	MOVQ	AX, ret+96(FP)
	LEAQ	become<>(SB), AX
	MOVQ	AX, ret+104(FP)
	LEAQ	ofKernel<>(SB), AX
	MOVQ	AX, ret+112(FP)
	RET
