// Ways into the kernel and back: vectors, system calls, and the first run of a
// thread. Frames are laid out as type Frame says.
//
// Go code runs in EL1t, on SP_EL0, so every exception lands on SP_EL1: the top
// of the thread's kernel stack when Go code is interrupted, the stack in use
// when kernel context is.

#include "textflag.h"
#include "zz_offsets_arm64.h"

// The nosplit checker takes all of this file for one call chain and would add
// up its frames: they lie on another stack than the one it checks. So RSP moves
// behind its back, and Go code is called through a register.
#define PUSH_FRAME	WORD $(0xd10003ff | Frame__size<<10)	// SUB $Frame__size, RSP
#define POP_FRAME	WORD $(0x910003ff | Frame__size<<10)	// ADD $Frame__size, RSP

// FROM_GO and FROM_KERNEL are vectors; save<> continues with R0 = kind, R1 =
// interrupted stack pointer, and the interrupted R0 and R1 in the frame.
#define FROM_GO(kind) \
	PUSH_FRAME; \
	STP	(R0, R1), (Frame_X+0*8)(RSP); \
	MOVD	$(kind), R0; \
	MRS	SP_EL0, R1; \
	B	save<>(SB)

// Kernel stacks lie in the upper half of 32 KiB slots whose lower half is not
// mapped, so bit 14 of a usable stack pointer is set. TPIDRRO_EL0 is free for
// R0: nothing runs in EL0.
#define FROM_KERNEL(kind) \
	PUSH_FRAME; \
	MSR	R0, TPIDRRO_EL0; \
	MOVD	RSP, R0; \
	TBNZ	$14, R0, 2(PC); \
	B	overflow<>(SB); \
	MRS	TPIDRRO_EL0, R0; \
	STP	(R0, R1), (Frame_X+0*8)(RSP); \
	MOVD	$(kind), R0; \
	ADD	$Frame__size, RSP, R1; \
	B	save<>(SB)

// The vector table: 16 entries of 128 bytes, aligned to 2 KiB (Arm ARM DDI
// 0487, D1.3.1.2 and VBAR_EL1). Package code starts where the linker likes, so
// VBAR_EL1 is computed from the label (see vectorBase).
TEXT vectors<>(SB),NOSPLIT|NOFRAME,$0
	PCALIGN	$2048
	// Current EL with SP_EL0: Go code.
	PUSH_FRAME
	STP	(R0, R1), (Frame_X+0*8)(RSP)
	MRS	ESR_EL1, R0
	MRS	SP_EL0, R1
	LSR	$const_ecShift, R0
	CMP	$const_ecSVC, R0
	BNE	2(PC)
	B	systemCall<>(SB)
	MOVD	$const_kindSync, R0
	B	save<>(SB)
	PCALIGN	$128
	FROM_GO(const_kindIRQ)
	PCALIGN	$128
	FROM_GO(const_kindFIQ)
	PCALIGN	$128
	FROM_GO(const_kindSError)
	// Current EL with SP_ELx: kernel context.
	PCALIGN	$128
	FROM_KERNEL(const_kindKernel+const_kindSync)
	PCALIGN	$128
	FROM_KERNEL(const_kindKernel+const_kindIRQ)
	PCALIGN	$128
	FROM_KERNEL(const_kindKernel+const_kindFIQ)
	PCALIGN	$128
	FROM_KERNEL(const_kindKernel+const_kindSError)
	// A lower EL, AArch64 and AArch32: there is none.
	PCALIGN	$128
	FROM_GO(8)
	PCALIGN	$128
	FROM_GO(9)
	PCALIGN	$128
	FROM_GO(10)
	PCALIGN	$128
	FROM_GO(11)
	PCALIGN	$128
	FROM_GO(12)
	PCALIGN	$128
	FROM_GO(13)
	PCALIGN	$128
	FROM_GO(14)
	PCALIGN	$128
	FROM_GO(15)

