package demos

import (
	"fmt"
	"io"
	"sync/atomic"

	. "irqlab/wdk"
)

// apcKinds are the columns of the matrix.
var apcKinds = [...]string{"special kernel", "normal kernel", "user"}

// apcState is a row: a state that a thread gets itself into, and which of the
// kinds must reach it there.
type apcState struct {
	name         string
	enter, leave func(l *apcLocks)
	want         [len(apcKinds)]bool
}

// apcLocks are what the states take.
type apcLocks struct {
	mutex   KMUTEX
	fast    FAST_MUTEX
	guarded KGUARDED_MUTEX
	level   KIRQL
}

var apcStates = []apcState{
	{"nothing special", func(*apcLocks) {}, func(*apcLocks) {}, [...]bool{true, true, true}},
	{"critical region", func(*apcLocks) { KeEnterCriticalRegion() }, func(*apcLocks) { KeLeaveCriticalRegion() },
		[...]bool{true, false, false}},
	{"kernel mutex", func(l *apcLocks) { wait(PVOID(&l.mutex)) }, func(l *apcLocks) { KeReleaseMutex(&l.mutex, false) },
		[...]bool{true, false, false}},
	{"guarded region", func(*apcLocks) { KeEnterGuardedRegion() }, func(*apcLocks) { KeLeaveGuardedRegion() },
		[...]bool{false, false, false}},
	{"guarded mutex", func(l *apcLocks) { KeAcquireGuardedMutex(&l.guarded) }, func(l *apcLocks) { KeReleaseGuardedMutex(&l.guarded) },
		[...]bool{false, false, false}},
	{"APC_LEVEL", func(l *apcLocks) { KeRaiseIrql(APC_LEVEL, &l.level) }, func(l *apcLocks) { KeLowerIrql(l.level) },
		[...]bool{false, false, false}},
	{"fast mutex", func(l *apcLocks) { ExAcquireFastMutex(&l.fast) }, func(l *apcLocks) { ExReleaseFastMutex(&l.fast) },
		[...]bool{false, false, false}},
}

// apcProbe is an APC that says when it has arrived.
type apcProbe struct {
	object  *KAPC
	free    func()
	arrived atomic.Bool
}

func newAPCProbe(thread PKTHREAD, kind int) *apcProbe {
	p := &apcProbe{}
	p.object, p.free = allocate[KAPC]()
	kernel := func(PKAPC, *PKNORMAL_ROUTINE, *PVOID, *PVOID, *PVOID) {
		if kind == 0 {
			p.arrived.Store(true)
		}
	}
	normal := func(_, _, _ PVOID) { p.arrived.Store(true) }
	mode := KPROCESSOR_MODE(KernelMode)
	switch kind {
	case 0:
		normal = nil
	case 2:
		mode = UserMode
	}
	KeInitializeApc(p.object, thread, OriginalApcEnvironment, kernel, nil, normal, mode, nil)
	return p
}

// apcs tries which APC reaches a thread in which state.
func apcs(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	fmt.Fprint(w, "A thread queues APCs to itself and waits a moment, alertable in UserMode, in each\n"+
		"of these states. What arrives before it leaves the state is marked; the rest must\narrive right after.\n\n")
	locks, free := allocate[apcLocks]()
	defer free()
	KeInitializeMutex(&locks.mutex, 0)
	ExInitializeFastMutex(&locks.fast)
	KeInitializeGuardedMutex(&locks.guarded)
	var reached, after [16][len(apcKinds)]bool
	join(create(func() {
		for i, s := range apcStates {
			for kind := range apcKinds {
				reached[i][kind], after[i][kind] = s.try(locks, kind)
			}
		}
	}))
	row := func(name string, marks [len(apcKinds)]string) {
		fmt.Fprintf(w, "%-18s%-16s%-16s%s\n", name, marks[0], marks[1], marks[2])
	}
	row("", apcKinds)
	wrong, late := 0, 0
	for i, s := range apcStates {
		var marks [len(apcKinds)]string
		for kind := range apcKinds {
			marks[kind] = "-"
			if reached[i][kind] {
				marks[kind] = "delivered"
			}
			if reached[i][kind] != s.want[kind] {
				wrong++
			}
			if !after[i][kind] {
				late++
			}
		}
		row(s.name, marks)
	}
	fmt.Fprintln(w)
	interrupted, err := apcIntoWait()
	if err != nil {
		return err
	}
	fmt.Fprintln(w, interrupted)
	return verdict(w, wrong == 0 && late == 0, "%d of %d entries as documented, %d APCs lost",
		len(apcStates)*len(apcKinds)-wrong, len(apcStates)*len(apcKinds), late)
}

// try queues an APC in the state, and reports whether it arrived there, and
// whether it had when the state was left.
func (s *apcState) try(l *apcLocks, kind int) (reached, after bool) {
	p := newAPCProbe(KeGetCurrentThread(), kind)
	defer p.free()
	moment := -Millisecond / 10
	s.enter(l)
	KeInsertQueueApc(p.object, nil, nil, 0)
	KeDelayExecutionThread(UserMode, true, &moment)
	reached = p.arrived.Load()
	s.leave(l)
	return reached, p.arrived.Load()
}

// apcIntoWait queues kernel APCs to a thread that waits for an event, which must
// not notice.
func apcIntoWait() (string, error) {
	event, free := allocate[KEVENT]()
	defer free()
	KeInitializeEvent(event, NotificationEvent, false)
	var status NTSTATUS
	waiter := create(func() { status = wait(PVOID(event)) })
	err := settle(waiter, PVOID(event))
	for kind := range 2 {
		p := newAPCProbe(waiter, kind)
		KeInsertQueueApc(p.object, nil, nil, 0)
		for i := 0; i < 5000 && !p.arrived.Load(); i++ {
			sleep(1)
		}
		if !p.arrived.Load() && err == nil {
			err = fmt.Errorf("a %s APC did not reach a thread that waits", apcKinds[kind])
		}
		KeRemoveQueueApc(p.object)
		p.free()
	}
	KeSetEvent(event, 0, false)
	join(waiter)
	if status != STATUS_SUCCESS && err == nil {
		err = fmt.Errorf("the wait that APCs interrupted: %v", status)
	}
	return "Kernel APCs reached a thread in the middle of its wait, which then went on.", err
}
