// Ways into the kernel and back: vectors, SYSCALL, and the first run of a
// thread. Frames are laid out as type Frame says.

#include "textflag.h"
#include "zz_offsets_amd64.h"

// One stub per vector, 16 bytes each, so that the address of a stub follows
// from its number. The processor pushes an error code for some vectors only.
// PUSHQ is spelled in bytes because the assembler would add up the pushes of
// all stubs as one function's stack.
#define PUSH(v)		BYTE $0x68; LONG $(v);
#define STUB(v)		PCALIGN $16; PUSH(0) PUSH(v) JMP trap<>(SB);
#define STUBERR(v)	PCALIGN $16; PUSH(v) JMP trap<>(SB);
#define STUB4(v)	STUB(v) STUB((v)+1) STUB((v)+2) STUB((v)+3)
#define STUB16(v)	STUB4(v) STUB4((v)+4) STUB4((v)+8) STUB4((v)+12)

TEXT vectors<>(SB),NOSPLIT|NOFRAME,$0
	STUB(0)
	STUB(1)
	PCALIGN $16; PUSH(0) PUSH(2) JMP nonMaskable<>(SB)
	STUB(3)
	STUB4(4)
	PCALIGN $16; PUSH(8) JMP doubleFault<>(SB)
	STUB(9)
	STUBERR(10)	// #TS
	STUBERR(11)	// #NP
	STUBERR(12)	// #SS
	STUBERR(13)	// #GP
	STUBERR(14)	// #PF
	STUB(15)
	STUB(16)
	STUBERR(17)	// #AC
	STUB(18)
	STUB(19)
	STUB(20)
	STUBERR(21)	// #CP
	STUB(22)
	STUB(23)
	STUB4(24)
	STUB(28)
	STUBERR(29)	// #VC
	STUBERR(30)	// #SX
	STUB(31)
	STUB16(32)
	STUB16(48)
	STUB16(64)
	STUB16(80)
	STUB16(96)
	STUB16(112)
	STUB16(128)
	STUB16(144)
	STUB16(160)
	STUB16(176)
	STUB16(192)
	STUB16(208)
	STUB16(224)
	STUB16(240)

TEXT ·vectorTable(SB),NOSPLIT|NOFRAME,$0-8
	LEAQ	vectors<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// FS base of the kernel and of the thread's Go code. The MSR serves processors
// without FSGSBASE. Both clobber AX, CX, DX.
#define SETFS \
	CMPL	·haveFSGSBase(SB), $0; \
	JEQ	3(PC); \
	WRFSBASEQ	AX; \
	JMP	5(PC); \
	MOVQ	AX, DX; \
	SHRQ	$32, DX; \
	MOVL	$0xC0000100, CX; \
	WRMSR

// GETFS reads it to AX.
#define GETFS \
	CMPL	·haveFSGSBase(SB), $0; \
	JEQ	3(PC); \
	RDFSBASEQ	AX; \
	JMP	5(PC); \
	MOVL	$0xC0000100, CX; \
	RDMSR; \
	SHLQ	$32, DX; \
	ORQ	DX, AX

// Every vector but two. What the processor pushed lies on the IST stack, from
// where it is moved: trap and the two after it choose the stack, save does the
// rest. Between them AX is the IST stack pointer, at which lie the interrupted
// AX, the vector, the error code, and the processor's five words.
TEXT trap<>(SB),NOSPLIT|NOFRAME,$0
	PUSHQ	AX
	MOVQ	SP, AX
	MOVQ	CPU_KernelG(GS), SP
	CMPQ	CPU_InKernel(GS), $0
	JNE	kernel
	MOVQ	G_hi(SP), SP	// the top of the thread's kernel stack
	JMP	save<>(SB)
kernel:
	// Below what was interrupted, if the frame, its FP state and the first calls
	// fit there.
	MOVQ	G_lo(SP), SP
	ADDQ	$(Frame__size+0x600), SP
	CMPQ	SP, 48(AX)	// interrupted SP
	JCC	overflow
	MOVQ	48(AX), SP
	JMP	save<>(SB)
overflow:
	MOVQ	$8, 8(AX)	// as a double fault
	JMP	emergency<>(SB)

