// Changes of stack: thread switch, gate from Go code, call on a processor's
// own stack. Stack pointer and kernel g change with interrupts disabled, because
// a trap relies on both.
//
// An ABI0 call keeps only R29 and RSP. Go code's caller keeps its frame pointer
// in the word below RSP, so that one is left alone (see Frame).

#include "textflag.h"
#include "zz_offsets_arm64.h"

// func change(from, to *Context, time *Account, bucket *uint64)
TEXT ·change(SB),NOSPLIT|NOFRAME,$0-32
	MOVD	from+0(FP), R0
	MOVD	to+8(FP), R1
	MOVD	time+16(FP), R4
	MOVD	bucket+24(FP), R5
	MSR	$2, DAIFSet
	ISB	$15	// or the counter might be read early, see Counter
	MRS	CNTVCT_EL0, R6
	LDP	Account_Last(R4), (R7, R8)
	STP	(R6, R5), Account_Last(R4)
	SUB	R7, R6
	MOVD	(R8), R7
	ADD	R6, R7
	MOVD	R7, (R8)
	SUB	$32, RSP
	STP	(R29, R30), 0(RSP)
	MOVD	RSP, R2
	MOVD	R2, Context_SP(R0)
	MRS	TPIDR_EL1, R3
	MOVD	R1, CPU_Context(R3)
	MSR	R1, TPIDR_EL0
	ADD	$Context_Stack_G, R1, g
	MOVD	g, CPU_KernelG(R3)
	MOVD	Context_SP(R1), R2
	MOVD	R2, RSP
	LDP	0(RSP), (R29, R30)
	ADD	$32, RSP
	MSR	$2, DAIFClr
	RET

// func Become(c *Context)
TEXT ·Become(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	c+0(FP), R1
	MSR	$2, DAIFSet
	MRS	TPIDR_EL1, R3
	MOVD	R1, CPU_Context(R3)
	MSR	R1, TPIDR_EL0
	ADD	$Context_Stack_G, R1, g
	MOVD	g, CPU_KernelG(R3)
	MSR	$2, DAIFClr
	RET

// func CallOn(s *Stack, fn func(uintptr), arg uintptr)
//
// On the new stack: 0 and 8 belong to the callee (saved LR of this frame, spill
// slot of R0), then the frame record.
TEXT ·CallOn(SB),NOSPLIT|NOFRAME,$0-24
	MOVD	s+0(FP), R1
	MOVD	fn+8(FP), R26
	MOVD	arg+16(FP), R0
	MRS	TPIDR_EL1, R3
	MOVD	Stack_Hi(R1), R4
	MOVD	RSP, R5
	SUB	$48, R4
	MOVD	R4, RSP
	STP	(R29, R30), 16(RSP)
	STP	(R5, g), 32(RSP)
	ADD	$16, RSP, R29
	ADD	$Stack_G, R1, g
	MOVD	g, CPU_KernelG(R3)
	MOVD	(R26), R1
	CALL	(R1)
	MRS	TPIDR_EL1, R3
	LDP	32(RSP), (R5, g)
	LDP	16(RSP), (R29, R30)
	MOVD	g, CPU_KernelG(R3)
	MOVD	R5, RSP
	RET

// func Gate(fn func(unsafe.Pointer), arg unsafe.Pointer) (attention uint32)
//
// SP_EL1 is the top of the thread's kernel stack while its Go code runs. The
// stack's layout is that of CallOn.
TEXT ·Gate(SB),NOSPLIT|NOFRAME,$0-20
	MOVD	fn+0(FP), R26
	MOVD	arg+8(FP), R0
	MOVD	RSP, R2
	MSR	$2, DAIFSet
	MSR	$1, SPSel
	SUB	$48, RSP
	STP	(R29, R30), 16(RSP)
	STP	(R2, g), 32(RSP)
	ADD	$16, RSP, R29
	MRS	TPIDR_EL1, R3
	MOVD	CPU_KernelG(R3), g
	MSR	$2, DAIFClr
	MOVD	(R26), R1
	CALL	(R1)
	MSR	$2, DAIFSet
	LDP	32(RSP), (R2, g)
	LDP	16(RSP), (R29, R30)
	ADD	$48, RSP
	MSR	$0, SPSel
	MOVD	R2, RSP
	MRS	TPIDR_EL0, R3
	MOVWU	Context_Attention(R3), R4
	MOVW	R4, attention+16(FP)
	CBNZ	R4, attention
	MSR	$2, DAIFClr
	RET
attention:
	// Something came for the thread while it was in the kernel: deliver it by
	// the APC interrupt, as soon as the level allows. The processor must not
	// change between the two registers.
	MRS	TPIDR_EL1, R3
	MOVD	CPU_machine_selfSGI(R3), R4
	ORR	$(1<<24), R4	// INTID 1
	MSR	R4, ICC_SGI1R_EL1
	ISB	$15
	MSR	$2, DAIFClr
	RET
