// Package lists tests interlocked lists, S-lists, lookaside lists and device
// queues: rules of area spinlock, and what the documentation says of the rest.
package lists

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/irql"
	"irqlab/ntstatus"
	"irqlab/pool"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// rule: exint-insert-return
// rule: exint-remove-empty
// rule: exint-irql-kept
// rule: exint-remove-poison
func TestInterlockedList(t *testing.T) {
	head, l, e := kit.New[LIST_ENTRY](t), kit.New[KSPIN_LOCK](t), kit.New[[3]LIST_ENTRY](t)
	for _, level := range []irql.Level{irql.Passive, irql.Dispatch, irql.High} {
		InitializeListHead(head)
		kit.At(level, func() {
			if ExInterlockedRemoveHeadList(head, l) != nil || ExInterlockedInsertHeadList(head, &e[0], l) != nil ||
				ExInterlockedInsertHeadList(head, &e[1], l) != &e[0] || ExInterlockedInsertTailList(head, &e[2], l) != &e[0] {
				t.Error("inserts return the neighbour that was there")
			}
			for _, want := range []*LIST_ENTRY{&e[1], &e[0], &e[2], nil} {
				if got := ExInterlockedRemoveHeadList(head, l); got != want {
					t.Errorf("removed %p, want %p", got, want)
				}
			}
			if ExInterlockedInsertTailList(head, &e[0], l) != nil {
				t.Error("insert at the tail of an empty list")
			}
			ExInterlockedRemoveHeadList(head, l)
			if irql.Current() != level {
				t.Errorf("level %d after, %d before", irql.Current(), level)
			}
		})
	}
	if e[0].Flink == head || e[0].Flink == nil {
		t.Error("the removed entry's links are not poison")
	}
	n, big := kit.New[ULONG](t), kit.New[LARGE_INTEGER](t)
	if ExInterlockedAddUlong(n, 3, l) != 0 || *n != 3 || ExInterlockedAddLargeInteger(big, -4, l) != 0 || *big != -4 {
		t.Error("interlocked additions")
	}
	single, s := kit.New[SINGLE_LIST_ENTRY](t), kit.New[[2]SINGLE_LIST_ENTRY](t)
	if ExInterlockedPopEntryList(single, l) != nil || ExInterlockedPushEntryList(single, &s[0], l) != nil ||
		ExInterlockedPushEntryList(single, &s[1], l) != &s[0] || ExInterlockedPopEntryList(single, l) != &s[1] || ExInterlockedPopEntryList(single, l) != &s[0] {
		t.Error("singly linked list")
	}
}

// slistEntry has the alignment that an SLIST_ENTRY needs.
type slistEntry struct {
	SLIST_ENTRY
	owner int64
}

// rule: slist-order
// rule: slist-flush
func TestSList(t *testing.T) {
	l, e := kit.New[SLIST_HEADER](t), kit.New[[4]slistEntry](t)
	InitializeSListHead(l)
	if unsafe.Sizeof(*l) != 16 || InterlockedPopEntrySList(l) != nil || InterlockedFlushSList(l) != nil {
		t.Error("an empty list")
	}
	var last *SLIST_ENTRY
	for i := range e {
		if was := InterlockedPushEntrySList(l, &e[i].SLIST_ENTRY); was != last {
			t.Errorf("push %d returned %p, want %p", i, was, last)
		}
		last = &e[i].SLIST_ENTRY
		if ExQueryDepthSList(l) != USHORT(i+1) || l.Sequence() != uint64(i+1) || FirstEntrySList(l) != last {
			t.Errorf("depth %d, sequence %d", ExQueryDepthSList(l), l.Sequence())
		}
	}
	if InterlockedPopEntrySList(l) != last || ExQueryDepthSList(l) != 3 || l.Sequence() != 4 {
		t.Errorf("after a pop: depth %d, sequence %d", ExQueryDepthSList(l), l.Sequence())
	}
	n := 0
	for x, want := InterlockedFlushSList(l), 2; x != nil; x, want = x.Next, want-1 {
		if x != &e[want].SLIST_ENTRY {
			t.Error("the flushed chain is not last in, first out")
		}
		n++
	}
	if n != 3 || ExQueryDepthSList(l) != 0 || FirstEntrySList(l) != nil {
		t.Errorf("flushed %d, depth %d", n, ExQueryDepthSList(l))
	}
}

// Entries wander between threads; none is lost and none is in two hands.
//
// rule: slist-order
func TestSListRace(t *testing.T) {
	l, e := kit.New[SLIST_HEADER](t), kit.New[[6]slistEntry](t)
	for i := range e {
		InterlockedPushEntrySList(l, &e[i].SLIST_ENTRY)
	}
	var bad atomic.Int32
	var threads []*kit.Thread
	for range 4 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			for i := range 2000 {
				x := InterlockedPopEntrySList(l)
				if x == nil {
					continue
				}
				owner := &(*slistEntry)(unsafe.Pointer(x)).owner
				if atomic.AddInt64(owner, 1) != 1 {
					bad.Add(1)
				}
				atomic.AddInt64(owner, -1)
				if i%7 == 0 {
					kit.At(irql.High, func() { InterlockedPushEntrySList(l, x) })
				} else {
					InterlockedPushEntrySList(l, x)
				}
			}
			return ntstatus.Success
		}))
	}
	for _, th := range threads {
		th.Join(t)
	}
	if bad.Load() != 0 || ExQueryDepthSList(l) != USHORT(len(e)) {
		t.Errorf("%d entries in two hands, depth %d", bad.Load(), ExQueryDepthSList(l))
	}
}

