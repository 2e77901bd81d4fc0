// Package demos has the demonstrations of the shell's command demo. Each is a
// small driver in Go, explains itself in a few lines, shows something, and ends
// with a verdict on what it measured, so that it is a test as well.
//
// One file is one demo. The directory of its name holds the program that is
// this demo alone: irqlab run ./demos/mutex.
package demos

import (
	"errors"
	"fmt"
	"io"
	"os"

	_ "irqlab"
	"irqlab/driver"
	"irqlab/ntstatus"
	. "irqlab/wdk"
)

// Demo is one of them.
type Demo struct {
	Name  string
	About string // what it shows, in one line
	Usage string // of its arguments, if it takes any

	run func(w io.Writer, args []string) error
}

// Load loads the demo's driver, which does everything in its entry routine, and
// unloads it again: with the verifier, nothing of it may be left.
func (d *Demo) Load(w io.Writer, args []string) (err error) {
	self, status := driver.Load(d.Name+".sys", func(self *driver.Driver) NTSTATUS {
		self.Unload = func() {}
		err = d.run(w, args)
		return STATUS_SUCCESS
	})
	if !NT_SUCCESS(status) {
		return ntstatus.Exception{Status: status}
	}
	self.End()
	return err
}

// All are the demos, in the order in which they teach.
var All = []Demo{
	{"mutex", "two threads count under a mutex: nothing is lost", "[each] [count]", mutex},
	{"mutex-race", "the same without the mutex: updates are lost", "[count]", mutexRace},
	{"recursion", "a KMUTEX can be acquired twice; fast and guarded mutexes cannot", "[fast | guarded]", recursion},
	{"locks", "what the kinds of mutexes cost", "", locks},
	{"spinlock", "threads and a timer's DPC share data on all processors", "", spinLock},
	{"spinforms", "the forms of spin locks, and the levels they are held at", "", spinLockForms},
	{"irql", "interrupts nest and DPCs queue: a drawing of levels", "", levels},
	{"raise", "DISPATCH_LEVEL keeps the dispatcher out", "", raise},
	{"dpc", "importance, target processor, threaded DPCs", "", deferred},
	{"apc", "which APC reaches a thread in which state: a matrix", "", apcs},
	{"workitems", "where work that is put off is done: DPC, work item, thread", "", workItems},
	{"alertable", "a sleep of an hour, ended by ZwAlertThread", "", alertable},
	{"exceptions", "__try, __except and __finally over a user's bad buffer", "", exceptions},
	{"paging", "memory that the kernel takes away, with and without KeRaiseIrql", "[raise]", paging},
	{"events", "notification and synchronization events", "", events},
	{"named", "two drivers meet at events that they know by name only", "", namedEvents},
	{"semaphore", "a bounded queue", "", semaphore},
	{"pushlock", "readers and writers of a push lock", "", pushLock},
	{"eresource", "readers and writers of an ERESOURCE, and who jumps the queue", "", eresource},
	{"priority", "priority 31 starves 8; the balance set rescues 8 from 12", "", priority},
}

// Find returns the demo of that name.
func Find(name string) (*Demo, bool) {
	for i := range All {
		if All[i].Name == name {
			return &All[i], true
		}
	}
	return nil, false
}

// ErrUsage says that a demo's arguments were not understood.
var ErrUsage = errors.New("wrong arguments")

// Main is a program that is one demo.
func Main(name string) {
	d, ok := Find(name)
	if !ok {
		panic("there is no demo " + name)
	}
	err := d.Load(os.Stdout, os.Args[1:])
	if err == ErrUsage {
		fmt.Fprintf(os.Stderr, "usage: %s %s\n", d.Name, d.Usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "demo %s: %v\n", name, err)
		os.Exit(1)
	}
}

// verdict prints what a demo found and makes it the demo's result.
func verdict(w io.Writer, ok bool, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if !ok {
		fmt.Fprintf(w, "verdict: FAILED: %s\n", text)
		return errors.New(text)
	}
	fmt.Fprintf(w, "verdict: ok: %s\n", text)
	return nil
}
