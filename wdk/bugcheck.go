package wdk

import "irqlab/bugcheck"

// KeBugCheck stops the machine with a code.
//
// IRQL: any
func KeBugCheck(BugCheckCode ULONG) { bugcheck.Stop(bugcheck.Code(BugCheckCode), 0, 0, 0, 0) }

// KeBugCheckEx stops the machine with a code and what its four parameters mean.
//
// IRQL: any
func KeBugCheckEx(BugCheckCode ULONG, BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4 ULONG_PTR) {
	bugcheck.Stop(bugcheck.Code(BugCheckCode), BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4)
}
