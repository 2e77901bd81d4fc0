// The trap flag, bit 8 of RFLAGS (Intel SDM vol. 3A, 2.3).

#include "textflag.h"

// func step(on bool)
TEXT ·step(SB),NOSPLIT,$0-1
	PUSHFQ
	POPQ	AX
	ANDQ	$~0x100, AX
	MOVBLZX	on+0(FP), CX
	SHLQ	$8, CX
	ORQ	CX, AX
	PUSHQ	AX
	POPFQ
	RET
