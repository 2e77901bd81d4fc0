package ob

import (
	"unsafe"

	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/pool"
	"irqlab/sync"
)

// Operation is what happens to handles (OB_OPERATION).
type Operation uint32

const (
	CreateHandle    Operation = 1
	DuplicateHandle Operation = 2
)

// Change is a handle about to be made, or made, as callbacks see it.
type Change struct {
	Operation   Operation
	Kernel      bool // for the kernel: the access can't be changed
	Body        unsafe.Pointer
	Type        *Type
	CallContext unsafe.Pointer // from a Before to the After of the same registration

	Access   uint32          // that will be granted; a Before may lower it
	Original uint32          // what was asked for
	Status   ntstatus.Status // for After
}

// Notify is a callback: ordinary Go, called with the context it was registered
// with.
//
// IRQL: PASSIVE_LEVEL
type Notify func(context unsafe.Pointer, c *Change)

// Callback asks to be called for operations on handles of a type. The routines
// are func values; what registers them keeps them alive.
type Callback struct {
	Type          kernel.ObjectType
	Operations    Operation
	Before, After uintptr
}

// MaxCallbacks bounds those of one registration.
const MaxCallbacks = 8

// Registration is a set of callbacks, in nonpaged pool.
type Registration struct {
	Callbacks [MaxCallbacks]Callback
	Context   unsafe.Pointer

	altitude [32]uint16
	digits   int // of altitude
	rundown  sync.Rundown
}

const registrationTag pool.Tag = 'O' | 'b'<<8 | 'C'<<16 | 'b'<<24

// registered are the registrations, the highest altitude first. Lock held.
var registered struct {
	at [maxRegistrations]*Registration
	n  int
}

const maxRegistrations = 16

// NewRegistration returns one with an altitude, a decimal number, that is to be
// filled in and registered. It returns nil and InvalidParameter for an altitude
// that is none, or NoResources.
//
// IRQL: <= APC_LEVEL
func NewRegistration(altitude []uint16) (*Registration, ntstatus.Status) {
	r := (*Registration)(pool.Alloc(unsafe.Sizeof(Registration{}), registrationTag))
	if r == nil {
		return nil, ntstatus.NoResources
	}
	if !r.setAltitude(altitude) {
		r.Discard()
		return nil, ntstatus.InvalidParameter
	}
	return r, ntstatus.Success
}

// Discard frees a registration that is not, or no longer, registered.
//
// IRQL: <= DISPATCH_LEVEL
func (r *Registration) Discard() { pool.Free(unsafe.Pointer(r), registrationTag) }

// setAltitude keeps the number without leading zeros.
func (r *Registration) setAltitude(altitude []uint16) bool {
	for len(altitude) > 1 && altitude[0] == '0' {
		altitude = altitude[1:]
	}
	points := 0
	for i, c := range altitude {
		switch {
		case c == '.' && i > 0:
			points++
		case c < '0' || c > '9':
			return false
		}
	}
	r.digits = copy(r.altitude[:], altitude)
	return len(altitude) > 0 && r.digits == len(altitude) && points <= 1
}

// above compares altitudes: 1, 0 or -1.
func (r *Registration) above(other *Registration) int {
	a, b := r.altitude[:r.digits], other.altitude[:other.digits]
	if d := whole(a) - whole(b); d != 0 {
		return min(max(d, -1), 1)
	}
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return -1
		case i >= len(b) || a[i] > b[i]:
			return 1
		case a[i] < b[i]:
			return -1
		}
	}
	return 0
}

// whole returns the number of digits in front of the point.
func whole(altitude []uint16) int {
	for i, c := range altitude {
		if c == '.' {
			return i
		}
	}
	return len(altitude)
}

