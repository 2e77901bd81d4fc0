package object

import (
	"math"
	"testing"
	"unsafe"

	"irqlab/kernel"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func queryMutant(t *testing.T, h HANDLE) MUTANT_BASIC_INFORMATION {
	t.Helper()
	var i MUTANT_BASIC_INFORMATION
	want(t, "query", ZwQueryMutant(h, MutantBasicInformation, PVOID(&i), ULONG(unsafe.Sizeof(i)), nil), STATUS_SUCCESS)
	return i
}

// mutant returns a handle to a new mutant.
func mutant(t *testing.T, a *OBJECT_ATTRIBUTES, owned bool) HANDLE {
	t.Helper()
	kit.NoLeaks(t)
	var h HANDLE
	want(t, "create", ZwCreateMutant(&h, MUTANT_ALL_ACCESS, a, owned), STATUS_SUCCESS)
	return h
}

// rule: mutant-nt-initial-owner
// rule: mutant-nt-release
// rule: mutant-nt-query
// rule: mutant-no-apc-disable
func TestMutant(t *testing.T) {
	kit.Run(t, func() {
		h := mutant(t, nil, true)
		state := func(what string, want MUTANT_BASIC_INFORMATION) {
			t.Helper()
			if got := queryMutant(t, h); got != want {
				t.Errorf("%s: %+v, want %+v", what, got, want)
			}
		}
		state("owned", MUTANT_BASIC_INFORMATION{CurrentCount: 0, OwnedByCaller: true})
		if KeAreApcsDisabled() {
			t.Error("the owner of a mutant gets no APCs")
		}
		want(t, "acquire again", ZwWaitForSingleObject(h, false, kit.NoTime), STATUS_SUCCESS)
		state("twice", MUTANT_BASIC_INFORMATION{CurrentCount: -1, OwnedByCaller: true})
		kit.Run(t, func() {
			state("to another thread", MUTANT_BASIC_INFORMATION{CurrentCount: -1})
			want(t, "not owned", ZwReleaseMutant(h, nil), STATUS_MUTANT_NOT_OWNED)
			want(t, "held", ZwWaitForSingleObject(h, false, kit.NoTime), STATUS_TIMEOUT)
		})
		count := LONG(7)
		want(t, "release", ZwReleaseMutant(h, &count), STATUS_SUCCESS)
		if count != -1 {
			t.Errorf("the count was %d", count)
		}
		want(t, "release", NtReleaseMutant(h, &count), STATUS_SUCCESS)
		if count != 0 {
			t.Errorf("the count was %d", count)
		}
		state("free", MUTANT_BASIC_INFORMATION{CurrentCount: 1})
		count = 7
		want(t, "release once too often", ZwReleaseMutant(h, &count), STATUS_MUTANT_NOT_OWNED)
		if count != 7 {
			t.Errorf("a release that failed stores %d", count)
		}
		ZwClose(h)
	})
}

// rule: mutant-exit-held
// rule: mutant-abandoned-status
func TestAbandoned(t *testing.T) {
	h := mutant(t, nil, false)
	kit.Go(t, func() NTSTATUS { return ZwWaitForSingleObject(h, false, nil) }).Exited(t)
	if i := queryMutant(t, h); i != (MUTANT_BASIC_INFORMATION{CurrentCount: 1, AbandonedState: true}) {
		t.Errorf("its owner has ended: %+v", i)
	}
	kit.Run(t, func() {
		want(t, "not owned", ZwReleaseMutant(h, nil), STATUS_ABANDONED)
		want(t, "acquire", ZwWaitForSingleObject(h, false, nil), STATUS_ABANDONED)
		if i := queryMutant(t, h); i != (MUTANT_BASIC_INFORMATION{CurrentCount: 0, OwnedByCaller: true}) {
			t.Errorf("acquired: %+v", i)
		}
		want(t, "release", ZwReleaseMutant(h, nil), STATUS_SUCCESS)
		want(t, "acquire", ZwWaitForSingleObject(h, false, nil), STATUS_SUCCESS)
		want(t, "release", ZwReleaseMutant(h, nil), STATUS_SUCCESS)
	})
	ZwClose(h)
}

// A mutant whose last handle is closed while it is owned leaves its owner.
func TestMutantGone(t *testing.T) {
	kit.Run(t, func() {
		h := mutant(t, nil, true)
		ZwClose(h)
		if !KeGetCurrentThread().MutantList.Empty() {
			t.Error("the thread owns a mutant that is gone")
		}
	})
}

// Opening by OBJ_OPENIF acquires nothing, and the new mutant, which is in the way,
// leaves no trace.
func TestMutantOpenIf(t *testing.T) {
	kit.Run(t, func() {
		a := attributes(base+"lock", OBJ_OPENIF, 0)
		h := mutant(t, a, false)
		var h2 HANDLE
		want(t, "open", ZwCreateMutant(&h2, MUTANT_ALL_ACCESS, a, true), STATUS_OBJECT_NAME_EXISTS)
		if i := queryMutant(t, h); i.CurrentCount != 1 || !KeGetCurrentThread().MutantList.Empty() {
			t.Errorf("the mutant was acquired: %+v", i)
		}
		ZwClose(h2)
		ZwClose(h)
	})
}

// rule: wait-nt-mutant-limit
func TestMutantLimit(t *testing.T) {
	kit.Run(t, func() {
		h := mutant(t, nil, true)
		m := PKMUTANT(object(t, h))
		kit.Locked(func() { m.Header.SignalState = math.MinInt32 })
		want(t, "wait", ZwWaitForSingleObject(h, false, nil), STATUS_MUTANT_LIMIT_EXCEEDED)
		want(t, "wait for one", NtWaitForMultipleObjects(1, []HANDLE{h}, WaitAny, false, nil), STATUS_MUTANT_LIMIT_EXCEEDED)
		kit.Locked(func() { m.Header.SignalState = 0 })
		want(t, "release", ZwReleaseMutant(h, nil), STATUS_SUCCESS)
		ZwClose(h)
	})
}

// A goroutine that may move between threads can own nothing.
func TestMutantUnlocked(t *testing.T) {
	kit.NoLeaks(t)
	h := mutant(t, nil, false)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var other HANDLE
		want(t, "create", ZwCreateMutant(&other, MUTANT_ALL_ACCESS, nil, true), STATUS_INVALID_THREAD)
		want(t, "wait", ZwWaitForSingleObject(h, false, nil), STATUS_INVALID_THREAD)
		want(t, "signal and wait", ZwSignalAndWaitForSingleObject(h, h, false, nil), STATUS_INVALID_THREAD)
	}()
	<-done
	ZwClose(h)
}