// A non-maskable interrupt may have hit a stub or a change of stacks, so what
// the processor's block says of the context may be about to change. All of it is
// put back.
TEXT nonMaskable<>(SB),NOSPLIT|NOFRAME,$0
	PUSHQ	AX
	MOVQ	CPU_KernelG(GS), AX
	MOVQ	AX, CPU_machine_nmi(GS)
	MOVQ	CPU_machine_tls(GS), AX
	MOVQ	AX, (CPU_machine_nmi+8)(GS)
	MOVQ	SP, AX
	JMP	emergency<>(SB)

TEXT doubleFault<>(SB),NOSPLIT|NOFRAME,$0
	PUSHQ	AX
	MOVQ	SP, AX
	JMP	emergency<>(SB)

// emergency chooses the stack that needs none to be in order.
TEXT emergency<>(SB),NOSPLIT|NOFRAME,$0
	MOVQ	CPU_Self(GS), SP
	LEAQ	(CPU_machine_emergency+Stack_G)(SP), SP
	MOVQ	SP, CPU_KernelG(GS)
	MOVQ	G_hi(SP), SP
	JMP	save<>(SB)

// save builds the frame at SP and calls package entry.
TEXT save<>(SB),NOSPLIT|NOFRAME,$0
	CLD
	PUSHQ	56(AX); PUSHQ 48(AX); PUSHQ 40(AX); PUSHQ 32(AX); PUSHQ 24(AX)
	PUSHQ	16(AX)	// error
	PUSHQ	8(AX)	// vector
	PUSHQ	0(AX); PUSHQ CX; PUSHQ DX; PUSHQ BX
	PUSHQ	BP; PUSHQ SI; PUSHQ DI
	PUSHQ	R8; PUSHQ R9; PUSHQ R10; PUSHQ R11
	PUSHQ	R12; PUSHQ R13; PUSHQ R14; PUSHQ R15
	PUSHQ	CPU_InKernel(GS)
	MOVQ	CR8, AX
	PUSHQ	AX	// Level
	PUSHQ	$0
	MOVQ	SP, R12
	MOVQ	$1, CPU_InKernel(GS)
	// FP state: kernel Go code uses the same registers.
	SUBQ	$const_FPStateSize, SP
	ANDQ	$~63, SP
	MOVQ	SP, Frame_FP(R12)
	CMPL	·haveXSAVE(SB), $0
	JEQ	legacy
	// XSAVE leaves bits of XSTATE_BV that it has no state for, and the two words
	// after it, which XRSTOR wants to be zero (Intel SDM vol. 2, XSAVE and
	// XRSTOR, standard form).
	XORL	AX, AX
	MOVQ	AX, 512(SP); MOVQ AX, 520(SP); MOVQ AX, 528(SP)
	MOVL	$-1, AX
	MOVL	$-1, DX
	XSAVE64	(SP)
	JMP	saved
legacy:
	FXSAVE64	(SP)
saved:
	PXOR	X15, X15
	// The kernel's g, in the register and in the TLS slot, which a stray
	// runtime.morestack may have overwritten.
	MOVQ	CPU_KernelG(GS), R14
	MOVQ	R14, CPU_machine_tls(GS)
	CMPQ	Frame_Vector(R12), $2
	JEQ	nmi
	CMPQ	Frame_Kernel(R12), $0
	JNE	tls
setfs:
	MOVQ	CPU_machine_fsBase(GS), AX
	SETFS
	JMP	tls
nmi:
	GETFS
	MOVQ	AX, (CPU_machine_nmi+16)(GS)
	JMP	setfs
tls:
	// Continue the frame-pointer chain into the interrupted code.
	PUSHQ	Frame_IP(R12)
	PUSHQ	BP
	MOVQ	SP, BP
	PUSHQ	R12
	MOVQ	R12, AX
	MOVQ	·Entry+EntryPoints_Trap(SB), DX
	MOVQ	(DX), CX
	PUSHQ	AX	// where the callee may spill its argument
	CALL	CX	// returns with interrupts disabled
	MOVQ	8(SP), R12
	JMP	leave<>(SB)

// leave restores the frame in R12. Interrupts are disabled.
TEXT leave<>(SB),NOSPLIT|NOFRAME,$0
	PXOR	X15, X15
	MOVQ	Frame_FP(R12), DI
	TESTQ	DI, DI
	JZ	nofp
	CMPL	·haveXSAVE(SB), $0
	JEQ	legacy
	MOVL	$-1, AX
	MOVL	$-1, DX
	XRSTOR64	(DI)
	JMP	nofp
legacy:
	FXRSTOR64	(DI)
