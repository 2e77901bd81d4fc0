// Package thread tests the rules of area thread, through package wdk.
package thread

import (
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"irqlab/kernel"
	"irqlab/ob"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// start makes a system thread and returns it, with a reference that is dropped
// at the end of the test.
func start(t *testing.T, routine func()) PETHREAD {
	t.Helper()
	var h HANDLE
	s := PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) { routine() }, nil)
	if s != STATUS_SUCCESS {
		t.Fatal(s)
	}
	var p PVOID
	ObReferenceObjectByHandle(h, SYNCHRONIZE, PsThreadType, KernelMode, &p, nil)
	ZwClose(h)
	t.Cleanup(func() {
		join(t, PETHREAD(p))
		ObDereferenceObject(p)
	})
	return PETHREAD(p)
}

// join waits until a thread has ended.
func join(t *testing.T, th PETHREAD) {
	t.Helper()
	timeout := -LARGE_INTEGER(kit.Patience / 100)
	if s := KeWaitForSingleObject(PVOID(th), Executive, KernelMode, false, &timeout); s != STATUS_SUCCESS {
		t.Fatalf("waiting for a thread to end: %v", s)
	}
}

// run runs fn on a system thread.
func run(t *testing.T, fn func()) {
	t.Helper()
	join(t, start(t, fn))
}

func event(t *testing.T, typ EVENT_TYPE) PKEVENT {
	e := kit.New[KEVENT](t)
	KeInitializeEvent(e, typ, false)
	return e
}

func wait(o PVOID) NTSTATUS { return KeWaitForSingleObject(o, Executive, KernelMode, false, nil) }

// last is the processor that tests pin threads to, and the set of it.
func last() (cpu uint32, set KAFFINITY) {
	cpu = kit.CPUs() - 1
	return cpu, 1 << cpu
}

// rule: thr-create-passive
// rule: thr-create-critical-region
// rule: thr-default-priority
func TestNewThread(t *testing.T) {
	var level KIRQL
	var priority KPRIORITY
	var base int8
	var disabled, system bool
	run(t, func() {
		level = KeGetCurrentIrql()
		th := KeGetCurrentThread()
		priority, base = KeQueryPriorityThread(th), th.BasePriority
		disabled = th.KernelAPCs != 0 || th.SpecialAPCs != 0
		system = PsIsSystemThread(th)
	})
	// The spec's decision: a new thread starts with APCs enabled.
	if level != PASSIVE_LEVEL || priority < 8 || priority > 10 || base != 8 || disabled || !system {
		t.Errorf("level %d, priority %d, base %d, APCs disabled %v, system %v", level, priority, base, disabled, system)
	}
}

// rule: thr-create-badattr
// rule: thr-create-null-process
func TestCreateParameters(t *testing.T) {
	create := func(a *OBJECT_ATTRIBUTES, process HANDLE) NTSTATUS {
		var h HANDLE
		s := PsCreateSystemThread(&h, SYNCHRONIZE, a, process, nil, func(PVOID) {}, nil)
		if NT_SUCCESS(s) {
			if s := ZwWaitForSingleObject(h, false, nil); s != STATUS_SUCCESS {
				t.Errorf("wait for the thread: %v", s)
			}
			ZwClose(h)
		} else if h != 0 {
			t.Errorf("a handle is stored although %v is returned", s)
		}
		return s
	}
	for attributes, want := range map[ULONG]NTSTATUS{
		0: STATUS_SUCCESS, OBJ_KERNEL_HANDLE: STATUS_SUCCESS,
		OBJ_PERMANENT: STATUS_INVALID_PARAMETER, OBJ_EXCLUSIVE: STATUS_INVALID_PARAMETER, OBJ_OPENIF: STATUS_INVALID_PARAMETER,
		OBJ_KERNEL_HANDLE | OBJ_OPENIF: STATUS_INVALID_PARAMETER,
	} {
		var a OBJECT_ATTRIBUTES
		InitializeObjectAttributes(&a, nil, attributes, 0, nil)
		if s := create(&a, 0); s != want {
			t.Errorf("attributes %#x: %v, want %v", attributes, s, want)
		}
	}
	for process, want := range map[HANDLE]NTSTATUS{
		0: STATUS_SUCCESS, NtCurrentProcess(): STATUS_SUCCESS, 0x1234: STATUS_INVALID_HANDLE,
	} {
		if s := create(nil, process); s != want {
			t.Errorf("process %#x: %v, want %v", uintptr(process), s, want)
		}
	}
}

