package thread

import (
	"slices"
	"sync"

	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
)

// NotifyRoutine is told of a system thread that has been created, in the
// creating thread and before the new one runs its routine, or is about to end,
// in that thread (PCREATE_THREAD_NOTIFY_ROUTINE).
//
// IRQL: PASSIVE_LEVEL
type NotifyRoutine func(id uint32, created bool)

// notification is a registered routine.
type notification struct {
	routine NotifyRoutine // nil is never called
	key     uintptr
	calls   []uint32 // threads that are in it
}

// maxNotifications bounds the registered routines, as Windows does.
const maxNotifications = 64

var (
	notifyMu      sync.Mutex
	notifyReturn  = sync.NewCond(&notifyMu) // a call has returned
	notifications []*notification
)

// Notify registers a routine (PsSetCreateThreadNotifyRoutine). It returns
// STATUS_INSUFFICIENT_RESOURCES when there are too many. Key stands for the
// routine when it is removed.
//
// IRQL: PASSIVE_LEVEL
func Notify(r NotifyRoutine, key uintptr) ntstatus.Status {
	irql.AssertAtMost(irql.Passive)
	notifyMu.Lock()
	defer notifyMu.Unlock()
	if len(notifications) == maxNotifications {
		return ntstatus.NoResources
	}
	notifications = append(notifications, &notification{routine: r, key: key})
	return ntstatus.Success
}

// selfRemoval is parameter 1 of bug check DRIVER_VERIFIER_DETECTED_VIOLATION:
// the thread waits for something that it must do itself.
const selfRemoval = 0x1000

// StopNotify removes what Notify registered with the key, once all calls of it
// have returned (PsRemoveCreateThreadNotifyRoutine). A routine must not remove
// itself. It returns STATUS_PROCEDURE_NOT_FOUND if there is none.
//
// IRQL: <= APC_LEVEL
func StopNotify(key uintptr) ntstatus.Status {
	irql.AssertAtMost(irql.APC)
	notifyMu.Lock()
	defer notifyMu.Unlock()
	i := slices.IndexFunc(notifications, func(n *notification) bool { return n.key == key })
	if i < 0 {
		return ntstatus.ProcedureNotFound
	}
	n := notifications[i]
	notifications = slices.Delete(notifications, i, i+1)
	for len(n.calls) != 0 {
		if slices.Contains(n.calls, kernel.Current().ID) {
			bugcheck.StopBecause("a thread notify routine removes itself: it waits for its own return",
				bugcheck.VerifierDetectedViolation, selfRemoval, uintptr(irql.Current()), key, 0)
		}
		notifyReturn.Wait()
	}
	return ntstatus.Success
}

// watched reports whether there is anybody to notify.
func watched() bool {
	notifyMu.Lock()
	defer notifyMu.Unlock()
	return len(notifications) != 0
}

// notify calls the routines that are registered now.
func notify(id uint32, created bool) {
	me := kernel.Current().ID
	notifyMu.Lock()
	called := make([]*notification, 0, len(notifications))
	for _, n := range notifications {
		if n.routine != nil {
			n.calls = append(n.calls, me)
			called = append(called, n)
		}
	}
	notifyMu.Unlock()
	for _, n := range called {
		n.routine(id, created)
		notifyMu.Lock()
		i := slices.Index(n.calls, me)
		n.calls = slices.Delete(n.calls, i, i+1)
		notifyReturn.Broadcast()
		notifyMu.Unlock()
	}
}
