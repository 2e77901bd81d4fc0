// Package interlocked tests the rules of the Interlocked family, and some of
// routines that need no object.
package interlocked

import (
	"math"
	"testing"

	"irqlab/irql"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// rule: interlocked-increment
// rule: interlocked-cas
// rule: interlocked-wrap
func TestInterlocked(t *testing.T) {
	n := kit.New[LONG](t)
	for _, c := range []struct {
		what         string
		do           func() LONG
		result, left LONG
	}{
		{"increment", func() LONG { return InterlockedIncrement(n) }, 1, 1},
		{"increment", func() LONG { return InterlockedIncrement(n) }, 2, 2},
		{"decrement", func() LONG { return InterlockedDecrement(n) }, 1, 1},
		{"exchange", func() LONG { return InterlockedExchange(n, 12) }, 1, 12},
		{"exchange add", func() LONG { return InterlockedExchangeAdd(n, 3) }, 12, 15},
		{"and", func() LONG { return InterlockedAnd(n, 6) }, 15, 6},
		{"or", func() LONG { return InterlockedOr(n, 8) }, 6, 14},
		{"xor", func() LONG { return InterlockedXor(n, 2) }, 14, 12},
		{"compare exchange, equal", func() LONG { return InterlockedCompareExchange(n, 5, 12) }, 12, 5},
		{"compare exchange, other", func() LONG { return InterlockedCompareExchange(n, 7, 12) }, 5, 5},
		{"exchange", func() LONG { return InterlockedExchange(n, math.MaxInt32) }, 5, math.MaxInt32},
		{"increment of MAXLONG", func() LONG { return InterlockedIncrement(n) }, math.MinInt32, math.MinInt32},
	} {
		if r := c.do(); r != c.result || *n != c.left {
			t.Errorf("%s returns %d and leaves %d, want %d and %d", c.what, r, *n, c.result, c.left)
		}
	}
}

// rule: irql-memory-barrier-any
func TestAnyLevel(t *testing.T) {
	n := kit.New[LONG](t)
	for l := irql.Passive; l <= irql.High; l++ {
		var level irql.Level
		kit.At(l, func() {
			InterlockedIncrement(n)
			KeQueryInterruptTime()
			level = irql.Current()
		})
		if level != l {
			t.Errorf("at level %d it is %d afterwards", l, level)
		}
	}
	if *n != LONG(irql.High)+1 {
		t.Errorf("%d increments", *n)
	}
}

// rule: dpc-target-invalid
func TestInvalidTarget(t *testing.T) {
	d := kit.New[KDPC](t)
	KeInitializeDpc(d, func(*KDPC, PVOID, PVOID, PVOID) {}, nil)
	before := d.Number
	for _, p := range []PROCESSOR_NUMBER{{Group: 1}, {Number: UCHAR(kit.CPUs())}, {Reserved: 1}} {
		if s := KeSetTargetProcessorDpcEx(d, &p); s != STATUS_INVALID_PARAMETER || d.Number != before {
			t.Errorf("%+v: %v, target %d", p, s, d.Number)
		}
	}
}

// rule: wait-nt-badhandle
func TestHandles(t *testing.T) {
	if s := ZwWaitForSingleObject(0x7ffc, false, kit.NoTime); s != STATUS_INVALID_HANDLE {
		t.Errorf("no handle: %v", s)
	}
	leave := kit.New[KEVENT](t)
	KeInitializeEvent(leave, NotificationEvent, false)
	var h HANDLE
	if s := PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) {
		KeWaitForSingleObject(PVOID(leave), Executive, KernelMode, false, nil)
	}, nil); !NT_SUCCESS(s) {
		t.Fatal(s)
	}
	if s := ZwWaitForSingleObject(h, false, kit.NoTime); s != STATUS_TIMEOUT {
		t.Errorf("a thread that runs: %v", s)
	}
	KeSetEvent(leave, 0, false)
	if s := ZwWaitForSingleObject(h, false, kit.Ms(20_000)); s != STATUS_SUCCESS {
		t.Errorf("a thread that ends: %v", s)
	}
	if s := ZwClose(h); s != STATUS_SUCCESS {
		t.Errorf("close: %v", s)
	}
}

// rule: time-stall-bound
func TestStall(t *testing.T) {
	for _, l := range []irql.Level{irql.Passive, irql.Dispatch, irql.High} {
		var d uint64
		kit.At(l, func() {
			start := KeQueryInterruptTime()
			KeStallExecutionProcessor(50)
			d = KeQueryInterruptTime() - start
		})
		if d < 50*10 {
			t.Errorf("at level %d it took %d00 ns", l, d)
		}
	}
}
