package demos

import (
	"fmt"
	"io"

	. "irqlab/wdk"
)

// mutexKinds are one mutex of each kind.
type mutexKinds struct {
	kernel  KMUTEX
	fast    FAST_MUTEX
	guarded KGUARDED_MUTEX
}

func newMutexKinds() (*mutexKinds, func()) {
	m, free := allocate[mutexKinds]()
	KeInitializeMutex(&m.kernel, 0)
	ExInitializeFastMutex(&m.fast)
	KeInitializeGuardedMutex(&m.guarded)
	return m, free
}

// recursion acquires mutexes that the thread owns already. With an argument it
// insists, which stops the machine.
func recursion(w io.Writer, args []string) error {
	insist := ""
	switch {
	case len(args) == 1 && (args[0] == "fast" || args[0] == "guarded"):
		insist = args[0]
	case len(args) > 0:
		return ErrUsage
	}
	const deep = 3
	fmt.Fprintf(w, "A thread acquires a mutex %d times, as a routine does that calls another one that needs\n"+
		"the same mutex. A KMUTEX counts. The others do not know of it: their owner waits for itself.\n", deep)
	m, free := newMutexKinds()
	defer free()

	var states, back [deep]LONG
	var stolen NTSTATUS
	var fast, guarded, level bool
	join(create(func() {
		for i := range states {
			wait(PVOID(&m.kernel))
			states[i] = KeReadStateMutex(&m.kernel)
		}
		join(create(func() {
			moment := -5 * Millisecond
			stolen = KeWaitForSingleObject(PVOID(&m.kernel), Executive, KernelMode, false, &moment)
		}))
		for i := range back {
			KeReleaseMutex(&m.kernel, false)
			back[i] = KeReadStateMutex(&m.kernel)
		}

		ExAcquireFastMutex(&m.fast)
		if insist == "fast" {
			ExAcquireFastMutex(&m.fast)
		}
		fast = ExTryToAcquireFastMutex(&m.fast)
		level = KeGetCurrentIrql() == APC_LEVEL
		ExReleaseFastMutex(&m.fast)

		KeAcquireGuardedMutex(&m.guarded)
		if insist == "guarded" {
			KeAcquireGuardedMutex(&m.guarded)
		}
		guarded = KeTryToAcquireGuardedMutex(&m.guarded)
		KeReleaseGuardedMutex(&m.guarded)
	}))

	fmt.Fprintf(w, "  KMUTEX          state after each acquisition %d, after each release %d\n", states, back)
	fmt.Fprintf(w, "                  another thread, meanwhile: %s\n", statusName(stolen))
	for _, k := range []struct {
		name  string
		again bool
	}{{"FAST_MUTEX", fast}, {"KGUARDED_MUTEX", guarded}} {
		fmt.Fprintf(w, "  %-15s the owner tries again: %v\n", k.name, k.again)
	}
	fmt.Fprint(w, "To acquire instead of to try would be for ever; in checked mode it is bug check 0xC4, 0x1000.\n"+
		"\"demo recursion fast\" and \"demo recursion guarded\" do that.\n")
	ok := states == [deep]LONG{0, -1, -2} && back == [deep]LONG{-1, 0, 1} && stolen == STATUS_TIMEOUT && !fast && !guarded && level
	return verdict(w, ok, "a KMUTEX was held %d deep; fast and guarded mutexes refuse their owner", deep)
}

// statusName names the statuses of waits.
func statusName(s NTSTATUS) string {
	switch s {
	case STATUS_SUCCESS:
		return "STATUS_SUCCESS"
	case STATUS_TIMEOUT:
		return "STATUS_TIMEOUT"
	case STATUS_ALERTED:
		return "STATUS_ALERTED"
	case STATUS_USER_APC:
		return "STATUS_USER_APC"
	case STATUS_OBJECT_NAME_COLLISION:
		return "STATUS_OBJECT_NAME_COLLISION"
	}
	return fmt.Sprintf("%#x", uint32(s))
}