// overflow replaces a bad stack by the processor's emergency stack. RSP minus
// the frame is in R0, R0 in TPIDRRO_EL0.
TEXT overflow<>(SB),NOSPLIT|NOFRAME,$0
	MOVD	R1, RSP		// worthless now, so the only free register
	MRS	TPIDR_EL1, R1
	MOVD	R0, (CPU_machine_scratch+0)(R1)
	MOVD	RSP, R0
	MOVD	R0, (CPU_machine_scratch+8)(R1)
	MOVD	CPU_machine_emergency_Hi(R1), R0
	SUB	$Frame__size, R0
	MOVD	R0, RSP
	ADD	$CPU_machine_emergency_G, R1, R0
	MOVD	R0, CPU_KernelG(R1)
	MRS	TPIDRRO_EL0, R0
	MOVD	R0, (Frame_X+0*8)(RSP)
	MOVD	(CPU_machine_scratch+8)(R1), R0
	MOVD	R0, (Frame_X+1*8)(RSP)
	MOVD	(CPU_machine_scratch+0)(R1), R1
	ADD	$Frame__size, R1
	MOVD	$const_kindStackOverflow, R0
	B	save<>(SB)

// SAVE_INTEGER completes the integer part of the frame and loads the kernel's g.
// In: R1 = interrupted stack pointer. Out: R0 unchanged, R29 = frame record.
#define SAVE_INTEGER \
	STP	(R2, R3), (Frame_X+2*8)(RSP); \
	STP	(R4, R5), (Frame_X+4*8)(RSP); \
	STP	(R6, R7), (Frame_X+6*8)(RSP); \
	STP	(R8, R9), (Frame_X+8*8)(RSP); \
	STP	(R10, R11), (Frame_X+10*8)(RSP); \
	STP	(R12, R13), (Frame_X+12*8)(RSP); \
	STP	(R14, R15), (Frame_X+14*8)(RSP); \
	STP	(R16, R17), (Frame_X+16*8)(RSP); \
	STP	(R18_PLATFORM, R19), (Frame_X+18*8)(RSP); \
	STP	(R20, R21), (Frame_X+20*8)(RSP); \
	STP	(R22, R23), (Frame_X+22*8)(RSP); \
	STP	(R24, R25), (Frame_X+24*8)(RSP); \
	STP	(R26, R27), (Frame_X+26*8)(RSP); \
	STP	(g, R29), (Frame_X+28*8)(RSP); \
	STP	(R30, R1), (Frame_X+30*8)(RSP); \
	MRS	ELR_EL1, R2; \
	STP	(R29, R2), Frame_Chain(RSP); \
	MRS	SPSR_EL1, R3; \
	MRS	ICC_PMR_EL1, R4; \
	LSR	$4, R4; \
	EOR	$15, R4; \
	STP	(R3, R4), Frame_PState(RSP); \
	MRS	TPIDR_EL1, R5; \
	MOVD	CPU_KernelG(R5), g; \
	ADD	$Frame_Chain, RSP, R29

// CALL_ENTRY calls one of the EntryPoints with the frame as its argument. It
// returns with interrupts disabled.
#define CALL_ENTRY(point) \
	MOVD	RSP, R0; \
	MOVD	·Entry+point(SB), R26; \
	MOVD	(R26), R1; \
	SUB	$16, RSP; \
	CALL	(R1); \
	ADD	$16, RSP

TEXT save<>(SB),NOSPLIT|NOFRAME,$0
	SAVE_INTEGER
	MRS	ESR_EL1, R2
	STP	(R0, R2), Frame_Kind(RSP)
	MRS	FAR_EL1, R3
	MOVD	$1, R4
	STP	(R3, R4), Frame_FaultReg(RSP)
	MRS	FPSR, R5
	MRS	FPCR, R6
	STP	(R5, R6), Frame_FPSR(RSP)
	ADD	$Frame_V, RSP, R7
	VST1.P	[V0.B16, V1.B16, V2.B16, V3.B16], 64(R7)
	VST1.P	[V4.B16, V5.B16, V6.B16, V7.B16], 64(R7)
	VST1.P	[V8.B16, V9.B16, V10.B16, V11.B16], 64(R7)
	VST1.P	[V12.B16, V13.B16, V14.B16, V15.B16], 64(R7)
	VST1.P	[V16.B16, V17.B16, V18.B16, V19.B16], 64(R7)
	VST1.P	[V20.B16, V21.B16, V22.B16, V23.B16], 64(R7)
	VST1.P	[V24.B16, V25.B16, V26.B16, V27.B16], 64(R7)
	VST1	[V28.B16, V29.B16, V30.B16, V31.B16], (R7)
	CALL_ENTRY(EntryPoints_Trap)
	B	leave<>(SB)

