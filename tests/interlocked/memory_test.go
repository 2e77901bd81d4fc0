package interlocked

import (
	"testing"
	"unsafe"

	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func TestMemory(t *testing.T) {
	p := kit.New[[4][16]byte](t)
	for i := range p[0] {
		p[0][i] = byte(i + 1)
	}
	RtlCopyMemory(PVOID(&p[1]), PVOID(&p[0]), 15)
	RtlZeroMemory(PVOID(&p[0][1]), 14)
	KeMemoryBarrier()
	if p[1][14] != 15 || p[1][15] != 0 || p[0][0] != 1 || p[0][1] != 0 || p[0][14] != 0 || p[0][15] != 16 {
		t.Errorf("%v", p)
	}
}

// rule: interlocked-cas
func TestPointers(t *testing.T) {
	at := kit.New[PVOID](t)
	a, b := PVOID(kit.New[uint64](t)), PVOID(kit.New[uint64](t))
	if InterlockedExchangePointer(at, a) != nil || *at != a {
		t.Error("exchange")
	}
	if InterlockedCompareExchangePointer(at, b, b) != a || *at != a {
		t.Error("compare exchange of another value")
	}
	if InterlockedCompareExchangePointer(at, b, a) != a || *at != b {
		t.Error("compare exchange")
	}
}

func TestLists(t *testing.T) {
	head, other := kit.New[LIST_ENTRY](t), kit.New[LIST_ENTRY](t)
	entries := kit.New[[4]LIST_ENTRY](t)
	InitializeListHead(head)
	InitializeListHead(other)
	InsertTailList(head, &entries[0])
	for i := 1; i < 4; i++ {
		InsertTailList(other, &entries[i])
	}
	RemoveEntryList(other) // what is left has no head
	AppendTailList(head, &entries[1])
	for i := range entries {
		if e := RemoveHeadList(head); e != &entries[i] {
			t.Errorf("entry %d is %p, want %p", i, e, &entries[i])
		}
	}
	if !IsListEmpty(head) {
		t.Error("there is more")
	}

	single := kit.New[[3]SINGLE_LIST_ENTRY](t)
	for i := 1; i < 3; i++ {
		PushEntryList(&single[0], &single[i])
	}
	if PopEntryList(&single[0]) != &single[2] || PopEntryList(&single[0]) != &single[1] || PopEntryList(&single[0]) != nil {
		t.Error("a singly linked list is not last in, first out")
	}
	if unsafe.Sizeof(single[0]) != 8 {
		t.Error("a SINGLE_LIST_ENTRY has 8 bytes")
	}
}
