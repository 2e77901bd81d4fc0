package list

import (
	"slices"
	"testing"
	"unsafe"
)

type item struct {
	n     int
	entry Entry
}

// contents walks the list both ways and returns it forwards.
func contents(t *testing.T, head *Entry) (forward []int) {
	t.Helper()
	var backward []int
	at := func(e *Entry) int { return (*item)(e.Container(unsafe.Offsetof(item{}.entry))).n }
	for e := head.Flink; e != head; e = e.Flink {
		forward = append(forward, at(e))
	}
	for e := head.Blink; e != head; e = e.Blink {
		backward = append(backward, at(e))
	}
	slices.Reverse(backward)
	if !slices.Equal(forward, backward) {
		t.Errorf("forwards %v, backwards %v", forward, backward)
	}
	return forward
}

// rule: removeentry-return
func TestList(t *testing.T) {
	var head Entry
	head.Init()
	var items [4]item
	for i := range items {
		items[i].n = i
	}
	if !head.Empty() || head.RemoveHead() != nil {
		t.Errorf("a new list is not empty")
	}
	head.InsertTail(&items[1].entry)
	head.InsertTail(&items[2].entry)
	head.InsertHead(&items[0].entry)
	items[2].entry.InsertHead(&items[3].entry) // behind an entry
	if got := contents(t, &head); !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("list %v", got)
	}
	if items[1].entry.Remove() {
		t.Errorf("removal from the middle says that the list is empty")
	}
	if e := head.RemoveHead(); e != &items[0].entry {
		t.Errorf("first entry is %p", e)
	}
	if got := contents(t, &head); !slices.Equal(got, []int{2, 3}) {
		t.Errorf("list %v", got)
	}
	if items[3].entry.Remove() || !items[2].entry.Remove() || !head.Empty() {
		t.Errorf("only the last removal leaves the list empty")
	}
}