// Register has the callbacks called from now on (ObRegisterCallbacks).
//
// Statuses: Success, AltitudeCollision, NoResources.
//
// IRQL: <= APC_LEVEL
func (r *Registration) Register() ntstatus.Status {
	s := ntstatus.Success
	old := lock.Acquire()
	i := 0
	for i < registered.n && registered.at[i].above(r) > 0 {
		i++
	}
	switch {
	case i < registered.n && registered.at[i].above(r) == 0:
		s = ntstatus.AltitudeCollision
	case registered.n == maxRegistrations:
		s = ntstatus.NoResources
	default:
		// Not copy, which looks for write barriers.
		for j := registered.n; j > i; j-- {
			registered.at[j] = registered.at[j-1]
		}
		registered.at[i] = r
		registered.n++
	}
	lock.Release(old)
	return s
}

// Unregister returns when none of the callbacks is being called, nor will be
// again (ObUnRegisterCallbacks). It reports whether they were registered.
//
// IRQL: <= APC_LEVEL
func (r *Registration) Unregister() bool {
	old := lock.Acquire()
	i := 0
	for i < registered.n && registered.at[i] != r {
		i++
	}
	found := i < registered.n
	if found {
		for ; i < registered.n-1; i++ {
			registered.at[i] = registered.at[i+1]
		}
		registered.n--
		registered.at[registered.n] = nil
	}
	lock.Release(old)
	if found {
		r.rundown.Wait()
	}
	return found
}

// Registered reports whether r is registered.
//
// IRQL: <= APC_LEVEL
func (r *Registration) Registered() bool {
	old := lock.Acquire()
	i := 0
	for i < registered.n && registered.at[i] != r {
		i++
	}
	found := i < registered.n
	lock.Release(old)
	return found
}

// calling is a handle being made, with the registrations that hear of it.
type calling struct {
	operation Operation
	object    *kernel.ObjectHeader
	kernel    bool
	access    uint32

	asked   uint32
	region  bool // normal kernel APCs are off, as long as there are callbacks
	n       int
	who     [maxRegistrations]*Registration
	context [maxRegistrations]unsafe.Pointer
}

// before calls the callbacks that want to know, from the highest altitude down.
func (c *calling) before() {
	c.asked = c.access
	if registered.n == 0 {
		return
	}
	old := lock.Acquire()
	for _, r := range registered.at[:registered.n] {
		if r.rundown.Acquire() {
			c.who[c.n] = r
			c.n++
		}
	}
	lock.Release(old)
	if c.n > 0 && kernel.RunsLocked() {
		c.region = true
		kernel.EnterCriticalRegion()
	}
	for i := range c.n {
		ch := c.change()
		c.who[i].call(&ch, false)
		c.context[i] = ch.CallContext
		if !c.kernel {
			c.access &= ch.Access
		}
	}
}

// after calls them from the lowest altitude up.
func (c *calling) after(s ntstatus.Status) {
	for i := c.n - 1; i >= 0; i-- {
		ch := c.change()
		ch.CallContext, ch.Status = c.context[i], s
		c.who[i].call(&ch, true)
		c.who[i].rundown.Release()
	}
	if c.region {
		kernel.LeaveCriticalRegion()
	}
}

func (c *calling) change() Change {
	return Change{Operation: c.operation, Kernel: c.kernel, Body: c.object.Body(), Type: Describe(c.object.TypeIndex),
		Access: Describe(c.object.TypeIndex).grant(c.access), Original: c.asked}
}

func (r *Registration) call(ch *Change, after bool) {
	for i := range r.Callbacks {
		b := &r.Callbacks[i]
		routine := b.Before
		if after {
			routine = b.After
		}
		if b.Type == ch.Type.index && b.Operations&ch.Operation != 0 && routine != 0 {
			(*(*Notify)(unsafe.Pointer(&routine)))(r.Context, lend(ch))
		}
	}
}

// lend hides from the compiler that a callback gets ch, or it would be put on the
// heap: callbacks do not keep it.
//
//go:nosplit
func lend(ch *Change) *Change {
	p := uintptr(unsafe.Pointer(ch))
	//lint:ignore SA4016 the operation is what hides the pointer
	return (*Change)(unsafe.Pointer(p ^ 0))
}
