// Package linux implements the system calls that the stock Go runtime and
// standard library make (GOOS=linux, amd64 and arm64) with kernel objects: a
// thread of the runtime is a kernel thread, a futex wait is a wait for an event,
// a signal is delivered where an APC would be. About 60 of Linux's calls are
// known, half of them only by name; unknown ones return ENOSYS and are counted.
//
// Behaviour follows the Linux manual pages, sections 2 and 7, as far as the Go
// runtime can tell the difference. There is one process, no file system, no
// user mode: pointers are checked where programs pass them, not for security
// but because a bad one would otherwise stop the machine.
//
// # Waiting
//
// Every thread has one event, and all its waits in system calls are waits for
// it: whoever changes what the thread waits for, and whoever posts a signal to
// it, sets the event, and the thread looks what has happened. So a wait needs
// one object, and a wake that comes before the wait is not lost. NT-style
// alerts are left to the program's own use.
//
// # Locks
//
// Outermost first; all are spin locks held at DISPATCH_LEVEL:
//
//	futex bucket   one per hash bucket (futex.go)
//	files          descriptors, pipes, event counters, epoll sets (file.go)
//	actions        signal actions (signal.go)
//	  dispatcher   (package kernel), taken below each of the above
//
// A system call runs at the IRQL of its caller. One that may wait stops the
// machine at DISPATCH_LEVEL and above, with a text that says so: the runtime
// had to wait for something while the program was not allowed to.
package linux
