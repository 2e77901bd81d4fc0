//go:build !irqlab

package arch

import "unsafe"

// Machine stands in for the processors when the kernel's code runs in an
// ordinary program on the host, with every interleaving under control. All of
// it is kernel context then, and no interrupt ever comes.
type Machine struct {
	CPU    func() *CPU             // the processor that runs
	Switch func(from, to *Context) // as Switch; CPU().Context is to already
	Pause  func()                  // the processor that runs waits for another
	levels [MaxCPUs]uintptr
}

// Simulate makes the primitives those of m.
func Simulate(m *Machine) {
	m.levels = [MaxCPUs]uintptr{}
	level := func() *uintptr { return &m.levels[m.CPU().ID] }
	thisCPU = m.CPU
	thisContext = func() *Context { return m.CPU().Context }
	inKernel = func() bool { return true }
	ofKernel = thisContext
	readIRQL = func() uintptr { return *level() }
	writeIRQL = func(l uintptr) { *level() = l }
	raiseIRQL = func(l uintptr) uintptr {
		old := *level()
		if l < old {
			return LookCloser
		}
		*level() = l
		return old
	}
	pause = m.Pause
	counter = func() uint64 { return 0 }
	dispatcher = func() unsafe.Pointer { return m.CPU().Dispatcher }
	disable = func() bool { return true }
	enable = func() {}
	change = func(from, to *Context, time *Account, bucket *uint64) unsafe.Pointer {
		time.Bucket = bucket
		m.CPU().Context = to
		m.Switch(from, to)
		return m.CPU().Dispatcher
	}
	become = func(c *Context) { m.CPU().Context = c }
	callOn = func(_ *Stack, fn func(uintptr), arg uintptr) { fn(arg) }
}
