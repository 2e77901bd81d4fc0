package apc

import (
	"math/bits"
	"runtime"
	"strconv"
	"testing"
	"unsafe"

	"irqlab/apc"
	"irqlab/kernel"
	"irqlab/tests/kit"
)

// work is sensitive to what an interruption might lose: flags (the carry of long
// additions), floating-point and integer registers, pointers that only registers
// hold, and memory that was allocated just before.
func work(n int) (sum [4]uint64, f float64, text string) {
	a, b, c := 1.0, 0.5, 0.25
	p := &node{}
	for i := range uint64(n) {
		x := i*0x9E3779B97F4A7C15 + 1
		var carry uint64
		for j := range sum {
			sum[j], carry = bits.Add64(sum[j], x<<j|x>>(64-j), carry)
		}
		a, b = a*1.0000001+b, b*0.9999999+c
		c = a/(b+1) - c*0.5
		p = &node{next: p, value: x}
	}
	for ; p.next != nil; p = p.next {
		sum[3] ^= p.value
	}
	return sum, a + b + c, strconv.FormatUint(sum[0], 36)
}

type node struct {
	next  *node
	value uint64
}

// TestStepped interrupts a computation after every instruction.
func TestStepped(t *testing.T) {
	const n = 20
	wantSum, wantF, wantText := work(n)
	var calls, steps int
	var garbage [][]byte
	a := kit.New[kernel.APC](t)
	kernel.OnStep = func() {
		steps++
		a.Insert(nil, nil, 0)
	}
	defer func() { kernel.OnStep = nil }()
	kit.Run(t, func() {
		apc.Init(a, self(), func(*kernel.APC, *kernel.NormalRoutine, *unsafe.Pointer, *unsafe.Pointer, *unsafe.Pointer) {}, nil,
			func(_, _, _ unsafe.Pointer) {
				calls++
				work(3)
				if garbage = append(garbage, make([]byte, 500)); len(garbage) > 100 {
					garbage = nil
				}
				if calls%200 == 0 {
					runtime.GC()
				}
			}, kernel.KernelMode, nil)
		step(true)
		sum, f, text := work(n)
		step(false)
		apc.Remove(a)
		if sum != wantSum || f != wantF || text != wantText {
			t.Errorf("%x %g %s, want %x %g %s", sum, f, text, wantSum, wantF, wantText)
		}
	})
	t.Logf("%d calls in %d steps", calls, steps)
	if calls < 100 {
		t.Errorf("%d calls in %d steps", calls, steps)
	}
}