func TestLookaside(t *testing.T) {
	l := kit.New[LOOKASIDE_LIST_EX](t)
	if s := ExInitializeLookasideListEx(l, nil, nil, 77, 0, 40, Tag("Look"), 0); s != ntstatus.InvalidParameter4 {
		t.Errorf("pool type 77: %v", s)
	}
	if s := ExInitializeLookasideListEx(l, nil, nil, NonPagedPoolNx, 3, 40, Tag("Look"), 0); s != ntstatus.InvalidParameter5 {
		t.Errorf("flags 3: %v", s)
	}
	allocated, freed := 0, 0
	ExInitializeNPagedLookasideList(l, nil, nil, 0, 40, Tag("Look"), 0)
	a := ExAllocateFromNPagedLookasideList(l)
	ExFreeToNPagedLookasideList(l, a)
	if b := ExAllocateFromNPagedLookasideList(l); b != a || l.TotalAllocates != 2 || l.AllocateMisses != 1 {
		t.Errorf("the block was not kept: %d allocations, %d misses", l.TotalAllocates, l.AllocateMisses)
	}
	kit.At(irql.Dispatch, func() { ExFreeToNPagedLookasideList(l, a) })
	blocks := make([]PVOID, 100)
	for i := range blocks {
		blocks[i] = ExAllocateFromNPagedLookasideList(l)
	}
	for _, b := range blocks {
		ExFreeToNPagedLookasideList(l, b)
	}
	if l.FreeMisses == 0 || int(l.List.Depth()) != int(l.Depth) {
		t.Errorf("%d kept, %d given back", l.List.Depth(), l.FreeMisses)
	}
	ExDeleteNPagedLookasideList(l)

	s := ExInitializeLookasideListEx(l, func(_ uint32, size uintptr, tag pool.Tag, _ *LOOKASIDE_LIST_EX) unsafe.Pointer {
		allocated++
		return ExAllocatePool2(POOL_FLAG_NON_PAGED, size, ULONG(tag))
	}, func(p unsafe.Pointer, _ *LOOKASIDE_LIST_EX) {
		freed++
		ExFreePool(p)
	}, NonPagedPoolNx, 0, 100, Tag("Look"), 0)
	if s != STATUS_SUCCESS {
		t.Fatal(s)
	}
	ExFreeToLookasideListEx(l, ExAllocateFromLookasideListEx(l))
	ExFlushLookasideListEx(l)
	ExFreeToLookasideListEx(l, ExAllocateFromLookasideListEx(l))
	ExDeleteLookasideListEx(l)
	if allocated != 2 || freed != 2 {
		t.Errorf("%d allocated, %d freed", allocated, freed)
	}
}

// What cannot be had is nil, or an exception if the list was made so: never a block
// that is too small.
func TestLookasideExhausted(t *testing.T) {
	const tooMuch = 1<<40 + 16
	l := kit.New[LOOKASIDE_LIST_EX](t)
	for _, kind := range []POOL_TYPE{NonPagedPoolNx, PagedPool} {
		for flags, want := range []NTSTATUS{STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS} {
			if s := ExInitializeLookasideListEx(l, nil, nil, kind, ULONG(flags), tooMuch, Tag("Look"), 0); s != STATUS_SUCCESS {
				t.Fatal(s)
			}
			var p PVOID
			if s := kit.Raised(func() { p = ExAllocateFromLookasideListEx(l) }); s != want || p != nil {
				t.Errorf("pool type %d, flags %d: %v at %p, want %v", kind, flags, s, p, want)
			}
		}
	}
	ExInitializeNPagedLookasideList(l, nil, nil, POOL_RAISE_IF_ALLOCATION_FAILURE, tooMuch, Tag("Look"), 0)
	if s := kit.Raised(func() { ExAllocateFromNPagedLookasideList(l) }); s != STATUS_INSUFFICIENT_RESOURCES {
		t.Errorf("POOL_RAISE_IF_ALLOCATION_FAILURE: %v", s)
	}
}

// rule: io-devqueue-first
// rule: io-devqueue-second
// rule: io-devqueue-bykey
// rule: io-devqueue-remove-bykey
// rule: io-devqueue-remove-empty
// rule: io-devqueue-entry
// rule: io-devqueue-inserted-flag
func TestDeviceQueue(t *testing.T) {
	q, e := kit.New[KDEVICE_QUEUE](t), kit.New[[5]KDEVICE_QUEUE_ENTRY](t)
	KeInitializeDeviceQueue(q)
	kit.At(irql.Dispatch, func() {
		if KeInsertDeviceQueue(q, &e[0]) || e[0].Inserted != 0 {
			t.Error("an idle device's first request was queued")
		}
		for i, key := range []ULONG{5, 3, 5, 4} {
			if !KeInsertByKeyDeviceQueue(q, &e[i+1], key) || e[i+1].Inserted != 1 {
				t.Error("a busy device's request was not queued")
			}
		}
		if got := KeRemoveByKeyDeviceQueue(q, 4); got != &e[4] || got.Inserted != 0 {
			t.Errorf("first key not below 4: key %d, inserted %d", got.SortKey, got.Inserted)
		}
		if got := KeRemoveByKeyDeviceQueue(q, 9); got != &e[2] {
			t.Errorf("no key from 9 on: key %d", got.SortKey)
		}
		if got := KeRemoveDeviceQueue(q); got != &e[1] {
			t.Error("equal keys are not first in, first out")
		}
	})
	if !KeRemoveEntryDeviceQueue(q, &e[3]) || KeRemoveEntryDeviceQueue(q, &e[3]) {
		t.Error("removal of one entry")
	}
	kit.At(irql.Dispatch, func() {
		if KeRemoveDeviceQueue(q) != nil || KeInsertDeviceQueue(q, &e[0]) {
			t.Error("the device did not become idle")
		}
	})
}
