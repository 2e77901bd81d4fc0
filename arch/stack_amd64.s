#include "textflag.h"
#include "zz_offsets_amd64.h"

// func TouchStack()
//
// Not NOSPLIT: the assembler's prologue grows the stack for a frame this large.
TEXT ·TouchStack(SB),0,$const_RaisedStack-0
	MOVB	$0, (0*const_PageSize)(SP)
	MOVB	$0, (1*const_PageSize)(SP)
	MOVB	$0, (2*const_PageSize)(SP)
	MOVB	$0, (3*const_PageSize)(SP)
	RET

// func Goroutine() uintptr
TEXT ·Goroutine(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ	R14, ret+0(FP)
	RET
