#include "textflag.h"

// func FramePointer() uintptr
//
// Go calls it through an ABI wrapper, which has a frame of its own.
TEXT ·FramePointer(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ	(BP), AX
	MOVQ	AX, ret+0(FP)
	RET
