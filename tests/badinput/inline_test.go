package badinput

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"irqlab/irql"
	"irqlab/mm"
	"irqlab/paging"
	"irqlab/pool"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// faultsFreed are the outcomes of a touch of special pool that was freed: by code of
// a driver, as inline code is, or of the kernel, if the compiler has made a call.
const faultsFreed = "stop 0xd5|stop 0xcc"

// eachInline calls fn for each pointer of each inline routine.
func eachInline(t *testing.T, fn func(b *bench, r *routine, i int, size reflect.Type)) {
	b := newBench(t)
	watch(t, func(step func(string)) {
		b.step = step
		for _, name := range inline {
			r := &routines[slices.IndexFunc(routines, func(r routine) bool { return r.name == name })]
			f := reflect.TypeOf(r.fn)
			for i := range f.NumIn() {
				switch {
				case among(r.params[i], kept):
				case f.In(i).Kind() == reflect.Pointer:
					fn(b, r, i, f.In(i).Elem())
				case f.In(i).Kind() == reflect.UnsafePointer:
					fn(b, r, i, of[[64]byte]())
				}
			}
		}
	})
	t.Logf("%d calls", b.cases)
}

// kept are the pointers that inline routines only store or compare.
const kept = " n s Value Exchange Comparand "

// TestInline gives each inline routine what the processor does not accept, and what
// it does.
func TestInline(t *testing.T) {
	eachInline(t, func(b *bench, r *routine, i int, size reflect.Type) {
		wants := map[string]string{isNil: violation, wild: violation, broken: violation, paged: anyReturn, unaligned: anyReturn}
		switch {
		case size.Align() == 1:
			delete(wants, unaligned)
		case strings.HasPrefix(r.name, "Interlocked") && r.params[i] != "ComparandResult":
			wants[unaligned] = interlockedUnaligned(r.name)
		}
		for kind, want := range wants {
			b.check(r, i, kind, irql.Passive, func() reflect.Value {
				if kind == paged {
					b.takeAway()
				}
				p := b.bad(&resident, size, kind)
				if make := objects[size].make; make != nil && want == anyReturn { // links that lead somewhere
					make(p)
					b.dirty = true
				}
				if kind == paged {
					paging.PageOut()
				}
				return reflect.NewAt(reflect.TypeOf(r.fn).In(i), unsafe.Pointer(&p)).Elem()
			}, want)
		}
	})
}

// TestInlineFreed gives each inline routine memory that was freed: special pool alone
// makes the processor see it.
func TestInlineFreed(t *testing.T) {
	block := func() PVOID { return pool.Alloc(64, kit.Tag) }
	p := block()
	special := mm.InSpecial(uintptr(p))
	pool.Free(p, kit.Tag)
	if !special {
		t.Skip("what the tests allocate is no special pool: -opt special=Test")
	}
	eachInline(t, func(b *bench, r *routine, i int, _ reflect.Type) {
		b.check(r, i, freed, irql.Passive, func() reflect.Value {
			p := block()
			pool.Free(p, kit.Tag)
			return reflect.NewAt(reflect.TypeOf(r.fn).In(i), unsafe.Pointer(&p)).Elem()
		}, faultsFreed)
	})
}
