package apc

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"irqlab/apc"
	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/tests/kit"
)

// rule: apc-three-kinds
// rule: apc-kernelroutine-level
// rule: apc-inserted-cleared-first
// rule: apc-self-passive-immediate
func TestKinds(t *testing.T) {
	kit.Run(t, func() {
		for _, c := range []struct {
			kind  kind
			after string // the insertion
			wait  string // an alertable wait
		}{
			{special, "a", "a"},
			{normal, "aA", "aA"},
			{user, "", "aA"},
		} {
			var l log
			p := newProbe(t, self(), c.kind, &l, 'a')
			if !p.insert() {
				t.Error("not inserted")
			}
			expect(t, fmt.Sprintf("kind %d after insertion", c.kind), &l, c.after)
			if s := alertable(); (s == ntstatus.UserAPC) != (c.kind == user) {
				t.Errorf("kind %d: wait: %v", c.kind, s)
			}
			expect(t, fmt.Sprintf("kind %d after a wait", c.kind), &l, c.wait)
			if p.kernelLevel != irql.APC || p.normalLevel != irql.Passive || p.inserted || !p.inKernel {
				t.Errorf("kind %d: %+v", c.kind, p)
			}
			if p.kernelThread != self() || c.kind != special && p.normalThread != self() {
				t.Errorf("kind %d: ran on another thread", c.kind)
			}
		}
	})
}

// rule: apc-order
// rule: apc-special-queue-position
// rule: apc-normal-fifo
// rule: apc-irql-blocks-all
func TestOrder(t *testing.T) {
	kit.Run(t, func() {
		var l log
		var ps []*probe
		for i, k := range []kind{user, normal, special, normal, special, user, special} {
			ps = append(ps, newProbe(t, self(), k, &l, byte('a'+i)))
		}
		kit.At(irql.APC, func() {
			for _, p := range ps {
				p.insert()
			}
			time.Sleep(time.Millisecond)
			expect(t, "at APC_LEVEL", &l, "")
		})
		expect(t, "after lowering", &l, "ceg"+"bB"+"dD")
		alertable()
		expect(t, "after an alertable wait", &l, "ceg"+"bB"+"dD"+"aA"+"fF")
	})
}

// rule: apc-special-preempts-normal
// rule: apc-normal-in-progress
// rule: apc-normal-preempts-user
func TestInside(t *testing.T) {
	kit.Run(t, func() {
		for _, c := range []struct {
			outer, inner kind
			want         string
		}{
			{normal, special, "aAb!"},
			{normal, normal, "aA!bB"},
			{normal, user, "aA!"},
			{user, special, "aAb!"},
			{user, normal, "aAbB!"},
			{user, user, "aA!bB"},
		} {
			var l log
			outer := newProbe(t, self(), c.outer, &l, 'a')
			inner := newProbe(t, self(), c.inner, &l, 'b')
			outer.during = func() {
				inner.insert()
				time.Sleep(time.Millisecond)
				l.add('!')
			}
			outer.insert()
			if c.outer == user {
				alertable()
			}
			expect(t, fmt.Sprintf("kind %d inside kind %d", c.inner, c.outer), &l, c.want)
			alertable()
		}
	})
}

// rule: apc-kernelroutine-cancel
// rule: apc-kernelroutine-rewrite
// rule: apc-null-normal-is-special
func TestKernelRoutine(t *testing.T) {
	kit.Run(t, func() {
		var words [6]byte
		at := func(i int) unsafe.Pointer { return unsafe.Pointer(&words[i]) }
		a := kit.New[kernel.APC](t)
		ran, cancel := 0, true
		var seen [3]unsafe.Pointer
		apc.Init(a, self(), func(_ *kernel.APC, n *kernel.NormalRoutine, c, a1, a2 *unsafe.Pointer) {
			if *c != at(0) || *a1 != at(1) || *a2 != at(2) {
				ran = -100
			}
			if cancel {
				*n = nil
			}
			*(*uintptr)(unsafe.Pointer(c)) = uintptr(at(3))
			*(*uintptr)(unsafe.Pointer(a1)) = uintptr(at(4))
			*(*uintptr)(unsafe.Pointer(a2)) = uintptr(at(5))
		}, nil, func(c, a1, a2 unsafe.Pointer) {
			ran++
			seen = [3]unsafe.Pointer{c, a1, a2}
		}, kernel.KernelMode, at(0))
		apc.Insert(a, at(1), at(2), 0)
		if ran != 0 {
			t.Error("the normal routine ran though it was cancelled")
		}
		cancel = false
		apc.Insert(a, at(1), at(2), 0)
		if ran != 1 || seen != [3]unsafe.Pointer{at(3), at(4), at(5)} {
			t.Errorf("ran %d times, with %v", ran, seen)
		}
		apc.Init(a, self(), func(*kernel.APC, *kernel.NormalRoutine, *unsafe.Pointer, *unsafe.Pointer, *unsafe.Pointer) {}, nil,
			nil, kernel.UserMode, at(0))
		if a.Mode != kernel.KernelMode || a.NormalContext != nil || !a.Special() {
			t.Errorf("without a normal routine: mode %d, context %v", a.Mode, a.NormalContext)
		}
	})
}

// rule: apc-remote-running
func TestRemote(t *testing.T) {
	kit.NeedCPUs(t, 2)
	for _, k := range []kind{special, normal} {
		var stop atomic.Bool
		var spins atomic.Uint64
		th := kit.Go(t, func() ntstatus.Status {
			for !stop.Load() {
				spins.Add(1)
			}
			return 0
		}, func() { kit.OnCPU(1) })
		kit.Run(t, func() {
			for i := range 20 {
				var l log
				p := newProbe(t, th.Kernel, k, &l, 'a')
				p.insert()
				want := "a"
				if k == normal {
					want = "aA"
				}
				kit.Until(t, fmt.Sprintf("APC %d of kind %d on a computing thread", i, k), func() bool { return l.String() == want })
				if p.kernelThread != th.Kernel || k == normal && (p.normalThread != th.Kernel || p.normalLevel != 0) {
					t.Error("ran elsewhere")
				}
			}
		}, func() { kit.OnCPU(0) })
		stop.Store(true)
	}
}

// TestUnlocked says that a goroutine which can move takes special APCs only.
func TestUnlocked(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		th := self()
		if th.Locked {
			return
		}
		var l log
		for _, k := range []kind{normal, user} {
			if newProbe(t, th, k, &l, 'a').insert() {
				t.Errorf("kind %d inserted", k)
			}
		}
		p := newProbe(t, th, special, &l, 'a')
		p.insert()
		kit.Until(t, "special APC", func() bool { return l.String() == "a" })
	}()
	<-done
}

// TestCall queues closures, which survive a garbage collection in the queue.
func TestCall(t *testing.T) {
	kit.Run(t, func() {
		var got []int
		kit.At(irql.APC, func() {
			for i := range 10 {
				if !apc.Call(self(), kernel.KernelMode, func() { got = append(got, i) }) {
					t.Error("not queued")
				}
			}
			runtime.GC()
		})
		if !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("called %v", got)
		}
	})
}

// TestSymbols checks the addresses that the image tool wrote.
func TestSymbols(t *testing.T) {
	a, b := arch.RuntimeSymbols()
	for pc, want := range map[uintptr]string{a: "runtime.isAsyncSafePoint", b: "runtime.debugCallV2"} {
		if f := runtime.FuncForPC(pc); f == nil || f.Name() != want || f.Entry() != pc {
			t.Errorf("%#x is not %s", pc, want)
		}
	}
}
