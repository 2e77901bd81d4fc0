package arch

import "unsafe"

// cpuState is the ARM64 part of a processor's control block.
type cpuState struct {
	start     uintptr // stack pointer to start with
	emergency Stack   // where a frame is made when the kernel stack has overflowed
	affinity  uint64
	selfSGI   uint64    // SGITarget, for the gate
	scratch   [2]uint64 // of the vector that finds the stack overflowed
}

// affinityMask selects Aff3 to Aff0 of MPIDR_EL1 (Arm ARM DDI 0487, D19.2.101).
const affinityMask = 0xff_00ff_ffff

// Affinity returns the processor's name for PSCI, the GIC and the device tree.
func (c *CPU) Affinity() uint64 { return c.machine.affinity }

// SGITarget returns the value for SendSGI that targets the processor, to which
// INTID<<24 is added (GIC IHI 0069, 12.2.22).
func (c *CPU) SGITarget() uint64 {
	a := c.machine.affinity
	return a>>32<<48 | a>>16&0xff<<32 | a>>8&0xff<<16 | a&0xf0>>4<<44 | 1<<(a&0xf)
}

// PrepareKernel makes the first Switch to c run fn(arg) on its kernel stack, in
// kernel context. fn must not return.
func (c *Context) PrepareKernel(fn func(uintptr), arg uintptr) {
	s := (*[8]uintptr)(unsafe.Pointer(c.Stack.Hi - 8*8))
	s[0] = 0 // R29: end of the frame-pointer chain
	s[1] = kernelStart()
	s[6] = *(*uintptr)(unsafe.Pointer(&fn)) // the closure: its first word is the code
	s[7] = arg
	c.SP = uintptr(unsafe.Pointer(s))
}

// PrepareGo makes the first Switch to c resume the Go code that f describes.
func (c *Context) PrepareGo(f *Frame) {
	fr := frameFor(&c.Stack)
	*fr = *f
	s := (*[4]uintptr)(unsafe.Pointer(uintptr(unsafe.Pointer(fr)) - 4*8))
	s[0] = 0
	s[1] = goStart()
	c.SP = uintptr(unsafe.Pointer(s))
}

// defined in trap_arm64.s
func vectorBase() uintptr
func kernelStart() uintptr
func goStart() uintptr

// publish makes table entries written before visible to the table walkers.
func publish()
