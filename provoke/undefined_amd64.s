#include "textflag.h"

// func undefined()
TEXT ·undefined(SB),NOSPLIT,$0-0
	UD2
	RET