// rule: thr-terminate-self
// rule: thr-return-equals-terminate
// rule: thr-exit-status-pending
// rule: thr-object-signaled
func TestExit(t *testing.T) {
	e := event(t, NotificationEvent)
	after, deferred := false, false
	th := start(t, func() {
		defer func() { deferred = true }()
		wait(PVOID(e))
		PsTerminateSystemThread(42)
		after = true
	})
	returns := start(t, func() { wait(PVOID(e)) })
	for _, th := range []PETHREAD{th, returns} {
		if s := PsGetThreadExitStatus(th); s != STATUS_PENDING || KeReadStateThread(th) {
			t.Errorf("before the end: %v, signalled %v", s, KeReadStateThread(th))
		}
	}
	KeSetEvent(e, 0, false)
	for th, want := range map[PETHREAD]NTSTATUS{th: 42, returns: STATUS_SUCCESS} {
		join(t, th)
		join(t, th) // it stays signalled
		if s := PsGetThreadExitStatus(th); s != want || !KeReadStateThread(th) || !PsIsThreadTerminating(th) {
			t.Errorf("after the end: %v, want %v; signalled %v", s, want, KeReadStateThread(th))
		}
	}
	if after || !deferred {
		t.Errorf("code behind PsTerminateSystemThread ran: %v; deferred functions ran: %v", after, deferred)
	}
}

// rule: thr-terminate-nonsystem
func TestTerminateOther(t *testing.T) {
	if s := PsTerminateSystemThread(STATUS_SUCCESS); s != STATUS_INVALID_PARAMETER {
		t.Errorf("a goroutine's PsTerminateSystemThread: %v", s)
	}
}

// rule: thr-handle-close-no-kill
// rule: wait-thread-object
func TestHandles(t *testing.T) {
	e := event(t, NotificationEvent)
	var h HANDLE
	var id CLIENT_ID
	var self HANDLE
	s := PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, &id, func(PVOID) {
		self = PsGetCurrentThreadId()
		wait(PVOID(e))
	}, nil)
	if s != STATUS_SUCCESS || !ObIsKernelHandle(h) || id.UniqueProcess != PsGetCurrentProcessId() {
		t.Fatalf("%v, handle %#x, ID %v", s, uintptr(h), id)
	}
	var p, q PVOID
	if s := ObReferenceObjectByHandle(h, SYNCHRONIZE, PsThreadType, KernelMode, &p, nil); s != STATUS_SUCCESS {
		t.Fatal(s)
	}
	for _, c := range []struct {
		h      HANDLE
		access ACCESS_MASK
		typ    POBJECT_TYPE
		mode   KPROCESSOR_MODE
		want   NTSTATUS
	}{
		{h, SYNCHRONIZE, nil, KernelMode, STATUS_SUCCESS},
		{h, GENERIC_ALL, PsThreadType, KernelMode, STATUS_SUCCESS},
		{h, SYNCHRONIZE, PsThreadType, UserMode, STATUS_INVALID_HANDLE},
		{h, SYNCHRONIZE, ExEventObjectType, KernelMode, STATUS_OBJECT_TYPE_MISMATCH},
		{h + 4*1000, SYNCHRONIZE, PsThreadType, KernelMode, STATUS_INVALID_HANDLE},
		{h + 1, SYNCHRONIZE, PsThreadType, KernelMode, STATUS_INVALID_HANDLE},
		{0, SYNCHRONIZE, PsThreadType, KernelMode, STATUS_INVALID_HANDLE},
		{0x1234, SYNCHRONIZE, PsThreadType, KernelMode, STATUS_INVALID_HANDLE},
		{NtCurrentThread(), SYNCHRONIZE, PsThreadType, KernelMode, STATUS_SUCCESS},
		{NtCurrentThread(), SYNCHRONIZE, ExEventObjectType, KernelMode, STATUS_OBJECT_TYPE_MISMATCH},
	} {
		s := ObReferenceObjectByHandle(c.h, c.access, c.typ, c.mode, &q, nil)
		if s != c.want || NT_SUCCESS(s) != (q != nil) {
			t.Errorf("handle %#x, access %#x: %v, object %p, want %v", uintptr(c.h), c.access, s, q, c.want)
		}
		if q != nil {
			ObDereferenceObject(q)
		}
	}
	if s := ZwClose(h); s != STATUS_SUCCESS {
		t.Error(s)
	}
	if s := ObReferenceObjectByHandle(h, SYNCHRONIZE, PsThreadType, KernelMode, &q, nil); s != STATUS_INVALID_HANDLE {
		t.Errorf("a closed handle: %v", s)
	}
	time.Sleep(20 * time.Millisecond)
	if KeReadStateThread(PETHREAD(p)) {
		t.Error("closing the handle ended the thread")
	}
	KeSetEvent(e, 0, false)
	join(t, PETHREAD(p))
	if self != id.UniqueThread || self != PsGetThreadId(PETHREAD(p)) {
		t.Errorf("the thread's ID is %d, its creator was told %d", self, id.UniqueThread)
	}
	ObDereferenceObject(p)
}

