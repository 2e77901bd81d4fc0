package linux

import "testing"

func TestRing(t *testing.T) {
	r := new(ring)
	r.head, r.tail = ^uint32(0)-5, ^uint32(0)-5 // the counts wrap
	next, want := byte(0), byte(0)
	for round := range 100 {
		for i := 0; !r.full() && i < 700+round; i++ {
			r.put(next)
			next++
		}
		for i := 0; !r.empty() && i < 600; i++ {
			if b := r.get(); b != want {
				t.Fatalf("round %d: got %d, want %d", round, b, want)
			}
			want++
		}
	}
	for !r.full() {
		r.put(next)
		next++
	}
	if r.head-r.tail != uint32(len(r.bytes)) {
		t.Errorf("full at %d bytes", r.head-r.tail)
	}
	for !r.empty() {
		if b := r.get(); b != want {
			t.Fatalf("got %d, want %d", b, want)
		}
		want++
	}
	if want != next {
		t.Errorf("%d bytes lost", next-want)
	}
}
