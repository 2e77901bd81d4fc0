package thread

import (
	"slices"
	"testing"
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func TestProcessors(t *testing.T) {
	n := ULONG(kit.CPUs())
	if KeQueryActiveGroupCount() != 1 || KeQueryMaximumGroupCount() != 1 || KeQueryGroupAffinity(1) != 0 ||
		KeQueryGroupAffinity(0) != KeQueryActiveProcessors() {
		t.Error("groups")
	}
	if KeQueryMaximumProcessorCount() < n || KeQueryMaximumProcessorCountEx(ALL_PROCESSOR_GROUPS) != KeQueryMaximumProcessorCount() ||
		KeQueryMaximumProcessorCountEx(1) != 0 {
		t.Error("numbers of processors")
	}
	var set GROUP_AFFINITY
	var count USHORT
	KeQueryNodeActiveAffinity(KeGetCurrentNodeNumber(), &set, &count)
	if set.Mask != KeQueryActiveProcessors() || ULONG(count) != n || KeQueryHighestNodeNumber() != 0 || KeQueryNodeMaximumProcessorCount(0) < count {
		t.Errorf("node %+v, %d processors", set, count)
	}
	KeQueryNodeActiveAffinity(1, &set, &count)
	if set.Mask != 0 || count != 0 || KeQueryNodeMaximumProcessorCount(1) != 0 {
		t.Error("there is no second node")
	}
	var number PROCESSOR_NUMBER
	for i := range n {
		if s := KeGetProcessorNumberFromIndex(i, &number); s != STATUS_SUCCESS || KeGetProcessorIndexFromNumber(&number) != i {
			t.Errorf("processor %d: %v, %+v", i, s, number)
		}
	}
	if KeGetProcessorNumberFromIndex(n, &number) != STATUS_INVALID_PARAMETER ||
		KeGetProcessorIndexFromNumber(&PROCESSOR_NUMBER{Number: UCHAR(n)}) != INVALID_PROCESSOR_INDEX ||
		KeGetProcessorIndexFromNumber(&PROCESSOR_NUMBER{Group: 1}) != INVALID_PROCESSOR_INDEX {
		t.Error("a processor that does not exist")
	}
}

func TestGroupAffinity(t *testing.T) {
	run(t, func() {
		cpu, set := last()
		var was GROUP_AFFINITY
		KeSetSystemGroupAffinityThread(&GROUP_AFFINITY{Mask: set}, &was)
		if at := KeGetCurrentProcessorNumber(); at != cpu || was.Mask != 0 {
			t.Errorf("on processor %d; before: %+v", at, was)
		}
		KeRevertToUserGroupAffinityThread(&was)
		if a := KeSetSystemAffinityThreadEx(set); a != 0 {
			t.Errorf("affinity %#x after the revert", a)
		}
		KeRevertToUserAffinityThreadEx(0)
	})
}

func TestAffinityToken(t *testing.T) {
	run(t, func() {
		cpu, set := last()
		var token PAFFINITY_TOKEN
		PsAllocateAffinityToken(&token)
		if s := PsSetSystemMultipleGroupAffinityThread(&GROUP_AFFINITY{Group: 1, Mask: 1}, 1, token); s != STATUS_INVALID_PARAMETER {
			t.Errorf("group 1: %v", s)
		}
		s := PsSetSystemMultipleGroupAffinityThread(&GROUP_AFFINITY{Mask: set}, 1, token)
		if at := KeGetCurrentProcessorNumber(); s != STATUS_SUCCESS || at != cpu {
			t.Errorf("%v, on processor %d", s, at)
		}
		if s := PsSetSystemMultipleGroupAffinityThread(&GROUP_AFFINITY{Mask: set}, 1, token); s != STATUS_INVALID_PARAMETER {
			t.Errorf("the same token again: %v", s)
		}
		PsRevertToUserMultipleGroupAffinityThread(token)
		PsFreeAffinityToken(token)
		if a := KeSetSystemAffinityThreadEx(set); a != 0 {
			t.Errorf("affinity %#x after the revert", a)
		}
		KeRevertToUserAffinityThreadEx(0)
	})
}

func TestThreadAffinity(t *testing.T) {
	cpu, set := last()
	run(t, func() {
		all := KeQueryActiveProcessors()
		me := KeGetCurrentThread()
		if was := KeSetAffinityThread(me, set); was != all || KeGetCurrentProcessorNumber() != cpu {
			t.Errorf("was %#x, on processor %d", was, KeGetCurrentProcessorNumber())
		}
		if was := KeSetAffinityThread(me, all); was != set {
			t.Errorf("was %#x", was)
		}
		if KeSetIdealProcessorThread(me, UCHAR(cpu)); KeSetIdealProcessorThread(me, 0xFF) != UCHAR(cpu) || me.Ideal != cpu {
			t.Errorf("ideal processor %d", me.Ideal)
		}
	})
}

func TestProcessorCallback(t *testing.T) {
	type call struct {
		state KE_PROCESSOR_CHANGE_NOTIFY_STATE
		cpu   ULONG
	}
	var calls []call
	tell := func(_ PVOID, c *KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT, _ *NTSTATUS) {
		calls = append(calls, call{c.State, c.NtNumber})
	}
	h := KeRegisterProcessorChangeCallback(tell, nil, KE_PROCESSOR_CHANGE_ADD_EXISTING)
	n := ULONG(kit.CPUs())
	if h == nil || ULONG(len(calls)) != 2*n || calls[0] != (call{KeProcessorAddStartNotify, 0}) || calls[2*n-1] != (call{KeProcessorAddCompleteNotify, n - 1}) {
		t.Errorf("told %v", calls)
	}
	KeDeregisterProcessorChangeCallback(h)
	fail := func(_ PVOID, _ *KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT, s *NTSTATUS) { *s = STATUS_UNSUCCESSFUL }
	if KeRegisterProcessorChangeCallback(fail, nil, KE_PROCESSOR_CHANGE_ADD_EXISTING) != nil {
		t.Error("a callback that fails was registered")
	}
}

func TestRunTime(t *testing.T) {
	var ticks, user ULONG
	var first, second, stamp ULONG64
	run(t, func() {
		me := KeGetCurrentThread()
		if !IoIsSystemThread(me) {
			t.Error("not a system thread")
		}
		var now LARGE_INTEGER
		KeQuerySystemTime(&now)
		if at := PsGetThreadCreateTime(me); at > now || at < now-60*Second {
			t.Errorf("created %d ago", now-at)
		}
		first = KeQueryTotalCycleTimeThread(me, &stamp)
		for KeQueryRuntimeThread(me, &user) < 2 {
			KeStallExecutionProcessor(1000)
		}
		ticks = KeQueryRuntimeThread(me, &user)
		second = KeQueryTotalCycleTimeThread(me, &stamp)
	})
	if user != 0 || second <= first || kernel.DurationOf(second)/100/kernel.TimeIncrement < uint64(ticks) {
		t.Errorf("%d cycles, then %d; %d ticks; %d in user mode", first, second, ticks, user)
	}
}

func TestBoostPriority(t *testing.T) {
	run(t, func() {
		me := KeGetCurrentThread()
		var lifted, again KPRIORITY
		if !kit.Retry(func() bool {
			KeSetBasePriorityThread(me, 0)
			KeBoostPriorityThread(me, 3)
			lifted = KeQueryPriorityThread(me)
			KeBoostPriorityThread(me, 1) // lower than it is
			again = KeQueryPriorityThread(me)
			return lifted == 11 && again == 11
		}) {
			t.Errorf("priority %d, then %d", lifted, again)
		}
		KeSetPriorityThread(me, LOW_REALTIME_PRIORITY+2)
		me.BasePriority = LOW_REALTIME_PRIORITY + 2
		KeBoostPriorityThread(me, 3)
		if p := KeQueryPriorityThread(me); p != LOW_REALTIME_PRIORITY+2 {
			t.Errorf("a real-time thread was lifted to %d", p)
		}
		me.BasePriority = 8
		KeSetPriorityThread(me, 8)
	})
}

func TestDisableBoost(t *testing.T) {
	e := event(t, SynchronizationEvent)
	lifted := func(disable bool) (p KPRIORITY) {
		run(t, func() {
			if KeSetDisableBoostThread(KeGetCurrentThread(), disable) || disable != KeSetDisableBoostThread(KeGetCurrentThread(), disable) {
				t.Error("what was set before")
			}
			me := KeGetCurrentThread()
			wake := kit.Go(t, func() ntstatus.Status {
				kit.AwaitWaiters(t, &e.Header, 1)
				KeSetEvent(e, 5, false)
				return 0
			})
			wait(PVOID(e))
			p = KPRIORITY(me.Priority)
			wake.Join(t)
		})
		return p
	}
	var p KPRIORITY
	if !kit.Retry(func() bool { p = lifted(true); return p == 8 }) {
		t.Errorf("priority %d after a wait without a boost", p)
	}
	if !kit.Retry(func() bool { p = lifted(false); return p > 8 }) {
		t.Errorf("priority %d after a wait", p)
	}
}

// rule: thr-callout-invalid
func TestCallout(t *testing.T) {
	defer kit.Stay()()
	calls := 0
	var deep func(n int) int
	deep = func(n int) int {
		var frame [1024]byte
		if n > 0 {
			frame[n%1024] = byte(deep(n - 1))
		}
		return int(frame[n%1024])
	}
	callout := func(PVOID) { calls++; deep(60) }
	if s := KeExpandKernelStackAndCallout(callout, nil, 60<<10); s != STATUS_SUCCESS || calls != 1 {
		t.Errorf("%v, %d calls", s, calls)
	}
	if s := KeExpandKernelStackAndCallout(callout, nil, MAXIMUM_EXPANSION_SIZE+1); s != STATUS_INVALID_PARAMETER_3 {
		t.Errorf("more than there can be: %v", s)
	}
	var wait, big, small NTSTATUS
	shallow := 0
	kit.At(irql.Dispatch, func() {
		wait = KeExpandKernelStackAndCalloutEx(callout, nil, 4096, true, nil)
		big = KeExpandKernelStackAndCalloutEx(callout, nil, 32<<10, false, nil)
		small = KeExpandKernelStackAndCalloutEx(func(PVOID) { shallow++ }, nil, 4096, false, nil)
	})
	if wait != STATUS_INVALID_PARAMETER_4 || big != STATUS_STACK_OVERFLOW || small != STATUS_SUCCESS || shallow != 1 || calls != 1 {
		t.Errorf("at DISPATCH_LEVEL: %v with Wait, %v, %v; %d and %d calls", wait, big, small, shallow, calls)
	}
}

// limits are what a DPC finds of its stack.
type limits struct{ lo, hi, left, at ULONG_PTR }

func measure(_ PKDPC, context, _, _ PVOID) {
	l := (*limits)(context)
	IoGetStackLimits(&l.lo, &l.hi)
	l.left = IoGetRemainingStackSize()
	l.at = uintptr(unsafe.Pointer(&context))
}

func TestStackLimits(t *testing.T) {
	kit.Run(t, func() {
		var l limits
		IoGetStackLimits(&l.lo, &l.hi)
		s := &kernel.Current().Context.Stack
		if l.lo != s.Lo || l.hi != s.Hi || IoGetRemainingStackSize() != s.Hi-s.Lo || IoGetInitialStack() != PVOID(s.Hi) {
			t.Errorf("a thread: %#x", l)
		}
		if IoWithinStackLimits(l.lo, l.hi-l.lo) != 1 || IoWithinStackLimits(l.lo, l.hi-l.lo+1) != 0 || IoWithinStackLimits(l.lo-1, 1) != 0 {
			t.Error("within the limits")
		}
		kit.Kernel(func() { l.left = IoGetRemainingStackSize() })
		if l.left == 0 || l.left >= l.hi-l.lo {
			t.Errorf("kernel code has %#x bytes left", l.left)
		}
		d, in := kit.New[KDPC](t), kit.New[limits](t)
		KeInitializeDpc(d, measure, PVOID(in))
		KeInsertQueueDpc(d, nil, nil)
		if c := &arch.CPUs[0].Deferred; in.lo != c.Lo || in.hi != c.Hi || in.at <= in.lo || in.at > in.hi || in.left > in.at-in.lo {
			t.Errorf("a DPC: %#x, stack %#x to %#x", *in, c.Lo, c.Hi)
		}
	}, func() { kit.OnCPU(0) })
}

// rule: irql-float-nesting
func TestFloat(t *testing.T) {
	var outer, inner KFLOATING_SAVE
	f := 1.5
	kit.At(irql.APC, func() {
		KeSaveFloatingPointState(&outer)
		kit.At(irql.Dispatch, func() {
			KeSaveExtendedProcessorState(3, &inner)
			f *= 2
			KeRestoreExtendedProcessorState(&inner)
		})
		KeRestoreFloatingPointState(&outer)
	})
	if f != 3 {
		t.Error(f)
	}
}

// yields is what a DPC that runs for long finds.
type yields struct {
	early, late uint32
	info        KDPC_WATCHDOG_INFORMATION
	status      NTSTATUS
}

func lingers(_ PKDPC, context, _, _ PVOID) {
	y := (*yields)(context)
	if KeShouldYieldProcessor() {
		y.early = 1
	}
	// On a busy host, a clock tick may be long in coming.
	for end := KeQueryInterruptTime() + 5*uint64(Second); y.late == 0 && KeQueryInterruptTime() < end; {
		arch.Pause()
		if KeShouldYieldProcessor() {
			y.late = 1
		}
	}
	y.status = KeQueryDpcWatchdogInformation(&y.info)
}

func TestShouldYield(t *testing.T) {
	d, y := kit.New[KDPC](t), kit.New[yields](t)
	KeInitializeDpc(d, lingers, PVOID(y))
	kit.Run(t, func() { KeInsertQueueDpc(d, nil, nil) }, func() { kit.OnCPU(0) })
	kit.Until(t, "the DPC", func() bool { return d.Data == 0 && y.info.DpcTimeLimit != 0 })
	i := y.info
	if y.early != 0 || y.late != 1 || y.status != STATUS_SUCCESS || i.DpcTimeCount >= i.DpcTimeLimit || i.DpcWatchdogCount >= i.DpcWatchdogLimit {
		t.Errorf("%+v", *y)
	}
}

// relation is an entry, with its body as bytes.
type relation struct {
	kind LOGICAL_PROCESSOR_RELATIONSHIP
	body []byte
}

// relations asks twice, as drivers do: for the length, then for the entries.
func relations(t *testing.T, of *PROCESSOR_NUMBER, kind LOGICAL_PROCESSOR_RELATIONSHIP) (all []relation) {
	t.Helper()
	var length ULONG
	if s := KeQueryLogicalProcessorRelationship(of, kind, nil, &length); length != 0 && s != STATUS_INFO_LENGTH_MISMATCH {
		t.Errorf("without a buffer: %v, %d bytes", s, length)
	}
	if length == 0 {
		return nil
	}
	buf := make([]uint64, length/8)
	short := length - 8
	if s := KeQueryLogicalProcessorRelationship(of, kind, (*SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX)(PVOID(&buf[0])), &short); s != STATUS_INFO_LENGTH_MISMATCH || short != length {
		t.Errorf("a short buffer: %v, %d of %d bytes", s, short, length)
	}
	if s := KeQueryLogicalProcessorRelationship(of, kind, (*SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX)(PVOID(&buf[0])), &length); s != STATUS_SUCCESS {
		t.Errorf("kind %d: %v", kind, s)
	}
	for at := ULONG(0); at < length; {
		e := (*SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX)(PVOID(&buf[at/8]))
		all = append(all, relation{e.Relationship, unsafe.Slice((*byte)(unsafe.Add(PVOID(e), 8)), e.Size-8)})
		at += e.Size
	}
	return all
}

func TestRelations(t *testing.T) {
	n := kit.CPUs()
	cores := relations(t, nil, RelationProcessorCore)
	if len(cores) != int(n) {
		t.Fatalf("%d cores", len(cores))
	}
	var set KAFFINITY
	for _, c := range cores {
		set |= (*PROCESSOR_RELATIONSHIP)(PVOID(&c.body[0])).GroupMask[0].Mask
	}
	if set != KeQueryActiveProcessors() {
		t.Errorf("cores of the processors %#x", set)
	}
	one := relations(t, &PROCESSOR_NUMBER{Number: UCHAR(n - 1)}, RelationProcessorCore)
	if len(one) != 1 || (*PROCESSOR_RELATIONSHIP)(PVOID(&one[0].body[0])).GroupMask[0].Mask != 1<<(n-1) {
		t.Errorf("the last processor's core: %v", one)
	}
	if len(relations(t, nil, RelationCache)) != 0 {
		t.Error("there are caches")
	}
	var kinds []LOGICAL_PROCESSOR_RELATIONSHIP
	for _, r := range relations(t, nil, RelationAll)[n:] {
		kinds = append(kinds, r.kind)
		if r.kind == RelationGroup {
			g := (*GROUP_RELATIONSHIP)(PVOID(&r.body[0]))
			if g.ActiveGroupCount != 1 || uint32(g.GroupInfo[0].ActiveProcessorCount) != n || g.GroupInfo[0].ActiveProcessorMask != set {
				t.Errorf("%+v", *g)
			}
		}
	}
	if !slices.Equal(kinds, []LOGICAL_PROCESSOR_RELATIONSHIP{RelationNumaNode, RelationProcessorPackage, RelationGroup}) {
		t.Errorf("kinds %v", kinds)
	}
	var length ULONG
	if KeQueryLogicalProcessorRelationship(nil, 5, nil, &length) != STATUS_INVALID_PARAMETER ||
		KeQueryLogicalProcessorRelationship(&PROCESSOR_NUMBER{Number: UCHAR(n)}, RelationAll, nil, &length) != STATUS_INVALID_PARAMETER {
		t.Error("what there is not")
	}
}