// rule: obj-byhandle-errors
// rule: obj-handle-counts
func TestAccess(t *testing.T) {
	e := event(t, NotificationEvent)
	var h HANDLE
	PsCreateSystemThread(&h, SYNCHRONIZE, nil, 0, nil, func(PVOID) { wait(PVOID(e)) }, nil)
	var p, q PVOID
	if s := ObReferenceObjectByHandle(h, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &p, nil); s != STATUS_SUCCESS {
		t.Fatalf("more access than granted, as the kernel: %v", s)
	}
	// The running thread, the handle, and ours.
	if o := kernel.ObjectOf(p); o.PointerCount != 3 || o.HandleCount != 1 {
		t.Errorf("%d references, %d handles; want 3 and 1", o.PointerCount, o.HandleCount)
	}
	var user HANDLE
	if s := ObOpenObjectByPointer(p, OBJ_KERNEL_HANDLE, nil, SYNCHRONIZE, PsThreadType, UserMode, &user); s != STATUS_SUCCESS || ObIsKernelHandle(user) {
		t.Fatalf("a user's handle: %v, %#x", s, uintptr(user))
	}
	var info OBJECT_HANDLE_INFORMATION
	s := ObReferenceObjectByHandle(user, SYNCHRONIZE, PsThreadType, UserMode, &q, &info)
	if s != STATUS_SUCCESS || info.GrantedAccess != SYNCHRONIZE {
		t.Fatalf("%v, granted %#x", s, info.GrantedAccess)
	}
	ObDereferenceObject(q)
	if s := ObReferenceObjectByHandle(user, THREAD_ALL_ACCESS, PsThreadType, UserMode, &q, nil); s != STATUS_ACCESS_DENIED {
		t.Errorf("more access than granted, as a user: %v", s)
	}
	ZwClose(user)
	var h2 HANDLE
	if s := ObOpenObjectByPointer(p, 0, nil, SYNCHRONIZE, PsThreadType, KernelMode, &h2); s != STATUS_SUCCESS || h2 == h {
		t.Errorf("a second handle: %v", s)
	}
	if s := ObOpenObjectByPointer(p, 0, nil, SYNCHRONIZE, ExEventObjectType, KernelMode, &h2); s != STATUS_OBJECT_TYPE_MISMATCH {
		t.Errorf("a handle of another type: %v", s)
	}
	ZwClose(h2)
	ZwClose(h)
	KeSetEvent(e, 0, false)
	join(t, PETHREAD(p))
	kit.Until(t, "the thread's own reference is gone", func() bool { return kernel.ObjectOf(p).PointerCount == 1 })
	ObDereferenceObject(p)
}

// rule: obj-close-invalid
// rule: obj-close-kernel-from-user
func TestCloseInvalid(t *testing.T) {
	for _, h := range []HANDLE{0, NtCurrentProcess(), NtCurrentThread()} {
		if s := ZwClose(h); s != STATUS_INVALID_HANDLE {
			t.Errorf("ZwClose(%#x): %v", uintptr(h), s)
		}
	}
	if s := ObCloseHandle(ob.Handle(0xFFFF_FFFF_8000_0000|4*3000), UserMode); s != STATUS_INVALID_HANDLE {
		t.Errorf("ObCloseHandle as a user: %v", s)
	}
}

