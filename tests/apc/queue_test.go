package apc

import (
	"testing"
	"unsafe"

	"irqlab/apc"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/tests/kit"
)

// rule: apc-insert-twice
// rule: apc-remove
func TestInsertRemove(t *testing.T) {
	kit.Run(t, func() {
		for _, k := range []kind{special, normal, user} {
			var l log
			p := newProbe(t, self(), k, &l, 'a')
			kit.At(irql.APC, func() {
				if apc.Remove(p.a) {
					t.Error("removed what was not inserted")
				}
				if !p.insert() || p.insert() {
					t.Errorf("kind %d: insertion twice", k)
				}
				if !p.a.Inserted || !apc.Remove(p.a) || p.a.Inserted || apc.Remove(p.a) {
					t.Errorf("kind %d: removal", k)
				}
			})
			alertable()
			expect(t, "removed", &l, "")
		}
	})
}

// TestFlush takes queues apart.
func TestFlush(t *testing.T) {
	kit.Run(t, func() {
		var l log
		var ps [3]*probe
		for i := range ps {
			ps[i] = newProbe(t, self(), user, &l, byte('a'+i))
			ps[i].insert()
		}
		if p := apc.Flush(self(), kernel.UserMode); p != unsafe.Pointer(&ps[0].a.Entry) {
			t.Errorf("flushed %p", p)
		}
		e := &ps[0].a.Entry
		if e.Flink != &ps[1].a.Entry || e.Flink.Flink.Flink != e || ps[2].a.Inserted {
			t.Error("not a ring of three")
		}
		if apc.Flush(self(), kernel.UserMode) != nil {
			t.Error("flushed twice")
		}
		alertable()
		expect(t, "flushed", &l, "")
	})
}
