#include "textflag.h"

// func undefined()
TEXT ·undefined(SB),NOSPLIT,$0-0
	WORD	$0	// UDF #0 (Arm ARM DDI 0487, C6.2)
	RET
