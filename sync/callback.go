package sync

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/list"
	"irqlab/pool"
	"irqlab/sync/spin"
)

// Callback is a CALLBACK_OBJECT: routines are registered with it, and whoever
// knows it has them called. Package ob gives it a name.
//
// Documentation: "Callback Objects".
type Callback struct {
	lock          spin.Lock
	registrations list.Entry // in the order in which they were made
	many          bool       // more than one is allowed
}

// Registration is a routine registered with a Callback, until Unregister.
type Registration struct {
	entry    list.Entry
	callback *Callback
	routine  uintptr
	context  uintptr
	calls    uint32 // in progress; the callback's lock guards this and what follows
	leaving  bool
	idle     kernel.Header // signalled when it is leaving and not called any more
}

// CallbackRoutine is called with the context that it was registered with, and the
// notifier's arguments (PCALLBACK_FUNCTION).
//
// IRQL: the notifier's, <= DISPATCH_LEVEL
type CallbackRoutine func(context, arg1, arg2 unsafe.Pointer)

const registrationTag pool.Tag = 'C' | 'b'<<8 | 'r'<<16 | 'b'<<24

// Init makes c an object without routines that takes one of them, or many
// (ExCreateCallback).
//
// IRQL: <= DISPATCH_LEVEL
func (c *Callback) Init(many bool) {
	c.lock.Init()
	c.registrations.Init()
	c.many = many
}

// Register adds a routine and returns its registration; nil if there is no
// memory, or a routine already where only one is allowed (ExRegisterCallback).
// The caller holds a reference to the object until Unregister.
//
// IRQL: <= APC_LEVEL
func (c *Callback) Register(r CallbackRoutine, context unsafe.Pointer) *Registration {
	irql.AssertAtMost(irql.APC)
	n := (*Registration)(pool.Alloc(unsafe.Sizeof(Registration{}), registrationTag))
	if n == nil {
		return nil
	}
	n.routine, n.context = *(*uintptr)(unsafe.Pointer(&r)), uintptr(context)
	n.callback = c
	n.idle.Init(kernel.TypeNotificationEvent, unsafe.Sizeof(kernel.Header{}), 0)
	old := c.lock.Acquire()
	full := !c.many && !c.registrations.Empty()
	if !full {
		c.registrations.InsertTail(&n.entry)
	}
	c.lock.Release(old)
	if full {
		pool.Free(unsafe.Pointer(n), registrationTag)
		return nil
	}
	return n
}

// Unregister removes the routine and returns when it is not called any more
// (ExUnregisterCallback). The routine must not do that itself.
//
// IRQL: <= APC_LEVEL
func (n *Registration) Unregister() {
	irql.AssertAtMost(irql.APC)
	c := n.callback
	old := c.lock.Acquire()
	n.leaving = true
	busy := n.calls != 0
	if !busy {
		n.entry.Remove()
	}
	c.lock.Release(old)
	if busy {
		Wait(&n.idle, nil, false, kernel.KernelMode)
	}
	pool.Free(unsafe.Pointer(n), registrationTag)
}

// Callback returns what the routine is registered with.
func (n *Registration) Callback() *Callback { return n.callback }

// Notify calls the registered routines, in the order of their registration, at
// the caller's level (ExNotifyCallback). Those registered meanwhile are called
// as well.
//
// IRQL: <= DISPATCH_LEVEL
func (c *Callback) Notify(arg1, arg2 unsafe.Pointer) {
	old := c.lock.Acquire()
	for e := c.registrations.Flink; e != &c.registrations; {
		n := (*Registration)(unsafe.Pointer(e)) // entry is its first field
		if n.leaving {
			e = e.Flink
			continue
		}
		n.calls++ // so it stays in the list
		c.lock.Release(old)
		(*(*CallbackRoutine)(unsafe.Pointer(&n.routine)))(unsafe.Pointer(n.context), arg1, arg2)
		old = c.lock.Acquire()
		e = e.Flink
		if n.calls--; n.calls == 0 && n.leaving {
			n.entry.Remove()
			a := kernel.Args{P: unsafe.Pointer(&n.idle)}
			kernel.Enter(signalIdle, &a) // n is gone once its owner runs
		}
	}
	c.lock.Release(old)
}

func signalIdle(a *kernel.Args) { kernel.SignalHeader((*kernel.Header)(a.P), 0) }