// rule: thr-lookup-tid
func TestLookup(t *testing.T) {
	e := event(t, NotificationEvent)
	th := start(t, func() { wait(PVOID(e)) })
	var found PETHREAD
	if s := PsLookupThreadByThreadId(PsGetThreadId(th), &found); s != STATUS_SUCCESS || found != th {
		t.Errorf("a live thread: %v, %p, want %p", s, found, th)
	} else {
		ObDereferenceObject(PVOID(found))
	}
	KeSetEvent(e, 0, false)
	join(t, th)
	for _, id := range []HANDLE{0, 1, PsGetThreadId(th) + 1, 4 * 100000, 1 << 40, PsGetThreadId(th)} {
		found = nil
		if s := PsLookupThreadByThreadId(id, &found); s != STATUS_INVALID_PARAMETER || found != nil {
			t.Errorf("ID %d: %v", id, s)
		}
	}
}

// rule: thr-priority-range
// rule: thr-setpriority-returns-old
// rule: thr-setpriority-zero
func TestSetPriority(t *testing.T) {
	e := event(t, NotificationEvent)
	th := start(t, func() { wait(PVOID(e)) })
	settle(t, th, PVOID(e))
	before := KeQueryPriorityThread(th)
	for _, p := range []KPRIORITY{1, 15, 16, 31, 8, 0} {
		if old := KeSetPriorityThread(th, p); old != before {
			t.Errorf("set to %d: returned %d, want %d", p, old, before)
		}
		want := max(p, 1)
		if before = KeQueryPriorityThread(th); before != want {
			t.Errorf("set to %d: now %d", p, before)
		}
	}
	KeSetEvent(e, 0, false)
}

// settle waits until the thread waits for the object.
func settle(t *testing.T, th PETHREAD, object PVOID) {
	t.Helper()
	buf := make([]kernel.ThreadInfo, 512)
	kit.Until(t, "a thread waits", func() bool {
		for _, i := range buf[:min(kernel.Threads(buf), len(buf))] {
			if i.Address == uintptr(unsafe.Pointer(th)) {
				return i.WaitCount == 1 && i.Waits[0].Object == uintptr(object)
			}
		}
		return false
	})
}

// rule: thr-basepriority-return
// rule: thr-basepriority-class
// rule: thr-basepriority-saturate
func TestBasePriority(t *testing.T) {
	e := event(t, NotificationEvent)
	th := start(t, func() { wait(PVOID(e)) })
	settle(t, th, PVOID(e))
	before := LONG(0)
	for _, c := range []struct {
		increment LONG
		base      int8
	}{{2, 10}, {-3, 5}, {7, 15}, {12, 15}, {-8, 1}, {16, 15}, {-16, 1}, {100, 15}, {0, 8}} {
		if old := KeSetBasePriorityThread(th, c.increment); old != before {
			t.Errorf("increment %d: returned %d, want %d", c.increment, old, before)
		}
		if th.BasePriority != c.base || KeQueryPriorityThread(th) != KPRIORITY(c.base) {
			t.Errorf("increment %d: base %d, priority %d, want %d", c.increment, th.BasePriority, th.Priority, c.base)
		}
		before = LONG(c.base) - 8
	}
	KeSetEvent(e, 0, false)
}

// rule: thr-preempt-higher
func TestPreemption(t *testing.T) {
	_, set := last()
	e := event(t, SynchronizationEvent)
	var ran atomic.Int32
	rival := start(t, func() {
		KeSetSystemAffinityThread(set)
		KeSetBasePriorityThread(KeGetCurrentThread(), 4)
		for range 20 {
			wait(PVOID(e))
			ran.Add(1)
		}
	})
	late := 0
	run(t, func() {
		KeSetSystemAffinityThread(set)
		for i := range int32(20) {
			settle(t, rival, PVOID(e))
			KeSetEvent(e, IO_NO_INCREMENT, false)
			if ran.Load() != i+1 {
				late++
			}
		}
	})
	// A lock of the Go runtime may hold the rival up on its way back to Go code.
	if late > 2 {
		t.Errorf("in %d of 20 rounds the better thread had not run when KeSetEvent returned", late)
	}
}

