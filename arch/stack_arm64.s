#include "textflag.h"
#include "zz_offsets_arm64.h"

// func TouchStack()
//
// Not NOSPLIT: the assembler's prologue grows the stack for a frame this large.
// 0(RSP) holds the return address.
TEXT ·TouchStack(SB),0,$const_RaisedStack-0
	MOVB	ZR, (0*const_PageSize+8)(RSP)
	MOVB	ZR, (1*const_PageSize+8)(RSP)
	MOVB	ZR, (2*const_PageSize+8)(RSP)
	MOVB	ZR, (3*const_PageSize+8)(RSP)
	RET

// func Goroutine() uintptr
TEXT ·Goroutine(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	g, ret+0(FP)
	RET
