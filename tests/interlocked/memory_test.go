package interlocked

import (
	"testing"
	"unsafe"

	"irqlab/ntstatus"
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

// rule: interlocked-cas
func TestCompareExchange128(t *testing.T) {
	at := kit.New[[2]LONG64](t) // pool is aligned to 16 bytes
	*at = [2]LONG64{1, 2}
	for _, c := range []struct{ comparand, after, found [2]LONG64 }{
		{[2]LONG64{1, 3}, [2]LONG64{1, 2}, [2]LONG64{1, 2}},
		{[2]LONG64{2, 2}, [2]LONG64{1, 2}, [2]LONG64{1, 2}},
		{[2]LONG64{1, 2}, [2]LONG64{-5, 6}, [2]LONG64{1, 2}},
		{[2]LONG64{1, 2}, [2]LONG64{-5, 6}, [2]LONG64{-5, 6}},
	} {
		was, comparand := *at, c.comparand
		got := InterlockedCompareExchange128(&at[0], 6, -5, &comparand[0])
		if *at != c.after || comparand != c.found || (got == 1) != (was == c.comparand) {
			t.Errorf("comparand %d: %d, leaves %d, finds %d", c.comparand, got, *at, comparand)
		}
	}
}

// Two words change as one, whoever looks.
func TestCompareExchange128Race(t *testing.T) {
	at := kit.New[[2]LONG64](t)
	const threads, each = 3, 20_000
	var all []*kit.Thread
	for range threads {
		all = append(all, kit.Go(t, func() ntstatus.Status {
			for range each {
				old := *at
				for InterlockedCompareExchange128(&at[0], old[1]-1, old[0]+1, &old[0]) == 0 {
				}
				if old[0] != -old[1] {
					return ntstatus.Unsuccessful
				}
			}
			return ntstatus.Success
		}))
	}
	for _, th := range all {
		if th.Join(t) != ntstatus.Success {
			t.Error("half of a change was seen")
		}
	}
	if *at != [2]LONG64{threads * each, -threads * each} {
		t.Errorf("%d", *at)
	}
}
