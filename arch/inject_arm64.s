// Calls of a runtime function that uses the register ABI, with an m of its own
// behind the kernel g.

#include "textflag.h"
#include "zz_offsets_arm64.h"

// func asyncSafePoint(fn, gp, pc, sp, lr uintptr, m unsafe.Pointer) (ok bool, resume uintptr)
//
// Above the saved LR: five spill slots of the callee, and the kernel g's own m.
TEXT ·asyncSafePoint(SB),NOSPLIT,$56-64
	MOVD	G_m(g), R5
	MOVD	R5, 48(RSP)
	MOVD	m+40(FP), R5
	MOVD	R5, G_m(g)
	MOVD	fn+0(FP), R6
	MOVD	gp+8(FP), R0
	MOVD	pc+16(FP), R1
	MOVD	sp+24(FP), R2
	MOVD	lr+32(FP), R3
	CALL	(R6)
	MOVD	48(RSP), R5
	MOVD	R5, G_m(g)
	MOVB	R0, ok+48(FP)
	MOVD	R1, resume+56(FP)
	RET
