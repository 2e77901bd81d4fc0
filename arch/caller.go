package arch

// FramePointer returns the frame pointer of its caller: the head of the chain
// that links the frames below.
func FramePointer() uintptr
