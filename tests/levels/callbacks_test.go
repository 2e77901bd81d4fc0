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
		devices(c, func(_ PKINTERRUPT, l KIRQL) {
			kit.Interrupt(l)
			kit.Until(c, "an interrupt", func() bool { return seen.Load()&(1<<l) != 0 })
		})
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
	"IO_DPC_ROUTINE": func(c *caller) {
		d := kit.New[DEVICE_OBJECT](c)
		IoInitializeDpcRequest(d, func(PKDPC, PDEVICE_OBJECT, PVOID, PVOID) { note() })
		kit.At(irql.DeviceMin, func() { IoRequestDpc(d, nil, nil) })
		KeFlushQueuedDpcs()
	},
	"IO_TIMER_ROUTINE": func(c *caller) {
		IoInitializeTimer(&timed, func(PDEVICE_OBJECT, PVOID) { note() }, nil)
		IoStartTimer(&timed)
		kit.Until(c, "a second", func() bool { return seen.Load() != 0 })
		IoStopTimer(&timed)
	},
	"EXT_CALLBACK": func(c *caller) {
		m := ExAllocateTimer(func(PEX_TIMER, PVOID) { note() }, nil, 0)
		ExSetTimer(m, -1, 0, nil)
		take(PVOID(m))
		KeFlushQueuedDpcs()
		ExDeleteTimer(m, true, true, nil)
	},
	"EXT_DELETE_CALLBACK": func(c *caller) {
		p := EXT_DELETE_PARAMETERS{DeleteCallback: func(PVOID) { note() }}
		ExDeleteTimer(exTimer(), true, true, &p)
	},
	"EXPAND_STACK_CALLOUT": func(c *caller) {
		atEach(DISPATCH_LEVEL, func() {
			KeExpandKernelStackAndCalloutEx(func(PVOID) { note() }, nil, 4096, false, nil)
		})
	},
	"PCREATE_THREAD_NOTIFY_ROUTINE": func(c *caller) {
		told := func(HANDLE, HANDLE, BOOLEAN) { note() }
		PsSetCreateThreadNotifyRoutine(told)
		var h HANDLE
		PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) {}, nil)
		ZwWaitForSingleObject(h, false, nil)
		ZwClose(h)
		PsRemoveCreateThreadNotifyRoutine(told)
	},
	"RTL_RUN_ONCE_INIT_FN": func(c *caller) {
		atEach(APC_LEVEL, func() {
			RtlRunOnceExecuteOnce(new(RTL_RUN_ONCE), func(PRTL_RUN_ONCE, PVOID, *PVOID) ULONG { note(); return 1 }, nil, nil)
		})
	},
}

// narrower are callbacks that this kernel calls at fewer levels than it may.
var narrower = map[string]*spec.Levels{"PCREATE_THREAD_NOTIFY_ROUTINE": passive}

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
			levels := rows[i].Levels
			if n := narrower[name]; n != nil {
				levels = *n
			}
			var want uint32
			for l := levels.Min; l <= levels.Max; l++ {
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
