package badinput

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/mm"
	"irqlab/pool"
	"irqlab/wdk"
)

// Routines that lack a check, that hang, that forget what they changed, that leave
// memory behind, and that let a panic of Go out must be seen.
func TestPlanted(t *testing.T) {
	b := newBench(t)
	var seen []string
	b.report = func(format string, args ...any) { seen = append(seen, fmt.Sprintf(format, args...)) }
	find := func(name string) *routine {
		return &routines[slices.IndexFunc(routines, func(r routine) bool { return r.name == name })]
	}
	cleared := func() reflect.Value {
		return reflect.ValueOf(wdk.PKEVENT(b.storage.take(of[wdk.KEVENT]().Size())))
	}
	planted := func(fn func(wdk.PKEVENT)) *routine {
		return &routine{"Planted", fn, []string{"Event"}, func(a *arguments) { fn(argument[wdk.PKEVENT](a, 0)) }}
	}
	for _, p := range []struct {
		says string
		plan func()
	}{
		{"returns, want " + notOne, func() {
			wdk.Checked = false
			b.check(find("KeReadStateEvent"), 0, "cleared", irql.Passive, cleared, notOne)
			wdk.Checked = true
		}},
		{notOne + ", want returns", func() {
			b.check(find("KeReadStateEvent"), 0, "cleared", irql.Passive, cleared, "returns")
		}},
		{"returns at", func() {
			b.check(planted(func(wdk.PKEVENT) { irql.Raise(irql.APC) }), 0, "", irql.Passive, cleared, anyReturn)
		}},
		{"what APCs are disabled", func() {
			b.check(planted(func(wdk.PKEVENT) { wdk.KeEnterCriticalRegion() }), 0, "", irql.Passive, cleared, anyReturn)
		}},
		{noPage + ", want returns", func() { // a fault that no check forestalls
			b.check(planted(func(wdk.PKEVENT) { *(*byte)(behindPool(b.thread)) = 0 }), 0, "", irql.Passive, cleared, anyReturn)
		}},
		{"panic: runtime error: index out of range", func() {
			none := []int{}
			b.check(planted(func(wdk.PKEVENT) { none[len(none)]++ }), 0, "", irql.Passive, cleared, anyReturn)
		}},
	} {
		seen = nil
		watch(t, func(step func(string)) {
			b.step = step
			p.plan()
		})
		if len(seen) != 1 || !strings.Contains(seen[0], p.says) {
			t.Errorf("found %q, want %q", seen, p.says)
		}
	}
	before := takeBalance()
	left := pool.Alloc(64, ownTag)
	if got := before.grown(); got != `"BadI" has 64 bytes more; ` {
		t.Errorf("%q: memory that is left was not seen", got)
	}
	pool.Free(left, ownTag)
	end := make(chan bool)
	defer close(end)
	if what, err := watched(func(step func(string)) {
		step("a hang")
		<-end
	}, 50*time.Millisecond); err == nil || what != "a hang" {
		t.Errorf("%q, %v: a hang was not seen", what, err)
	}
}

// behindPool returns a system address at which nothing is, beyond a block of pool.
func behindPool(p wdk.PVOID) wdk.PVOID {
	for mm.Mapped(uintptr(p)) {
		p = unsafe.Add(p, arch.PageSize)
	}
	return p
}

// What the tables name must be there.
func TestTables(t *testing.T) {
	known := map[string]bool{}
	b := &bench{}
	for i := range routines {
		r := &routines[i]
		known[r.name] = true
		f := reflect.TypeOf(r.fn)
		for i, p := range r.params {
			known[r.name+"."+p] = true
			v := reflect.New(f.In(i)).Elem()
			if (v.CanInt() || v.CanUint()) && v.Type().PkgPath() == "" && among(p, counted) == among(p, uncounted) {
				t.Errorf("%s: is %s a count or not?", r.name, p)
			}
			if _, wants := b.untyped(r, i); v.Kind() == reflect.UnsafePointer && (wants != nil) == r.keeps(p) && reasons[r.name] == "" && !slices.Contains(inline, r.name) {
				t.Errorf("%s: is %s for the routine to touch or not?", r.name, p)
			}
		}
	}
	for name := range reasons {
		if !known[name] {
			t.Errorf("there is no %s", name)
		}
	}
	for key := range exceptions {
		if name, _, _ := strings.Cut(key, " "); !known[name] {
			t.Errorf("there is no %s", name)
		}
	}
	for key := range numbers {
		if !known[key] {
			t.Errorf("there is no %s", key)
		}
	}
}