nofp:
	MOVQ	Frame_Level(R12), AX
	MOVQ	AX, CR8
	MOVQ	Frame_Kernel(R12), BX
	MOVQ	BX, CPU_InKernel(GS)
	CMPQ	Frame_Vector(R12), $2
	JEQ	nmi
	TESTQ	BX, BX
	JNZ	tls
	MOVQ	CPU_Context(GS), AX
	MOVQ	Context_TLS(AX), AX
	SETFS
tls:
	LEAQ	Frame_R15(R12), SP
	POPQ	R15; POPQ R14; POPQ R13; POPQ R12
	POPQ	R11; POPQ R10; POPQ R9; POPQ R8
	POPQ	DI; POPQ SI; POPQ BP; POPQ BX
	POPQ	DX; POPQ CX; POPQ AX
	ADDQ	$16, SP	// vector, error
	IRETQ
nmi:
	MOVQ	CPU_machine_nmi(GS), AX
	MOVQ	AX, CPU_KernelG(GS)
	MOVQ	(CPU_machine_nmi+8)(GS), AX
	MOVQ	AX, CPU_machine_tls(GS)
	MOVQ	(CPU_machine_nmi+16)(GS), AX
	SETFS
	JMP	tls

// systemCall is the SYSCALL entry. CX and R11 hold the return address and
// flags; interrupts are disabled by FMASK. Go's stubs are caller-save, so there
// is no FP state worth keeping.
TEXT systemCall<>(SB),NOSPLIT|NOFRAME,$0
	CMPQ	CPU_InKernel(GS), $0
	JEQ	2(PC)
	UD2		// the Go runtime was entered from kernel context
	MOVQ	SP, CPU_machine_scratch(GS)
	MOVQ	CPU_Context(GS), SP
	MOVQ	Context_Stack_Hi(SP), SP
	PUSHQ	$0x10	// SS
	PUSHQ	CPU_machine_scratch(GS)
	PUSHQ	R11	// flags
	PUSHQ	$0x08	// CS
	PUSHQ	CX	// IP
	PUSHQ	$0	// error
	PUSHQ	$0x100	// SyscallVector
	PUSHQ	AX; PUSHQ CX; PUSHQ DX; PUSHQ BX
	PUSHQ	BP; PUSHQ SI; PUSHQ DI
	PUSHQ	R8; PUSHQ R9; PUSHQ R10; PUSHQ R11
	PUSHQ	R12; PUSHQ R13; PUSHQ R14; PUSHQ R15
	PUSHQ	$0	// Kernel
	MOVQ	CR8, AX
	PUSHQ	AX	// Level
	PUSHQ	$0	// FP
	MOVQ	SP, R12
	MOVQ	$1, CPU_InKernel(GS)
	MOVQ	CPU_machine_fsBase(GS), AX
	SETFS
	MOVQ	CPU_KernelG(GS), R14
	MOVQ	R14, CPU_machine_tls(GS)
	PXOR	X15, X15
	PUSHQ	Frame_IP(R12)
	PUSHQ	BP
	MOVQ	SP, BP
	PUSHQ	R12
	MOVQ	R12, AX
	MOVQ	·Entry+EntryPoints_Syscall(SB), DX
	MOVQ	(DX), CX
	PUSHQ	AX	// where the callee may spill its argument
	CALL	CX	// returns with interrupts disabled
	MOVQ	8(SP), R12
	JMP	leave<>(SB)

TEXT ·syscallEntry(SB),NOSPLIT|NOFRAME,$0-8
	LEAQ	systemCall<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// First run of a kernel thread: closure and argument are on the stack, see
// PrepareKernel.
TEXT kernelStart<>(SB),NOSPLIT|NOFRAME,$0
	CALL	irqlab∕entry·started(SB)
	MOVQ	0(SP), DX
	MOVQ	8(SP), AX
	PXOR	X15, X15
	MOVQ	-8(FS), R14
	MOVQ	(DX), CX
	CALL	CX	// may spill its argument over what was just read
	UD2

TEXT ·kernelStart(SB),NOSPLIT|NOFRAME,$0-8
	LEAQ	kernelStart<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// First run of a thread of Go code: its frame is on top of the stack, see
// PrepareGo.
TEXT goStart<>(SB),NOSPLIT|NOFRAME,$0
	CALL	irqlab∕entry·started(SB)
	CLI
	MOVQ	SP, R12
	JMP	leave<>(SB)

TEXT ·goStart(SB),NOSPLIT|NOFRAME,$0-8
	LEAQ	goStart<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
