package levels

import (
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() {
	add(interlockedProbes)
	add(listProbes)
	add(lookasideProbes)
	add(rundownProbes)
	add(deviceQueueProbes)
}

// Targets of interlocked operations; what they hold does not matter here.
var (
	target   = new(LONG)
	target64 = new(LONG64)
)

var interlockedProbes = map[string]probe{
	"InterlockedIncrement":         simply(func() { InterlockedIncrement(target) }),
	"InterlockedDecrement":         simply(func() { InterlockedDecrement(target) }),
	"InterlockedExchange":          simply(func() { InterlockedExchange(target, 1) }),
	"InterlockedExchangeAdd":       simply(func() { InterlockedExchangeAdd(target, 1) }),
	"InterlockedCompareExchange":   simply(func() { InterlockedCompareExchange(target, 1, 1) }),
	"InterlockedAnd":               simply(func() { InterlockedAnd(target, 1) }),
	"InterlockedOr":                simply(func() { InterlockedOr(target, 1) }),
	"InterlockedXor":               simply(func() { InterlockedXor(target, 1) }),
	"InterlockedIncrement64":       simply(func() { InterlockedIncrement64(target64) }),
	"InterlockedDecrement64":       simply(func() { InterlockedDecrement64(target64) }),
	"InterlockedExchange64":        simply(func() { InterlockedExchange64(target64, 1) }),
	"InterlockedExchangeAdd64":     simply(func() { InterlockedExchangeAdd64(target64, 1) }),
	"InterlockedCompareExchange64": simply(func() { InterlockedCompareExchange64(target64, 1, 1) }),
	"InterlockedBitTestAndSet":     simply(func() { InterlockedBitTestAndSet(target, 1) }),
	"InterlockedBitTestAndReset":   simply(func() { InterlockedBitTestAndReset(target, 1) }),

	"ExInterlockedAddUlong": {call: func(c *caller) {
		l, n := spinLock(c), kit.New[ULONG](c)
		if c.at(func() { ExInterlockedAddUlong(n, 2, l) }) {
			c.want(*n == 2, "%d", *n)
		}
	}},
	"ExInterlockedAddLargeInteger": {call: func(c *caller) {
		l, n := spinLock(c), kit.New[LARGE_INTEGER](c)
		if c.at(func() { ExInterlockedAddLargeInteger(n, 2, l) }) {
			c.want(*n == 2, "%d", *n)
		}
	}},
	"ExInterlockedAddLargeStatistic": simply(func() { ExInterlockedAddLargeStatistic(target64, 1) }),
	"ExInterlockedCompareExchange64": {call: func(c *caller) {
		l := spinLock(c)
		c.at(func() { ExInterlockedCompareExchange64(target64, target64, target64, l) })
	}},
	"ExInterlockedInsertHeadList": {call: func(c *caller) { l, h, e := list(c); c.at(func() { ExInterlockedInsertHeadList(h, e, l) }) }},
	"ExInterlockedInsertTailList": {call: func(c *caller) { l, h, e := list(c); c.at(func() { ExInterlockedInsertTailList(h, e, l) }) }},
	"ExInterlockedRemoveHeadList": {call: func(c *caller) {
		l, h, e := list(c)
		InsertTailList(h, e)
		c.at(func() { ExInterlockedRemoveHeadList(h, l) })
		c.want(IsListEmpty(h), "not empty")
	}},
	"ExInterlockedPushEntryList": {call: func(c *caller) {
		l, h, e := spinLock(c), kit.New[SINGLE_LIST_ENTRY](c), kit.New[SINGLE_LIST_ENTRY](c)
		c.at(func() { ExInterlockedPushEntryList(h, e, l) })
	}},
	"ExInterlockedPopEntryList": {call: func(c *caller) {
		l, h, e := spinLock(c), kit.New[SINGLE_LIST_ENTRY](c), kit.New[SINGLE_LIST_ENTRY](c)
		ExInterlockedPushEntryList(h, e, l)
		var got PSINGLE_LIST_ENTRY
		c.at(func() { got = ExInterlockedPopEntryList(h, l) })
		c.want(got == e, "another entry")
	}},
}

// list returns a lock, an empty list, and an entry.
func list(c *caller) (PKSPIN_LOCK, PLIST_ENTRY, PLIST_ENTRY) {
	h := kit.New[LIST_ENTRY](c)
	InitializeListHead(h)
	return spinLock(c), h, kit.New[LIST_ENTRY](c)
}

// onList probes a routine on a list of one entry.
func onList(routine func(head, entry PLIST_ENTRY)) probe {
	return probe{call: func(c *caller) {
		_, h, e := list(c)
		InsertTailList(h, e)
		c.at(func() { routine(h, e) })
		c.want(IsListEmpty(h), "not empty")
	}}
}

// inserts probes an insertion into an empty list.
func inserts(routine func(head, entry PLIST_ENTRY)) probe {
	return probe{call: func(c *caller) {
		_, h, e := list(c)
		c.at(func() { routine(h, e) })
		c.want(h.Flink == e && h.Blink == e, "not inserted")
	}}
}

// onSList probes a routine on an S-list of one entry.
func onSList(routine func(head PSLIST_HEADER, lock PKSPIN_LOCK) PSLIST_ENTRY) probe {
	return probe{call: func(c *caller) {
		h, e, l := kit.New[SLIST_HEADER](c), kit.New[SLIST_ENTRY](c), spinLock(c)
		InitializeSListHead(h)
		InterlockedPushEntrySList(h, e)
		var got PSLIST_ENTRY
		c.at(func() { got = routine(h, l) })
		c.want(got == e, "another entry")
	}}
}

// pushes probes an insertion into an empty S-list.
func pushes(routine func(head PSLIST_HEADER, entry PSLIST_ENTRY, lock PKSPIN_LOCK) PSLIST_ENTRY) probe {
	return probe{call: func(c *caller) {
		h, e, l := kit.New[SLIST_HEADER](c), kit.New[SLIST_ENTRY](c), spinLock(c)
		InitializeSListHead(h)
		c.at(func() { routine(h, e, l) })
		c.want(FirstEntrySList(h) == e, "another entry")
	}}
}

var listProbes = map[string]probe{
	"InitializeListHead": {call: func(c *caller) { h := kit.New[LIST_ENTRY](c); c.at(func() { InitializeListHead(h) }) }},
	"InsertHeadList":     inserts(InsertHeadList),
	"InsertTailList":     inserts(InsertTailList),
	"RemoveEntryList":    onList(func(_, e PLIST_ENTRY) { RemoveEntryList(e) }),
	"RemoveHeadList":     onList(func(h, _ PLIST_ENTRY) { RemoveHeadList(h) }),
	"RemoveTailList":     onList(func(h, _ PLIST_ENTRY) { RemoveTailList(h) }),
	"IsListEmpty": {call: func(c *caller) {
		_, h, _ := list(c)
		empty := false
		c.at(func() { empty = IsListEmpty(h) })
		c.want(empty, "not empty")
	}},
	"InitializeSListHead": {call: func(c *caller) { h := kit.New[SLIST_HEADER](c); c.at(func() { InitializeSListHead(h) }) }},
	"ExQueryDepthSList": {call: func(c *caller) {
		h, n := kit.New[SLIST_HEADER](c), USHORT(1)
		InitializeSListHead(h)
		if c.at(func() { n = ExQueryDepthSList(h) }) {
			c.want(n == 0, "%d entries", n)
		}
	}},
	"FirstEntrySList":            onSList(func(h PSLIST_HEADER, _ PKSPIN_LOCK) PSLIST_ENTRY { return FirstEntrySList(h) }),
	"InterlockedPopEntrySList":   onSList(func(h PSLIST_HEADER, _ PKSPIN_LOCK) PSLIST_ENTRY { return InterlockedPopEntrySList(h) }),
	"InterlockedFlushSList":      onSList(func(h PSLIST_HEADER, _ PKSPIN_LOCK) PSLIST_ENTRY { return InterlockedFlushSList(h) }),
	"ExInterlockedPopEntrySList": onSList(ExInterlockedPopEntrySList),
	"ExInterlockedFlushSList":    onSList(func(h PSLIST_HEADER, _ PKSPIN_LOCK) PSLIST_ENTRY { return ExInterlockedFlushSList(h) }),
	"InterlockedPushEntrySList": pushes(func(h PSLIST_HEADER, e PSLIST_ENTRY, _ PKSPIN_LOCK) PSLIST_ENTRY {
		return InterlockedPushEntrySList(h, e)
	}),
	"ExInterlockedPushEntrySList": pushes(ExInterlockedPushEntrySList),
}

// lookaside returns a lookaside list of a kind of pool.
func lookaside(c *caller, pool POOL_TYPE) PLOOKASIDE_LIST_EX {
	l := kit.New[LOOKASIDE_LIST_EX](c)
	ExInitializeLookasideListEx(l, nil, nil, pool, 0, 64, tag, 0)
	return l
}

// gets and puts probe a lookaside list's use, empties its end.
func gets(pool POOL_TYPE, get func(PLOOKASIDE_LIST_EX) PVOID) func(c *caller) {
	return func(c *caller) {
		l := lookaside(c, pool)
		var p PVOID
		if c.at(func() { p = get(l) }) {
			c.want(p != nil, "no memory")
			ExFreeToLookasideListEx(l, p)
		}
		ExDeleteLookasideListEx(l)
	}
}

func puts(pool POOL_TYPE, put func(PLOOKASIDE_LIST_EX, PVOID)) func(c *caller) {
	return func(c *caller) {
		l := lookaside(c, pool)
		p := ExAllocateFromLookasideListEx(l)
		if !c.at(func() { put(l, p) }) {
			put(l, p)
		}
		ExDeleteLookasideListEx(l)
	}
}

func empties(pool POOL_TYPE, flush func(PLOOKASIDE_LIST_EX)) func(c *caller) {
	return func(c *caller) {
		l := lookaside(c, pool)
		ExFreeToLookasideListEx(l, ExAllocateFromLookasideListEx(l))
		if !c.at(func() { flush(l) }) {
			flush(l)
		}
	}
}

// begins probes the making of a lookaside list.
func begins(init func(PLOOKASIDE_LIST_EX)) func(c *caller) {
	return func(c *caller) { l := kit.New[LOOKASIDE_LIST_EX](c); c.at(func() { init(l) }) }
}

var lookasideProbes = map[string]probe{
	"ExInitializeNPagedLookasideList":     {call: begins(func(l PNPAGED_LOOKASIDE_LIST) { ExInitializeNPagedLookasideList(l, nil, nil, 0, 64, tag, 0) })},
	"ExAllocateFromNPagedLookasideList":   {call: gets(NonPagedPool, ExAllocateFromNPagedLookasideList)},
	"ExFreeToNPagedLookasideList":         {call: puts(NonPagedPool, ExFreeToNPagedLookasideList)},
	"ExDeleteNPagedLookasideList":         {call: empties(NonPagedPool, ExDeleteNPagedLookasideList)},
	"ExInitializePagedLookasideList":      {call: begins(func(l PPAGED_LOOKASIDE_LIST) { ExInitializePagedLookasideList(l, nil, nil, 0, 64, tag, 0) })},
	"ExAllocateFromPagedLookasideList":    {call: gets(PagedPool, ExAllocateFromPagedLookasideList)},
	"ExFreeToPagedLookasideList":          {call: puts(PagedPool, ExFreeToPagedLookasideList)},
	"ExDeletePagedLookasideList":          {call: empties(PagedPool, ExDeletePagedLookasideList)},
	"ExInitializeLookasideListEx":         {call: begins(func(l PLOOKASIDE_LIST_EX) { ExInitializeLookasideListEx(l, nil, nil, NonPagedPoolNx, 0, 64, tag, 0) })},
	"ExAllocateFromLookasideListEx":       {call: gets(NonPagedPoolNx, ExAllocateFromLookasideListEx)},
	"ExAllocateFromLookasideListEx Paged": {levels: atMostAPC, call: gets(PagedPool, ExAllocateFromLookasideListEx)},
	"ExFreeToLookasideListEx":             {call: puts(NonPagedPoolNx, ExFreeToLookasideListEx)},
	"ExFreeToLookasideListEx Paged":       {levels: atMostAPC, call: puts(PagedPool, ExFreeToLookasideListEx)},
	"ExDeleteLookasideListEx":             {call: empties(NonPagedPoolNx, ExDeleteLookasideListEx)},
	"ExDeleteLookasideListEx Paged":       {levels: atMostAPC, call: empties(PagedPool, ExDeleteLookasideListEx)},
	"ExFlushLookasideListEx":              {call: empties(NonPagedPoolNx, ExFlushLookasideListEx)},
	"ExFlushLookasideListEx Paged":        {levels: atMostAPC, call: empties(PagedPool, ExFlushLookasideListEx)},
}

// onRundown probes a routine of a run-down reference, begun with users.
func onRundown(users ULONG, routine func(PEX_RUNDOWN_REF)) probe {
	return probe{call: func(c *caller) {
		r := kit.New[EX_RUNDOWN_REF](c)
		ExInitializeRundownProtection(r)
		if users != 0 {
			ExAcquireRundownProtectionEx(r, users)
		}
		c.at(func() { routine(r) })
	}}
}

var rundownProbes = map[string]probe{
	"ExInitializeRundownProtection": onRundown(0, ExInitializeRundownProtection),
	"ExReInitializeRundownProtection": {call: func(c *caller) {
		r := kit.New[EX_RUNDOWN_REF](c)
		ExInitializeRundownProtection(r)
		ExWaitForRundownProtectionRelease(r)
		c.at(func() { ExReInitializeRundownProtection(r) })
	}},
	"ExAcquireRundownProtection":        onRundown(0, func(r PEX_RUNDOWN_REF) { ExAcquireRundownProtection(r) }),
	"ExAcquireRundownProtectionEx":      onRundown(0, func(r PEX_RUNDOWN_REF) { ExAcquireRundownProtectionEx(r, 2) }),
	"ExReleaseRundownProtection":        onRundown(1, ExReleaseRundownProtection),
	"ExReleaseRundownProtectionEx":      onRundown(2, func(r PEX_RUNDOWN_REF) { ExReleaseRundownProtectionEx(r, 2) }),
	"ExWaitForRundownProtectionRelease": onRundown(0, ExWaitForRundownProtectionRelease),
	"ExRundownCompleted": {call: func(c *caller) {
		r := kit.New[EX_RUNDOWN_REF](c)
		ExInitializeRundownProtection(r)
		ExWaitForRundownProtectionRelease(r)
		c.at(func() { ExRundownCompleted(r) })
	}},

	"RtlRunOnceInitialize": {call: func(c *caller) { o := kit.New[RTL_RUN_ONCE](c); c.at(func() { RtlRunOnceInitialize(o) }) }},
	"RtlRunOnceBeginInitialize": {call: func(c *caller) {
		o, s := kit.New[RTL_RUN_ONCE](c), STATUS_SUCCESS
		if c.at(func() { s = RtlRunOnceBeginInitialize(o, 0, nil) }) {
			c.want(s == STATUS_PENDING, "status %v", s)
		}
	}},
	"RtlRunOnceComplete": {call: func(c *caller) {
		o, s := kit.New[RTL_RUN_ONCE](c), STATUS_UNSUCCESSFUL
		RtlRunOnceBeginInitialize(o, 0, nil)
		if c.at(func() { s = RtlRunOnceComplete(o, 0, nil) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"RtlRunOnceExecuteOnce": {call: func(c *caller) {
		o, s := kit.New[RTL_RUN_ONCE](c), STATUS_UNSUCCESSFUL
		if c.at(func() {
			s = RtlRunOnceExecuteOnce(o, func(PRTL_RUN_ONCE, PVOID, *PVOID) ULONG { return 1 }, nil, nil)
		}) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},

	"IoInitializeRemoveLock": {call: func(c *caller) {
		l := kit.New[IO_REMOVE_LOCK](c)
		c.at(func() { IoInitializeRemoveLock(l, 0, 0, 0) })
	}},
	"IoAcquireRemoveLock": {call: func(c *caller) {
		l, s := removeLock(c), STATUS_UNSUCCESSFUL
		if c.at(func() { s = IoAcquireRemoveLock(l, nil) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"IoReleaseRemoveLock": {call: func(c *caller) {
		l := removeLock(c)
		IoAcquireRemoveLock(l, nil)
		c.at(func() { IoReleaseRemoveLock(l, nil) })
	}},
	"IoReleaseRemoveLockAndWait": {call: func(c *caller) {
		l := removeLock(c)
		IoAcquireRemoveLock(l, nil)
		c.at(func() { IoReleaseRemoveLockAndWait(l, nil) })
	}},
}

func removeLock(c *caller) PIO_REMOVE_LOCK {
	l := kit.New[IO_REMOVE_LOCK](c)
	IoInitializeRemoveLock(l, 0, 0, 0)
	return l
}

// onDeviceQueue probes a routine on a busy device queue with one entry.
func onDeviceQueue(entries int, routine func(PKDEVICE_QUEUE, PKDEVICE_QUEUE_ENTRY)) probe {
	return probe{call: func(c *caller) {
		q, e := kit.New[KDEVICE_QUEUE](c), kit.New[KDEVICE_QUEUE_ENTRY](c)
		KeInitializeDeviceQueue(q)
		kit.At(DISPATCH_LEVEL, func() {
			KeInsertDeviceQueue(q, e) // it is busy now, and e is not in the queue
			if entries != 0 {
				KeInsertDeviceQueue(q, e)
			}
		})
		c.at(func() { routine(q, e) })
	}}
}

var deviceQueueProbes = map[string]probe{
	"KeInitializeDeviceQueue": {call: func(c *caller) {
		q := kit.New[KDEVICE_QUEUE](c)
		c.at(func() { KeInitializeDeviceQueue(q) })
	}},
	"KeInsertDeviceQueue":      onDeviceQueue(0, func(q PKDEVICE_QUEUE, e PKDEVICE_QUEUE_ENTRY) { KeInsertDeviceQueue(q, e) }),
	"KeInsertByKeyDeviceQueue": onDeviceQueue(0, func(q PKDEVICE_QUEUE, e PKDEVICE_QUEUE_ENTRY) { KeInsertByKeyDeviceQueue(q, e, 1) }),
	"KeRemoveDeviceQueue":      onDeviceQueue(1, func(q PKDEVICE_QUEUE, _ PKDEVICE_QUEUE_ENTRY) { KeRemoveDeviceQueue(q) }),
	"KeRemoveByKeyDeviceQueue": onDeviceQueue(1, func(q PKDEVICE_QUEUE, _ PKDEVICE_QUEUE_ENTRY) { KeRemoveByKeyDeviceQueue(q, 1) }),
	"KeRemoveEntryDeviceQueue": onDeviceQueue(1, func(q PKDEVICE_QUEUE, e PKDEVICE_QUEUE_ENTRY) { KeRemoveEntryDeviceQueue(q, e) }),
}
