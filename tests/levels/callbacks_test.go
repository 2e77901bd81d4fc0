package levels

import (
	"slices"
	"sync/atomic"
	"testing"

	"irqlab/internal/spec"
	"irqlab/irql"
	"irqlab/pool"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// seen are the levels that a callback has been called at, one bit each.
var seen atomic.Uint32

func note() { seen.Or(1 << KeGetCurrentIrql()) }

func noteDPC(PKDPC, PVOID, PVOID, PVOID) { note() }

func noteInterrupt(PKINTERRUPT, PVOID) BOOLEAN { note(); return true }

func noteSynchronized(PVOID) BOOLEAN { note(); return true }

func noteBroadcast(ULONG_PTR) ULONG_PTR { note(); return 0 }

func noteAllocation(_ uint32, size uintptr, _ pool.Tag, _ PLOOKASIDE_LIST_EX) PVOID {
	note()
	return ExAllocatePool2(POOL_FLAG_NON_PAGED, size, tag)
}

func noteFree(p PVOID, _ PLOOKASIDE_LIST_EX) { note(); ExFreePool(p) }

// devices runs fn with a connected interrupt for each level that a device can
// have.
func devices(c *caller, fn func(i PKINTERRUPT, level KIRQL)) {
	for l := irql.DeviceMin; l <= irql.DeviceMax; l++ {
		var i PKINTERRUPT
		if s := IoConnectInterrupt(&i, noteInterrupt, nil, nil, SoftwareVector, l, l, Latched, false, 1, false); s != STATUS_SUCCESS {
			c.Fatal(s)
		}
		fn(i, l)
		IoDisconnectInterrupt(i)
	}
}

// atEach runs fn at each level up to max.
func atEach(max KIRQL, fn func()) {
	for l := irql.Passive; l <= max; l++ {
		kit.At(l, fn)
	}
}

// callbacks makes the kernel call each documented routine that drivers provide,
// at each level that it may be called at.
var callbacks = map[string]func(c *caller){
	"KSTART_ROUTINE": func(c *caller) {
		var h HANDLE
		PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) { note() }, nil)
		ZwWaitForSingleObject(h, false, nil)
		ZwClose(h)
	},
	"KDEFERRED_ROUTINE": func(c *caller) {
		d := kit.New[KDPC](c)
		KeInitializeDpc(d, noteDPC, nil)
		KeInsertQueueDpc(d, nil, nil)
		KeFlushQueuedDpcs()
	},
	"KSERVICE_ROUTINE": func(c *caller) {
		devices(c, func(_ PKINTERRUPT, l KIRQL) { kit.Interrupt(l) })
	},
	"KSYNCHRONIZE_ROUTINE": func(c *caller) {
		devices(c, func(i PKINTERRUPT, _ KIRQL) { KeSynchronizeExecution(i, noteSynchronized, nil) })
	},
	"KIPI_BROADCAST_WORKER": func(c *caller) { KeIpiGenericCall(noteBroadcast, 0) },
	"IO_WORKITEM_ROUTINE": func(c *caller) {
		w, done := IoAllocateWorkItem(nil), make(chan bool)
		IoQueueWorkItem(w, func(PVOID, PVOID) { note(); close(done) }, DelayedWorkQueue, nil)
		<-done
		IoFreeWorkItem(w)
	},
	"IO_WORKITEM_ROUTINE_EX": func(c *caller) {
		w, done := IoAllocateWorkItem(nil), make(chan bool)
		IoQueueWorkItemEx(w, func(PVOID, PVOID, PIO_WORKITEM) { note(); close(done) }, DelayedWorkQueue, nil)
		<-done
		IoFreeWorkItem(w)
	},
	"ALLOCATE_FUNCTION_EX": func(c *caller) { noteLookaside(c, noteAllocation, nil) },
	"FREE_FUNCTION_EX":     func(c *caller) { noteLookaside(c, nil, noteFree) },
	"RTL_RUN_ONCE_INIT_FN": func(c *caller) {
		atEach(APC_LEVEL, func() {
			RtlRunOnceExecuteOnce(new(RTL_RUN_ONCE), func(PRTL_RUN_ONCE, PVOID, *PVOID) ULONG { note(); return 1 }, nil, nil)
		})
	},
}

// noteLookaside fills and empties a lookaside list at each level.
func noteLookaside(c *caller, allocate PALLOCATE_FUNCTION_EX, free PFREE_FUNCTION_EX) {
	l := kit.New[LOOKASIDE_LIST_EX](c)
	if s := ExInitializeLookasideListEx(l, allocate, free, NonPagedPoolNx, 0, 64, tag, 0); s != STATUS_SUCCESS {
		c.Fatal(s)
	}
	atEach(DISPATCH_LEVEL, func() {
		ExFreeToLookasideListEx(l, ExAllocateFromLookasideListEx(l))
		ExDeleteLookasideListEx(l)
	})
}

// rule: irql-ddi-verifier
func TestCallbacks(t *testing.T) {
	rows := spec.Routines()
	for name, provoke := range callbacks {
		t.Run(name, func(t *testing.T) {
			i := slices.IndexFunc(rows, func(r spec.Routine) bool { return r.Name == name })
			if i < 0 {
				t.Fatal("no such routine")
			}
			var want uint32
			for l := rows[i].Levels.Min; l <= rows[i].Levels.Max; l++ {
				want |= 1 << l
			}
			seen.Store(0)
			kit.Run(t, func() {
				c := &caller{T: t}
				provoke(c)
				c.clean()
			}, func() { kit.OnCPU(0) })
			if got := seen.Load(); got != want {
				t.Errorf("called at levels %#b, want %#b", got, want)
			}
		})
	}
}
