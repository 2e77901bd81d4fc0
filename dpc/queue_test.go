package dpc

import (
	"slices"
	"testing"
	"unsafe"
)

func newQueue() *queue {
	q := new(queue)
	q.entries.Init()
	return q
}

func (q *queue) put(d *Object, arg uintptr) bool {
	if !q.claim(d) {
		return false
	}
	q.link(d, unsafe.Pointer(arg), nil)
	return true
}

// order takes everything out and returns the arguments in that order.
func (q *queue) order() (args []uintptr) {
	var c call
	for q.take(&c) {
		args = append(args, uintptr(c.arg1))
	}
	return args
}

// rule: dpc-insert-true-then-false
// rule: dpc-args-of-rejected-ignored
func TestInsertTwice(t *testing.T) {
	q, other := newQueue(), newQueue()
	var d Object
	d.Init(nil, nil)
	if !q.put(&d, 1) || q.put(&d, 2) || other.put(&d, 3) {
		t.Errorf("only the first insert may succeed")
	}
	if got := q.order(); !slices.Equal(got, []uintptr{1}) {
		t.Errorf("arguments %v", got)
	}
	if !other.put(&d, 4) {
		t.Errorf("insert after the DPC was taken failed")
	}
}

// rule: dpc-remove-result
func TestRemove(t *testing.T) {
	q, other := newQueue(), newQueue()
	var d, e Object
	d.Init(nil, nil)
	e.Init(nil, nil)
	if q.unlink(&d) {
		t.Errorf("removed what was not queued")
	}
	q.put(&d, 1)
	q.put(&e, 2)
	if other.unlink(&d) {
		t.Errorf("removed from the wrong queue")
	}
	if !q.unlink(&d) || q.unlink(&d) || q.depth != 1 {
		t.Errorf("remove of a queued DPC must succeed once")
	}
	if !q.put(&d, 3) {
		t.Errorf("insert after remove failed")
	}
	if got := q.order(); !slices.Equal(got, []uintptr{2, 3}) {
		t.Errorf("order %v", got)
	}
}

// rule: dpc-order-fifo
// rule: dpc-high-at-head
// rule: dpc-high-lifo
// rule: dpc-threaded-importance
func TestOrder(t *testing.T) {
	q := newQueue()
	var d [7]Object
	for i, importance := range []Importance{Low, Medium, High, MediumHigh, High, Low, Medium} {
		d[i].Init(nil, nil)
		d[i].SetImportance(importance)
		q.put(&d[i], uintptr(i))
	}
	if got := q.order(); !slices.Equal(got, []uintptr{4, 2, 0, 1, 3, 5, 6}) {
		t.Errorf("order %v", got)
	}
}

// rule: dpc-init-fields
// rule: dpc-default-importance
func TestInit(t *testing.T) {
	var d Object
	fill := unsafe.Slice((*byte)(unsafe.Pointer(&d)), size)
	for i := range fill {
		fill[i] = 0x55
	}
	d.Init(nil, unsafe.Pointer(&d))
	if d.Type != 19 || d.Importance != Medium || d.Number != 0 || d.Data != 0 || d.Routine != 0 || d.Context != unsafe.Pointer(&d) {
		t.Errorf("fields %+v", d)
	}
	const left = 0x5555555555555555
	if uintptr(unsafe.Pointer(d.Entry.Flink)) != left || uintptr(d.Arg1) != left || uintptr(d.Arg2) != left {
		t.Errorf("links or arguments changed")
	}
	d.InitThreaded(nil, nil)
	if d.Type != 24 {
		t.Errorf("type of a threaded DPC is %d", d.Type)
	}
}

// rule: dpc-storage-freed
func TestFind(t *testing.T) {
	q := newQueue()
	var d [3]Object
	for i := range d {
		d[i].Init(nil, nil)
		q.put(&d[i], 0)
	}
	at := uintptr(unsafe.Pointer(&d[1]))
	for _, c := range []struct {
		lo, hi uintptr
		want   *Object
	}{
		{at, at + size, &d[1]},
		{at + size - 1, at + size, &d[1]},
		{at - 1, at + 1, &d[0]},
		{at + 3*size, at + 4*size, nil},
	} {
		if got := q.find(c.lo, c.hi); got != c.want {
			t.Errorf("find(%#x, %#x) = %p, want %p", c.lo, c.hi, got, c.want)
		}
	}
	d[2].Routine = 0x1234
	if q.find(0x1200, 0x1300) != &d[2] {
		t.Errorf("a routine in freed memory is not found")
	}
}

// rule: dpc-low-no-request
// rule: dpc-medium-remote-no-ipi
// rule: dpc-mediumhigh-remote-ipi
// rule: dpc-depth-threshold
func TestDemand(t *testing.T) {
	for _, c := range []struct {
		what       string
		importance Importance
		depth      uint32
		same, idle bool
		rate       uint64
		want       bool
	}{
		{"low here, quiet", Low, 1, true, false, 2, true},
		{"low here, busy", Low, 1, true, false, 3, false},
		{"low here, busy and deep", Low, 4, true, false, 3, true},
		{"medium here", Medium, 1, true, false, 100, true},
		{"high here", High, 1, true, false, 100, true},
		{"low there", Low, 3, false, false, 0, false},
		{"low there, deep", Low, 4, false, false, 0, true},
		{"medium there", Medium, 3, false, false, 0, false},
		{"medium there, deep", Medium, 4, false, false, 0, true},
		{"medium there, idle", Medium, 1, false, true, 0, true},
		{"medium-high there", MediumHigh, 1, false, false, 0, true},
		{"high there", High, 1, false, false, 0, true},
	} {
		var m demand
		m.init()
		m.rate = c.rate
		if got := m.wants(c.importance, c.depth, c.same, c.idle); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
		if m.requested != c.want {
			t.Errorf("%s: requested is %v", c.what, m.requested)
		}
		if m.wants(High, 10, true, false) == c.want {
			t.Errorf("%s: a second request must come exactly if the first did not", c.what)
		}
	}
	m := demand{active: true, maximum: maximumDepth}
	if m.wants(High, 10, true, false) {
		t.Errorf("request while the queue is being served")
	}
}

// TestDemandTick follows the depth limit down under steady small load and back.
func TestDemandTick(t *testing.T) {
	var m demand
	m.init()
	inserted := uint64(0)
	for want := uint32(maximumDepth - 1); ; want-- {
		inserted++
		if !m.tick(inserted, 1) {
			t.Fatalf("waiting DPCs are not served at the tick")
		}
		m.requested = false
		if m.maximum != max(want, 1) {
			t.Fatalf("limit %d, want %d", m.maximum, max(want, 1))
		}
		if want == 0 {
			break
		}
	}
	for range adjustPeriods * (maximumDepth - 1) {
		if m.tick(inserted, 0) {
			t.Fatalf("request for an empty queue")
		}
	}
	if m.maximum != maximumDepth || m.rate != 0 {
		t.Errorf("limit %d, rate %d after a quiet time", m.maximum, m.rate)
	}
	inserted += 40
	if m.tick(inserted, 0); m.rate != 20 {
		t.Errorf("rate %d after 40 requests in a tick, want half", m.rate)
	}
}