func TestKeReleaseMutant(t *testing.T) {
	m := kit.New[KMUTANT](t)
	kit.Run(t, func() {
		KeInitializeMutant(m, true)
		if KeReadStateMutant(m) != 0 || KeReleaseMutant(m, MUTANT_INCREMENT, false, false) != 0 || KeReadStateMutant(m) != 1 {
			t.Errorf("state %d", KeReadStateMutant(m))
		}
		s := kit.Raised(func() { KeReleaseMutant(m, MUTANT_INCREMENT, false, false) })
		want(t, "not owned", s, STATUS_MUTANT_NOT_OWNED)
		want(t, "acquire", KeWaitForSingleObject(PVOID(m), Executive, KernelMode, false, nil), STATUS_SUCCESS)
		// Another thread may take it away from its owner.
		kit.Run(t, func() {
			if KeReleaseMutant(m, MUTANT_INCREMENT, true, false) != 0 {
				t.Error("the state before")
			}
		})
		if !KeGetCurrentThread().MutantList.Empty() {
			t.Error("its owner still has it")
		}
		want(t, "abandoned", KeWaitForSingleObject(PVOID(m), Executive, KernelMode, false, nil), STATUS_ABANDONED)
		KeReleaseMutant(m, MUTANT_INCREMENT, false, false)
	})
	e := kit.New[KEVENT](t)
	KeInitializeEvent(e, NotificationEvent, true)
	kit.Run(t, func() {
		KeInitializeMutant(m, true)
		state := KeReleaseMutant(m, MUTANT_INCREMENT, true, true)
		level := KeGetCurrentIrql()
		want(t, "wait after it", KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, nil), STATUS_SUCCESS)
		if state != 0 || level != DISPATCH_LEVEL || KeGetCurrentIrql() != PASSIVE_LEVEL || KeReadStateMutant(m) != 1 {
			t.Errorf("abandoned, with Wait: state %d, then level %d", state, level)
		}
	})
	x := kit.New[KMUTEX](t)
	KeInitializeMutex(x, 0)
	s := kit.Raised(func() { KeReleaseMutant(x, MUTANT_INCREMENT, true, false) })
	want(t, "abandon a mutex that is not owned", s, STATUS_MUTANT_NOT_OWNED)
	if kernel.Current().KernelAPCs != 0 {
		t.Error("APCs are off")
	}
}
