#include "textflag.h"

// func CompareExchange128(p *[2]uint64, high, low uint64, comparand *[2]uint64) bool
//
// A pair that LDAXP loads is one value only if a store to it succeeds, so what is
// found is stored back where it is not exchanged (Arm ARM, B2.2.1).
TEXT ·CompareExchange128(SB),NOSPLIT|NOFRAME,$0-33
	MOVD	p+0(FP), R0
	MOVD	high+8(FP), R1
	MOVD	low+16(FP), R2
	MOVD	comparand+24(FP), R3
	LDP	(R3), (R4, R5)

retry:
	LDAXP	(R0), (R6, R7)
	CMP	R4, R6
	BNE	differ
	CMP	R5, R7
	BNE	differ
	STLXP	(R2, R1), (R0), R8
	CBNZ	R8, retry
	MOVD	$1, R9
	MOVB	R9, ret+32(FP)
	RET

differ:
	STLXP	(R6, R7), (R0), R8
	CBNZ	R8, retry
	STP	(R6, R7), (R3)
	MOVB	ZR, ret+32(FP)
	RET
