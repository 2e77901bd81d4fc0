// Package driver has drivers that come and go: code that is started by its entry
// routine, and asked to end, by its unload routine, what it has begun.
//
// A driver is a Go package here: what Windows tells by an image's bounds is told by
// the package of a function. Its code is a part of the program and stays, but
// nothing of the driver may be going on once it is unloaded. With the verifier's
// rule leaks whatever it leaves behind stops the machine: threads, work items,
// timers, DPCs and interrupts whose routines are the driver's, handles,
// references and pool that its code has asked for; see verifier.Unloaded.
//
// It is ordinary Go, not resident: drivers come and go at PASSIVE_LEVEL.
//
// Documentation: "DRIVER_INITIALIZE", "DRIVER_UNLOAD", "ZwLoadDriver",
// "ZwUnloadDriver".
package driver

import (
	"slices"
	"sync"
	"unsafe"

	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/verifier"
)

// Driver is a driver that is loaded.
type Driver struct {
	// Unload is what the entry routine sets to the routine that ends what the
	// driver has begun (DRIVER_UNLOAD). A driver without one stays.
	//
	// IRQL: PASSIVE_LEVEL
	Unload func()

	name string
	code string // import path of the package
}

// Entry starts a driver (DRIVER_INITIALIZE). One that fails leaves nothing behind:
// its unload routine is not called.
//
// IRQL: PASSIVE_LEVEL
type Entry func(d *Driver) ntstatus.Status

var (
	mu     sync.Mutex
	loaded []*Driver
)

// Load starts the driver of that name. It returns what the entry routine does, or
// STATUS_IMAGE_ALREADY_LOADED if there is a driver of the name or of the entry
// routine's package. An exception of the entry routine is the caller's.
//
// IRQL: PASSIVE_LEVEL
func Load(name string, entry Entry) (*Driver, ntstatus.Status) {
	irql.AssertAtMost(irql.Passive)
	d := &Driver{name: name, code: bugcheck.PackageOf(**(**uintptr)(unsafe.Pointer(&entry)))}
	mu.Lock()
	if slices.ContainsFunc(loaded, func(l *Driver) bool { return l.name == d.name || l.code == d.code }) {
		mu.Unlock()
		return nil, ntstatus.AlreadyLoaded
	}
	loaded = append(loaded, d)
	mu.Unlock()
	returned := false
	defer func() {
		if !returned {
			d.forget()
		}
	}()
	s := entry(d)
	returned = true
	if !s.OK() {
		d.remove()
		return nil, s
	}
	return d, ntstatus.Success
}

// End unloads the driver: it calls its unload routine, waits for the DPCs that are
// queued, and has the verifier look for what the driver has left behind. It
// returns STATUS_INVALID_DEVICE_REQUEST for a driver that has no unload routine,
// or that is not loaded any more.
//
// IRQL: PASSIVE_LEVEL
func (d *Driver) End() ntstatus.Status {
	irql.AssertAtMost(irql.Passive)
	mu.Lock()
	unload := d.Unload
	ok := unload != nil && slices.Contains(loaded, d)
	d.Unload = nil
	mu.Unlock()
	if !ok {
		return ntstatus.InvalidRequest
	}
	unload()
	d.remove()
	return ntstatus.Success
}

// remove is the end of a driver that has been told.
func (d *Driver) remove() {
	var a kernel.Args
	kernel.EnterBlocking(flush, &a)
	verifier.Unloaded(d.name, d.code)
	d.forget()
}

func (d *Driver) forget() {
	mu.Lock()
	loaded = slices.DeleteFunc(loaded, func(l *Driver) bool { return l == d })
	mu.Unlock()
}

// flush keeps a driver until its DPCs have run, as the system does on Windows
// before it frees an image.
func flush(*kernel.Args) { kernel.FlushDPCs() }

// Names returns the names of the drivers that are loaded, in the order in which
// they were.
//
// IRQL: PASSIVE_LEVEL
func Names() []string {
	mu.Lock()
	defer mu.Unlock()
	var names []string
	for _, d := range loaded {
		names = append(names, d.name)
	}
	return names
}