// systemCall is an SVC of Go code. Go's stubs are caller-save, so there is no
// FP state worth keeping.
TEXT systemCall<>(SB),NOSPLIT|NOFRAME,$0
	SAVE_INTEGER
	STP	(ZR, ZR), Frame_Kind(RSP)	// and Syndrome
	STP	(ZR, ZR), Frame_FaultReg(RSP)	// and FPSaved
	CALL_ENTRY(EntryPoints_Syscall)
	B	leave<>(SB)

// leave restores the frame at RSP.
TEXT leave<>(SB),NOSPLIT|NOFRAME,$0
	MSR	$15, DAIFSet	// not even an SError may come between ELR_EL1 and ERET
	MOVD	Frame_FPSaved(RSP), R0
	CBZ	R0, integer
	ADD	$Frame_V, RSP, R7
	VLD1.P	64(R7), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1.P	64(R7), [V4.B16, V5.B16, V6.B16, V7.B16]
	VLD1.P	64(R7), [V8.B16, V9.B16, V10.B16, V11.B16]
	VLD1.P	64(R7), [V12.B16, V13.B16, V14.B16, V15.B16]
	VLD1.P	64(R7), [V16.B16, V17.B16, V18.B16, V19.B16]
	VLD1.P	64(R7), [V20.B16, V21.B16, V22.B16, V23.B16]
	VLD1.P	64(R7), [V24.B16, V25.B16, V26.B16, V27.B16]
	VLD1	(R7), [V28.B16, V29.B16, V30.B16, V31.B16]
	LDP	Frame_FPSR(RSP), (R5, R6)
	MSR	R5, FPSR
	MSR	R6, FPCR
integer:
	LDP	Frame_PState(RSP), (R2, R3)
	EOR	$15, R3
	LSL	$4, R3
	MSR	R3, ICC_PMR_EL1
	MOVD	Frame_IP(RSP), R4
	MSR	R4, ELR_EL1
	MSR	R2, SPSR_EL1
	LDP	(Frame_X+30*8)(RSP), (R30, R1)
	TBNZ	$0, R2, kernel	// EL1h: SP_EL0 is some other code's
	MSR	R1, SP_EL0
kernel:
	LDP	(Frame_X+28*8)(RSP), (g, R29)
	LDP	(Frame_X+26*8)(RSP), (R26, R27)
	LDP	(Frame_X+24*8)(RSP), (R24, R25)
	LDP	(Frame_X+22*8)(RSP), (R22, R23)
	LDP	(Frame_X+20*8)(RSP), (R20, R21)
	LDP	(Frame_X+18*8)(RSP), (R18_PLATFORM, R19)
	LDP	(Frame_X+16*8)(RSP), (R16, R17)
	LDP	(Frame_X+14*8)(RSP), (R14, R15)
	LDP	(Frame_X+12*8)(RSP), (R12, R13)
	LDP	(Frame_X+10*8)(RSP), (R10, R11)
	LDP	(Frame_X+8*8)(RSP), (R8, R9)
	LDP	(Frame_X+6*8)(RSP), (R6, R7)
	LDP	(Frame_X+4*8)(RSP), (R4, R5)
	LDP	(Frame_X+2*8)(RSP), (R2, R3)
	LDP	(Frame_X+0*8)(RSP), (R0, R1)
	POP_FRAME
	ERET

// First run of a kernel thread: closure and argument are on the stack, see
// PrepareKernel.
TEXT kernelStart<>(SB),NOSPLIT|NOFRAME,$0
	MOVD	$irqlab∕entry·started(SB), R0
	CALL	(R0)
	MOVD	16(RSP), R26
	MOVD	24(RSP), R0
	MOVD	(R26), R1
	CALL	(R1)
	BRK	$0

// First run of a thread of Go code: its frame is on top of the stack, see
// PrepareGo.
TEXT goStart<>(SB),NOSPLIT|NOFRAME,$0
	MOVD	$irqlab∕entry·started(SB), R0
	SUB	$16, RSP
	CALL	(R0)
	ADD	$16, RSP
	B	leave<>(SB)

TEXT ·kernelStart(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	$kernelStart<>(SB), R0
	MOVD	R0, ret+0(FP)
	RET

TEXT ·goStart(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	$goStart<>(SB), R0
	MOVD	R0, ret+0(FP)
	RET

TEXT ·vectorBase(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	$vectors<>(SB), R0
	ADD	$2047, R0
	AND	$~2047, R0
	MOVD	R0, ret+0(FP)
	RET
