package arch

// RaisedStack is how much stack, in bytes, raised Go code of a thread may use
// without a page fault or a stack growth.
const RaisedStack = 16 << 10

// TouchStack makes the goroutine's stack that large and present below its
// caller. It is assembly because Go code would clear the frame it declares.
func TouchStack()

// Goroutine returns the g of the calling Go code.
func Goroutine() uintptr
