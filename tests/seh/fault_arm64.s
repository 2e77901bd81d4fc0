//go:build irqlab

#include "textflag.h"

// func undefined()
TEXT ·undefined(SB),NOSPLIT,$0-0
	WORD	$0	// UDF #0 (Arm ARM DDI 0487, C6.2)
	RET

// func breakpoint()
TEXT ·breakpoint(SB),NOSPLIT,$0-0
	BRK
	RET

// func misalign()
//
// Exclusive accesses must be aligned (Arm ARM DDI 0487, B2.5.2).
TEXT ·misalign(SB),NOSPLIT,$32-0
	MOVD	RSP, R0
	ADD	$17, R0
	LDXR	(R0), R1
	CLREX
	RET
