//go:build irqlab

package guard

import (
	"runtime"
	"testing"

	"irqlab/guard"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/seh"
	"irqlab/sync"
	"irqlab/sync/spin"
	"irqlab/tests/kit"
)

// guarded is a lock, how to take it, and whether an exception may happen while it
// is held.
type guarded struct {
	take   func() guard.Held
	raises bool
}

func all(t *testing.T) map[string]guarded {
	mutex, fast, gm := kit.New[sync.Mutex](t), kit.New[sync.FastMutex](t), kit.New[sync.GuardedMutex](t)
	resource, push := kit.New[sync.Resource](t), kit.New[sync.PushLock](t)
	rundown, remove := kit.New[sync.Rundown](t), kit.New[sync.RemoveLock](t)
	lock, queued, handle, shared := kit.New[spin.Lock](t), kit.New[spin.Queued](t), kit.New[spin.QueueHandle](t), kit.New[spin.Shared](t)
	mutex.Init()
	fast.Init()
	gm.Init()
	resource.Init()
	t.Cleanup(func() { resource.Delete() })
	rundown.Init()
	remove.Init()
	return map[string]guarded{
		"level":              {func() guard.Held { return guard.Raise(irql.APC) }, true},
		"raised":             {func() guard.Held { return guard.Raise(irql.Dispatch) }, false},
		"critical region":    {guard.CriticalRegion, true},
		"guarded region":     {guard.GuardedRegion, true},
		"spin lock":          {func() guard.Held { return guard.Spin(lock) }, false},
		"queued spin lock":   {func() guard.Held { return guard.Queued(queued, handle) }, false},
		"shared spin lock":   {func() guard.Held { return guard.SpinShared(shared) }, false},
		"exclusive spin":     {func() guard.Held { return guard.SpinExclusive(shared) }, false},
		"mutex":              {func() guard.Held { return guard.Mutex(mutex) }, true},
		"fast mutex":         {func() guard.Held { return guard.FastMutex(fast) }, true},
		"guarded mutex":      {func() guard.Held { return guard.GuardedMutex(gm) }, true},
		"push lock":          {func() guard.Held { return guard.PushExclusive(push) }, true},
		"shared push lock":   {func() guard.Held { return guard.PushShared(push) }, true},
		"resource":           {func() guard.Held { return guard.ResourceExclusive(resource) }, true},
		"shared resource":    {func() guard.Held { return guard.ResourceShared(resource) }, true},
		"rundown protection": {func() guard.Held { return guard.Rundown(rundown) }, true},
		"remove lock":        {func() guard.Held { return guard.RemoveLock(remove) }, true},
	}
}

// Whatever way a function ends, all is as before, and another thread can take the
// lock.
func TestRelease(t *testing.T) {
	for name, g := range all(t) {
		ways := map[string]func(){"return": func() {}}
		if g.raises {
			ways["exception"] = func() { kernel.RaiseStatus(ntstatus.NoMemory) }
			ways["fault"] = func() { *(*int)(nil) = 1 }
			ways["panic"] = func() { panic("at the disco") }
		}
		for way, end := range ways {
			kit.Run(t, func() {
				seh.Try(func() {
					defer g.take().Release()
					end()
				}, seh.Handle, func(*seh.Exception) {})
				if l, k := irql.Current(), kernel.Current(); l != irql.Passive || k.KernelAPCs != 0 || k.SpecialAPCs != 0 {
					t.Errorf("%s, %s: IRQL %d, regions %d %d", name, way, l, k.KernelAPCs, k.SpecialAPCs)
				}
			})
			kit.Run(t, func() { g.take().Release() })
		}
	}
}

// What is held is held: a level, and a lock that others cannot take.
func TestHeld(t *testing.T) {
	kit.Run(t, func() {
		for name, want := range map[string]irql.Level{"spin lock": irql.Dispatch, "raised": irql.Dispatch, "fast mutex": irql.APC, "mutex": irql.Passive} {
			h := all(t)[name].take()
			got := irql.Current()
			h.Release()
			if got != want {
				t.Errorf("%s: IRQL %d, want %d", name, got, want)
			}
		}
		l := kit.New[spin.Lock](t)
		h := guard.Spin(l)
		held := !l.Test()
		h.Release()
		if held == !l.Test() {
			t.Error("a guard does not hold its spin lock, or for ever")
		}
	})
}

// Guards allocate nothing.
func TestAllocations(t *testing.T) {
	l := kit.New[spin.Lock](t)
	runtime.GC()
	if n := testing.AllocsPerRun(100, func() {
		defer guard.Spin(l).Release()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// An object that goes away is not protected any more: the guard raises.
func TestGone(t *testing.T) {
	r := kit.New[sync.Rundown](t)
	r.Init()
	r.Wait()
	if s := kit.Raised(func() { defer guard.Rundown(r).Release() }); s != ntstatus.DeletePending {
		t.Error(s)
	}
}
