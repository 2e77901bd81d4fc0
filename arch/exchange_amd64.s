#include "textflag.h"

// func CompareExchange128(p *[2]uint64, high, low uint64, comparand *[2]uint64) bool
//
// CMPXCHG16B: Intel SDM volume 2A.
TEXT ·CompareExchange128(SB),NOSPLIT|NOFRAME,$0-33
	MOVQ	p+0(FP), DI
	MOVQ	high+8(FP), CX
	MOVQ	low+16(FP), BX
	MOVQ	comparand+24(FP), SI
	MOVQ	0(SI), AX
	MOVQ	8(SI), DX
	LOCK
	CMPXCHG16B	(DI)
	SETEQ	ret+32(FP)
	MOVQ	AX, 0(SI)
	MOVQ	DX, 8(SI)
	RET