// spinner is a thread that computes in kernel context, where Go's scheduler has
// no say.
type spinner struct {
	stop     uint32
	limit    uint64 // 100 ns; 0: until it is stopped
	settled  uint32 // priority from which on limit counts, within reason; 0: from the start
	turns    uint64
	priority [32]uint32 // it has seen itself at, in order, without boosts for the Go runtime's sake
	seen     uint32
}

func spin(a *kernel.Args) {
	s := (*spinner)(a.P)
	patience := kernel.InterruptTime() + 10*kernel.Second
	end := kernel.InterruptTime() + s.limit
	for atomic.LoadUint32(&s.stop) == 0 && (s.limit == 0 || kernel.InterruptTime() < end) {
		t := kernel.Current()
		p := uint32(t.Priority)
		if now := kernel.InterruptTime(); s.settled != 0 && p != s.settled && now < patience {
			end = now + s.limit
		}
		if n := s.seen; !t.LockBoost && n < uint32(len(s.priority)) && (n == 0 || s.priority[n-1] != p) {
			s.priority[n] = p
			s.seen++
		}
		atomic.AddUint64(&s.turns, 1)
		for range 100 {
			atomic.LoadUint32(&s.stop)
		}
	}
}

func (s *spinner) run() {
	a := kernel.Args{P: unsafe.Pointer(s)}
	kernel.EnterBlocking(spin, &a)
}

func (s *spinner) end() { atomic.StoreUint32(&s.stop, 1) }

// delay sleeps in the kernel: time.Sleep needs other threads of Go to wake up.
func delay(ms int64) { KeDelayExecutionThread(KernelMode, false, kit.Ms(ms)) }

// rule: thr-roundrobin
func TestRoundRobin(t *testing.T) {
	_, set := last()
	s := kit.New[[2]spinner](t)
	var th [2]PETHREAD
	for i := range th {
		th[i] = start(t, func() {
			KeSetSystemAffinityThread(set)
			s[i].run()
		})
	}
	kit.Until(t, "both threads have had their turns", func() bool {
		return th[0].Switches > 5 && th[1].Switches > 5 && atomic.LoadUint64(&s[0].turns) > 0 && atomic.LoadUint64(&s[1].turns) > 0
	})
	// A host that is busy takes the processor away from the one or the other.
	var a, b float64
	fair := kit.Retry(func() bool {
		before := [2]uint64{th[0].Cycles, th[1].Cycles}
		time.Sleep(time.Second)
		a, b = float64(th[0].Cycles-before[0]), float64(th[1].Cycles-before[1])
		return a > b/3 && b > a/3
	})
	s[0].end()
	s[1].end()
	if !fair {
		t.Errorf("in a second one thread ran %.0f ticks, the other %.0f", a, b)
	}
}

// rule: thr-preempted-head
func TestPreemptedGoesOn(t *testing.T) {
	_, set := last()
	e := event(t, SynchronizationEvent)
	s := kit.New[spinner](t)
	const rounds = 40
	rival := start(t, func() {
		KeSetSystemAffinityThread(set)
		KeSetBasePriorityThread(KeGetCurrentThread(), 4)
		for range rounds {
			wait(PVOID(e))
		}
	})
	equal := start(t, func() {
		KeSetSystemAffinityThread(set)
		s.run()
	})
	overtaken := 0
	run(t, func() {
		KeSetSystemAffinityThread(set)
		for range rounds {
			settle(t, rival, PVOID(e))
			before := atomic.LoadUint64(&s.turns)
			KeSetEvent(e, IO_NO_INCREMENT, false) // the rival preempts this thread
			if atomic.LoadUint64(&s.turns) != before {
				overtaken++
			}
		}
	})
	s.end()
	join(t, equal)
	// A quantum that ends meanwhile lets the equal thread run, rightly.
	if overtaken > rounds/4 {
		t.Errorf("in %d of %d rounds a thread of the same priority ran before the preempted one went on", overtaken, rounds)
	}
}

