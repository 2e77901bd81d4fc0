package board

import "irqlab/arch"

// RequestDispatch pends an interrupt of DISPATCH_LEVEL on the running processor,
// which is c. From a service routine there is no need for one: the end of the
// last interrupt being served is where it would be delivered, so that does the
// work at once, if the level it returns to is low enough (package entry).
//
// IRQL: >= DISPATCH_LEVEL
func RequestDispatch(c *arch.CPU) {
	if c.KernelG == &c.Interrupt.G {
		c.DispatchWanted = true
	} else {
		RequestSelf(levelDispatch)
	}
}
