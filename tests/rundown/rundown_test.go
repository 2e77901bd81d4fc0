// Package rundown tests run-down protection, remove locks and one-time
// initialization.
package rundown

import (
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// rule: rundown-acquire
// rule: rundown-wait
// rule: rundown-reinit
// rule: rundown-dispatch
// rule: rundown-no-serialize
func TestRundown(t *testing.T) {
	r := kit.New[EX_RUNDOWN_REF](t)
	if !ExAcquireRundownProtection(r) || !ExAcquireRundownProtectionEx(r, 3) {
		t.Fatal("a new object is refused")
	}
	kit.At(irql.Dispatch, func() {
		if !ExAcquireRundownProtection(r) {
			t.Error("refused at DISPATCH_LEVEL")
		}
		ExReleaseRundownProtection(r)
	})
	var over atomic.Bool
	owner := kit.Go(t, func() ntstatus.Status {
		ExWaitForRundownProtectionRelease(r)
		over.Store(true)
		return ntstatus.Success
	})
	kit.Until(t, "the end to be asked for", func() bool {
		if ExAcquireRundownProtection(r) {
			ExReleaseRundownProtection(r)
			return false
		}
		return true
	})
	ExReleaseRundownProtectionEx(r, 3)
	time.Sleep(5 * time.Millisecond)
	if over.Load() {
		t.Error("the owner did not wait for the last user")
	}
	kit.At(irql.Dispatch, func() {
		if ExAcquireRundownProtection(r) {
			t.Error("acquired during the run down")
		}
		ExReleaseRundownProtection(r)
	})
	owner.Join(t)
	kit.Run(t, func() { ExWaitForRundownProtectionRelease(r) })
	if ExAcquireRundownProtection(r) {
		t.Error("acquired after the end")
	}
	ExReInitializeRundownProtection(r)
	if !ExAcquireRundownProtection(r) {
		t.Error("refused when ready again")
	}
	ExReleaseRundownProtection(r)
}

// Users come and go while the owner runs the object down again and again.
func TestRundownRace(t *testing.T) {
	r := kit.New[EX_RUNDOWN_REF](t)
	var alive, bad atomic.Int32
	alive.Store(1)
	var stop atomic.Bool
	var users []*kit.Thread
	for range 3 {
		users = append(users, kit.Go(t, func() ntstatus.Status {
			for !stop.Load() {
				if ExAcquireRundownProtection(r) {
					if alive.Load() == 0 {
						bad.Add(1)
					}
					ExReleaseRundownProtection(r)
				}
			}
			return ntstatus.Success
		}))
	}
	kit.Run(t, func() {
		for range 60 {
			ExWaitForRundownProtectionRelease(r)
			alive.Store(0)
			time.Sleep(20 * time.Microsecond)
			alive.Store(1)
			ExReInitializeRundownProtection(r)
			time.Sleep(20 * time.Microsecond)
		}
	})
	stop.Store(true)
	for _, u := range users {
		u.Join(t)
	}
	if n := bad.Load(); n != 0 {
		t.Errorf("%d uses of a dead object", n)
	}
}

// rule: io-remove-lock
// rule: io-remove-lock-wait
func TestRemoveLock(t *testing.T) {
	for holders := range 3 {
		testRemoveLock(t, holders)
	}
}

// testRemoveLock has a device removed that is in use so many times more.
func testRemoveLock(t *testing.T, holders int) {
	l := kit.New[IO_REMOVE_LOCK](t)
	IoInitializeRemoveLock(l, 0, 0, 0)
	for range holders {
		if s := IoAcquireRemoveLock(l, nil); s != STATUS_SUCCESS {
			t.Fatal(s)
		}
	}
	var over atomic.Bool
	remover := kit.Go(t, func() ntstatus.Status {
		IoAcquireRemoveLock(l, nil)
		IoReleaseRemoveLockAndWait(l, nil)
		over.Store(true)
		return ntstatus.Success
	})
	for left := holders; left > 0; left-- {
		kit.AwaitWaiters(t, &l.RemoveEvent.Header, 1)
		if s := IoAcquireRemoveLock(l, nil); s != STATUS_DELETE_PENDING {
			t.Errorf("during the removal: %v", s)
		}
		if over.Load() || l.IoCount != int32(left) {
			t.Errorf("count %d with %d left", l.IoCount, left)
		}
		kit.At(irql.Level(left), func() { IoReleaseRemoveLock(l, nil) })
	}
	remover.Join(t)
	if s := IoAcquireRemoveLock(l, nil); s != STATUS_DELETE_PENDING || l.IoCount != 0 {
		t.Errorf("after the removal: %v, count %d", s, l.IoCount)
	}
}

// rule: runonce-first
// rule: runonce-complete-lost
// rule: runonce-exec
// rule: runonce-low-bits
// rule: runonce-async-mix
// rule: runonce-check-only
func TestRunOnce(t *testing.T) {
	o := new(RTL_RUN_ONCE)
	result := PVOID(unsafe.Pointer(kit.New[[8]byte](t)))
	var context PVOID
	if s := RtlRunOnceBeginInitialize(o, RTL_RUN_ONCE_CHECK_ONLY, &context); s != STATUS_UNSUCCESSFUL {
		t.Errorf("check of a new one: %v", s)
	}
	if s := RtlRunOnceComplete(o, 0, nil); s != STATUS_UNSUCCESSFUL {
		t.Errorf("completion of what was not begun: %v", s)
	}
	// Several at once: the first fails, one of the others does it.
	var calls, inside atomic.Int32
	var threads []*kit.Thread
	for range 4 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			var context PVOID
			s := RtlRunOnceExecuteOnce(o, func(_ PRTL_RUN_ONCE, _ PVOID, Context *PVOID) ULONG {
				if inside.Add(1) != 1 {
					t.Error("two initialize at a time")
				}
				if !KeAreApcsDisabled() {
					t.Error("APCs may interrupt the initialization")
				}
				time.Sleep(2 * time.Millisecond)
				inside.Add(-1)
				*Context = result
				return ULONG(min(1, calls.Add(1)-1))
			}, nil, &context)
			if s == STATUS_SUCCESS && context != result {
				t.Errorf("context %p, want %p", context, result)
			}
			return s
		}))
	}
	failed := 0
	for _, th := range threads {
		if th.Join(t) != STATUS_SUCCESS {
			failed++
		}
	}
	if failed != 1 || calls.Load() != 2 {
		t.Errorf("%d failed, %d calls", failed, calls.Load())
	}
	if s := RtlRunOnceBeginInitialize(o, RTL_RUN_ONCE_CHECK_ONLY, &context); s != STATUS_SUCCESS || context != result {
		t.Errorf("check when done: %v, %p", s, context)
	}
	// Asynchronous: both may try, the first to complete wins.
	o = new(RTL_RUN_ONCE)
	for range 2 {
		if s := RtlRunOnceBeginInitialize(o, RTL_RUN_ONCE_ASYNC, nil); s != STATUS_PENDING {
			t.Errorf("asynchronous begin: %v", s)
		}
	}
	if _, s := o.Begin(0); s != ntstatus.InvalidOwner {
		t.Errorf("synchronous begin of an asynchronous one: %v", s)
	}
	if s := RtlRunOnceComplete(o, 0, result); s != STATUS_UNSUCCESSFUL {
		t.Errorf("synchronous completion of an asynchronous one: %v", s)
	}
	first, second := RtlRunOnceComplete(o, RTL_RUN_ONCE_ASYNC, result), RtlRunOnceComplete(o, RTL_RUN_ONCE_ASYNC, nil)
	if first != STATUS_SUCCESS || second != STATUS_UNSUCCESSFUL {
		t.Errorf("completions: %v, %v", first, second)
	}
	for _, f := range []sync.RunOnceFlags{4, 8, 3} {
		if _, s := o.Begin(f); s != ntstatus.InvalidParameter2 {
			t.Errorf("begin with flags %d: %v", f, s)
		}
	}
	if s := o.Complete(0, 1); s != ntstatus.InvalidParameter3 {
		t.Errorf("a context with a low bit set: %v", s)
	}
}