// rule: thr-quantum-decay
// rule: thr-boost-cap
func TestDecay(t *testing.T) {
	_, set := last()
	for _, c := range []struct {
		base int8
		inc  KPRIORITY
		want []uint32
	}{
		{8, 4, []uint32{12, 11, 10, 9, 8}}, {13, 6, []uint32{15, 14, 13}}, {20, 5, []uint32{20}},
	} {
		e := event(t, SynchronizationEvent)
		s := kit.New[spinner](t)
		// A quantum is 31 ms, and more where the host takes its time.
		s.limit, s.settled = 100*kernel.Millisecond, c.want[len(c.want)-1]
		th := start(t, func() {
			KeSetSystemAffinityThread(set)
			if c.base < LOW_REALTIME_PRIORITY {
				KeSetBasePriorityThread(KeGetCurrentThread(), LONG(c.base)-8)
			} else {
				KeSetPriorityThread(KeGetCurrentThread(), KPRIORITY(c.base))
			}
			waitAndSpin(e, s)
		})
		settle(t, th, PVOID(e))
		KeSetEvent(e, c.inc, false)
		join(t, th)
		got := s.priority[:s.seen]
		ok := len(got) == len(c.want)
		for i := range min(len(got), len(c.want)) {
			ok = ok && got[i] == c.want[i]
		}
		if !ok {
			t.Errorf("base %d, increment %d: priorities %v, want %v", c.base, c.inc, got, c.want)
		}
	}
}

// waitAndSpin waits and computes in one kernel call, so that the Go runtime does
// nothing in between.
func waitAndSpin(e PKEVENT, s *spinner) {
	a := kernel.Args{P: unsafe.Pointer(s), Q: unsafe.Pointer(e)}
	kernel.EnterBlocking(waitThenSpin, &a)
}

func waitThenSpin(a *kernel.Args) {
	kernel.WaitHeader((*kernel.Header)(a.Q), nil, false)
	spin(a)
}

// rule: thr-yield
func TestYield(t *testing.T) {
	_, set := last()
	s := kit.New[spinner](t)
	var none, yielded bool
	var turns uint64
	other := (PETHREAD)(nil)
	run(t, func() {
		KeSetSystemAffinityThread(set)
		KeSetPriorityThread(KeGetCurrentThread(), 20)
		for end := time.Now().Add(kit.Patience); !none && time.Now().Before(end); {
			none = NtYieldExecution() == STATUS_NO_YIELD_PERFORMED // threads of Go come and go
		}
		other = start(t, func() {
			KeSetSystemAffinityThread(set)
			s.run()
		})
		for end := time.Now().Add(kit.Patience); !yielded && time.Now().Before(end); {
			before := atomic.LoadUint64(&s.turns)
			if NtYieldExecution() == STATUS_SUCCESS {
				turns = atomic.LoadUint64(&s.turns) - before
				yielded = turns > 0
			}
			delay(1) // lets the new thread come up
		}
	})
	s.end()
	join(t, other)
	if !none || !yielded {
		t.Errorf("with nobody ready NO_YIELD_PERFORMED: %v; a thread of lower priority got a turn: %v", none, yielded)
	}
}

// rule: thr-setpriority-lower-running
func TestLowerOwnPriority(t *testing.T) {
	_, set := last()
	for _, c := range []struct {
		other    LONG
		switches bool
	}{{9, false}, {10, true}} {
		e := event(t, SynchronizationEvent)
		s := kit.New[spinner](t)
		other := start(t, func() {
			KeSetBasePriorityThread(KeGetCurrentThread(), c.other-8)
			KeSetSystemAffinityThread(set)
			a := kernel.Args{P: unsafe.Pointer(s), Q: unsafe.Pointer(e)}
			kernel.EnterBlocking(countWakes, &a)
		})
		switched := 0
		const rounds = 10
		run(t, func() {
			KeSetSystemAffinityThread(set)
			self := KeGetCurrentThread()
			KeSetBasePriorityThread(self, 4)
			for range rounds {
				settle(t, other, PVOID(e))
				KeSetPriorityThread(self, 12)
				before := atomic.LoadUint64(&s.turns)
				KeSetEvent(e, IO_NO_INCREMENT, false) // the other thread is ready now
				KeSetPriorityThread(self, 9)
				if atomic.LoadUint64(&s.turns) != before {
					switched++
				}
			}
		})
		s.end()
		KeSetEvent(e, IO_NO_INCREMENT, false)
		if c.switches && switched < rounds-2 || !c.switches && switched > 2 {
			t.Errorf("lowered to 9 with a ready thread at %d: switched in %d of %d rounds", c.other, switched, rounds)
		}
	}
}

