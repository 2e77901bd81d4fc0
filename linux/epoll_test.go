package linux

import "testing"

func TestReady(t *testing.T) {
	p := &pipe{readers: 1, writers: 1}
	r, w := &file{kind: readEnd, pipe: p}, &file{kind: writeEnd, pipe: p}
	check := func(what string, f *file, want uint32) {
		t.Helper()
		if got := f.ready(); got != want {
			t.Errorf("%s: %#x, want %#x", what, got, want)
		}
	}
	check("empty pipe, read", r, 0)
	check("empty pipe, write", w, pollOut)
	p.head = 1
	check("byte, read", r, pollIn)
	p.head = pipeBytes
	check("full, write", w, 0)
	p.writers = 0
	check("no writer", r, pollIn|pollHangup)
	p.readers = 0
	check("no reader", w, pollErr)

	c := &file{kind: counter}
	check("zero counter", c, pollOut)
	c.count = 3
	check("counter", c, pollOut|pollIn)
}

// An edge is reported once, and again when it happens again.
func TestReportEdge(t *testing.T) {
	f := &file{kind: counter, count: 1}
	f.watch = watch{set: 3, events: pollIn | pollEdge, armed: ^uint32(0)}
	if e := f.report(); e != pollIn {
		t.Fatalf("first report %#x", e)
	}
	if e := f.report(); e != 0 {
		t.Fatalf("reported twice: %#x", e)
	}
	f.watch.armed |= pollIn
	if e := f.report(); e != pollIn {
		t.Fatalf("second edge: %#x", e)
	}
	f.watch.events = pollIn
	for range 2 {
		if e := f.report(); e != pollIn {
			t.Fatalf("level: %#x", e)
		}
	}
}
