#include "textflag.h"

// func FramePointer() uintptr
//
// Go calls it through an ABI wrapper, which has a frame of its own.
TEXT ·FramePointer(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	(R29), R0
	MOVD	R0, ret+0(FP)
	RET