// countWakes counts how often it is woken.
func countWakes(a *kernel.Args) {
	s := (*spinner)(a.P)
	for atomic.LoadUint32(&s.stop) == 0 {
		kernel.WaitHeader((*kernel.Header)(a.Q), nil, false)
		atomic.AddUint64(&s.turns, 1)
	}
}

// rule: thr-affinity-immediate
// rule: thr-affinity-invalid
// rule: thr-affinity-ex-return
func TestAffinity(t *testing.T) {
	run(t, func() {
		th := KeGetCurrentThread()
		own := th.Affinity & uint32(KeQueryActiveProcessors())
		for cpu := range kit.CPUs() {
			KeSetSystemAffinityThread(1 << cpu)
			if n := KeGetCurrentProcessorNumber(); n != cpu {
				t.Errorf("restricted to CPU %d, running on %d", cpu, n)
			}
		}
		KeRevertToUserAffinityThread()
		if th.Affinity != own {
			t.Errorf("reverted to %#x, want %#x", th.Affinity, own)
		}
		for _, set := range []KAFFINITY{0, 1 << 40, 1 << 20} {
			KeSetSystemAffinityThread(set)
			if th.Affinity&uint32(KeQueryActiveProcessors()) != own {
				t.Errorf("a set without a processor changed the affinity to %#x", th.Affinity)
			}
		}
		cpu, set := last()
		if was := KeSetSystemAffinityThreadEx(1); was != 0 {
			t.Errorf("the first call returned %#x", was)
		}
		was := KeSetSystemAffinityThreadEx(set)
		if was != 1 || KeGetCurrentProcessorNumber() != cpu {
			t.Errorf("the second call returned %#x", was)
		}
		KeRevertToUserAffinityThreadEx(was)
		if KeGetCurrentProcessorNumber() != 0 {
			t.Errorf("reverted to CPU 0, running on %d", KeGetCurrentProcessorNumber())
		}
		KeRevertToUserAffinityThreadEx(0)
		if th.Affinity != own {
			t.Errorf("reverted to %#x, want %#x", th.Affinity, own)
		}
	})
}

// rule: thr-affinity-deferred
// rule: irql-stable-cpu-number
func TestAffinityAtDispatch(t *testing.T) {
	kit.NeedCPUs(t, 2)
	run(t, func() {
		KeSetSystemAffinityThread(1)
		var old KIRQL
		KeRaiseIrql(DISPATCH_LEVEL, &old)
		KeSetSystemAffinityThread(2)
		KeStallExecutionProcessor(50_000)
		raised := KeGetCurrentProcessorNumber()
		KeLowerIrql(old)
		if n := KeGetCurrentProcessorNumber(); raised != 0 || n != 1 {
			t.Errorf("at DISPATCH_LEVEL on CPU %d, below on %d", raised, n)
		}
		KeRevertToUserAffinityThread()
	})
}

// A storm of threads: none is lost, nothing is left.
func TestMany(t *testing.T) {
	const rounds, each = 20, 25
	var ran atomic.Int32
	for range rounds {
		var hs [each]HANDLE
		for i := range hs {
			if s := PsCreateSystemThread(&hs[i], SYNCHRONIZE, nil, 0, nil, func(PVOID) { ran.Add(1) }, nil); s != STATUS_SUCCESS {
				t.Fatal(s)
			}
		}
		for _, h := range hs {
			if s := ZwWaitForSingleObject(h, false, nil); s != STATUS_SUCCESS {
				t.Fatal(s)
			}
			ZwClose(h)
		}
	}
	if ran.Load() != rounds*each || ob.Handles(nil) != 0 {
		t.Errorf("%d of %d threads have run; %d handles are open", ran.Load(), rounds*each, ob.Handles(nil))
	}
}
