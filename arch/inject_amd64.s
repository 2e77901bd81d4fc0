// Calls of a runtime function that uses the register ABI, with an m of its own
// behind the kernel g.

#include "textflag.h"
#include "zz_offsets_amd64.h"

// func asyncSafePoint(fn, gp, pc, sp, lr uintptr, m unsafe.Pointer) (ok bool, resume uintptr)
TEXT ·asyncSafePoint(SB),NOSPLIT,$48-64
	MOVQ	CPU_KernelG(GS), R14
	MOVQ	G_m(R14), SI
	MOVQ	SI, 40(SP)
	MOVQ	m+40(FP), SI
	MOVQ	SI, G_m(R14)
	MOVQ	fn+0(FP), DX
	MOVQ	gp+8(FP), AX
	MOVQ	pc+16(FP), BX
	MOVQ	sp+24(FP), CX
	MOVQ	lr+32(FP), DI
	PXOR	X15, X15
	CALL	DX
	MOVQ	CPU_KernelG(GS), R14
	MOVQ	40(SP), SI
	MOVQ	SI, G_m(R14)
	MOVB	AX, ok+48(FP)
	MOVQ	BX, resume+56(FP)
	RET
