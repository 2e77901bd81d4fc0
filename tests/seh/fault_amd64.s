//go:build irqlab

#include "textflag.h"

// func divide()
TEXT ·divide(SB),NOSPLIT,$0-0
	XORL	AX, AX
	XORL	DX, DX
	DIVQ	AX
	RET

// func undefined()
TEXT ·undefined(SB),NOSPLIT,$0-0
	UD2
	RET

// func breakpoint()
TEXT ·breakpoint(SB),NOSPLIT,$0-0
	BYTE	$0xCC	// INT3
	RET

// func misalign()
//
// An access of 16 bytes that must be aligned and is not is a protection fault,
// not an alignment check (Intel SDM vol. 2, MOVAPS).
TEXT ·misalign(SB),NOSPLIT,$32-0
	LEAQ	buf-31(SP), AX
	ORQ	$1, AX
	MOVAPS	(AX), X0
	RET
