// Package verifier watches how locks are used, as Driver Verifier does on
// Windows and lockdep does on Linux: it stops the machine for a deadlock that
// could happen, the first time that the code behind it runs, whether or not the
// deadlock does.
//
// The kernel option verifier=on turns on every rule, verifier=order,hold some of
// them; without it the package has no memory and nothing calls it. It needs the
// hooks of checked mode, which it turns on.
//
//	order     the order of locks, by class, and the levels at which they are held
//	deadlock  threads that wait for each other, for locks, mutexes and threads
//	hold      spin locks held for too long
//	leaks     what a driver leaves behind when it is unloaded: see Unloaded
//	paging    paged pool is taken away when a driver raises to DISPATCH_LEVEL
//
// # Classes
//
// Locks that the same line of code initializes are of one class, and what holds
// for one of them holds for all: that is why a single run finds orders that only
// bad luck turns into deadlocks. A lock in the pool or in the image's data that
// was never initialized, which is right for many kinds, is a class of its own
// until its memory is freed. Locks elsewhere, push locks on the Go heap, have no
// class: their memory goes without notice.
//
// Two locks of one class that are held together are told apart by address: one
// pair must not be taken in both orders.
//
// # Order and levels
//
// Whenever a lock is acquired while another one is held, the graph of classes
// gets an edge, once. A cycle is a violation. A mere try adds no edge: it does
// not wait. A wait with a timeout, or one that an alert can end, is a try.
//
// A class that service routines acquire, at some level, must never be held below
// that level with interrupts enabled, and nor must any class that is acquired
// while one of it is held. Spin locks and the locks of threads have separate
// graphs, since a thread that holds a spin lock does not wait.
//
// # Lock order and IRQL
//
// The package's lock is held with interrupts disabled, like that of package mm:
// locks are taken at every level. It guards classes and edges, and it is a leaf.
// Reading them takes no lock: they only grow, but for locks that are freed. The
// locks that a processor holds are its own business, because spin locks are
// released where they were acquired. Those of a thread have a small lock of
// their own, below the dispatcher's.
//
// Nothing is allocated once the machine runs. What finds no room is not watched
// and is counted.
package verifier
