// Package bugcheck stops the machine with a documented code, and says why on
// the console. It runs at any IRQL, in any context, takes no lock and
// allocates nothing: the only state it trusts is the frame it is given.
package bugcheck

// Code is a bug check code ("Bug Check Code Reference").
type Code uint32

// The codes this kernel raises.
const (
	IRQLNotGreaterOrEqual Code = 0x09
	IRQLNotLessOrEqual    Code = 0x0A
	MaximumWaitObjects    Code = 0x0C
	SpinLockAlreadyOwned  Code = 0x0F
	SpinLockNotOwned      Code = 0x10
	NoPagesAvailable      Code = 0x4D
)
