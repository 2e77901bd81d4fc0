package apc

// step makes the processor trap after every instruction of the calling
// goroutine, or no longer. Defined in step_amd64.s.
func step(on bool)
