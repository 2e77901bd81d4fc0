// Changes of stack: thread switch, gate from Go code, call on a processor's
// own stack. Stack pointer, kernel g and TLS slot change with interrupts
// disabled, because a trap relies on all three.

#include "textflag.h"
#include "zz_offsets_amd64.h"

// func Gate(fn func(unsafe.Pointer), arg unsafe.Pointer) (attention uint32)
TEXT ·Gate(SB),NOSPLIT|NOFRAME,$0-20
	MOVQ	fn+0(FP), DX
	MOVQ	arg+8(FP), SI
	MOVQ	SP, DI
	CLI
	MOVQ	CPU_Context(GS), BX
	MOVQ	Context_Stack_Hi(BX), SP
	PUSHQ	DI
	PUSHQ	0(DI)	// return address, for back traces that cross the gate
	PUSHQ	BP
	MOVQ	SP, BP
	MOVQ	DX, R8
	MOVQ	$1, CPU_InKernel(GS)
	MOVQ	CPU_machine_fsBase(GS), AX
	CMPL	·haveFSGSBase(SB), $0
	JEQ	msr1
	WRFSBASEQ	AX
fs1:
	MOVQ	CPU_KernelG(GS), R14
	PXOR	X15, X15
	STI
	MOVQ	R8, DX
	MOVQ	SI, AX
	MOVQ	(DX), CX
	SUBQ	$8, SP	// where the callee may spill its argument
	CALL	CX
	ADDQ	$8, SP
	CLI
	MOVQ	CPU_Context(GS), BX
	MOVQ	Context_TLS(BX), AX
	CMPL	·haveFSGSBase(SB), $0
	JEQ	msr2
	WRFSBASEQ	AX
fs2:
	MOVQ	$0, CPU_InKernel(GS)
	MOVL	Context_Attention(BX), CX
	POPQ	BP
	POPQ	DX	// return address
	POPQ	SP
	MOVL	CX, attention+16(FP)
	STI
	TESTL	CX, CX
	JNZ	attention
	RET
attention:
	// Something came for the thread while it was in the kernel: deliver it by
	// the APC interrupt, as soon as the level allows (local APIC ICR: self,
	// fixed, vector 0x1F; Intel SDM vol. 3A, 11.6.1).
	MOVL	$0xFEE00300, AX
	MOVL	$0x4401F, (AX)
	RET
msr1:
	MOVQ	AX, DX
	SHRQ	$32, DX
	MOVL	$0xC0000100, CX
	WRMSR
	JMP	fs1
msr2:
	MOVQ	AX, DX
	SHRQ	$32, DX
	MOVL	$0xC0000100, CX
	WRMSR
	JMP	fs2
