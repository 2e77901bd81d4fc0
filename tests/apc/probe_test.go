package apc

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/apc"
	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
)

// log is what happened, in order. Kernel routines write it, so it is resident:
// letters in an array.
type log struct {
	n    atomic.Int32
	what [64]byte
}

func (l *log) add(c byte) { l.what[l.n.Add(1)-1] = c }

func (l *log) String() string { return string(l.what[:l.n.Load()]) }

// probe is an APC that logs its routines: the kernel routine as a lower-case
// letter, the normal routine as the upper-case one.
type probe struct {
	a      *kernel.APC
	log    *log
	letter byte

	kernelLevel, normalLevel irql.Level
	kernelThread             *kernel.Thread
	normalThread             *kernel.Thread
	inserted                 bool   // when the kernel routine ran
	inKernel                 bool   // the kernel routine did
	during                   func() // by the normal routine
	kernelDuring             func() // by the kernel routine
}

type kind int

const (
	special kind = iota
	normal
	user
)

func newProbe(t testing.TB, th *kernel.Thread, k kind, l *log, letter byte) *probe {
	p := &probe{a: kit.New[kernel.APC](t), log: l, letter: letter}
	kernelRoutine := func(a *kernel.APC, _ *kernel.NormalRoutine, _, _, _ *unsafe.Pointer) {
		p.kernelLevel, p.kernelThread = irql.Current(), kernel.Current()
		p.inserted, p.inKernel = a.Inserted, arch.InKernel()
		p.log.add(p.letter)
		if p.kernelDuring != nil {
			p.kernelDuring()
		}
	}
	normalRoutine := func(_, _, _ unsafe.Pointer) {
		p.normalLevel, p.normalThread = irql.Current(), kernel.Current()
		p.log.add(p.letter - 'a' + 'A')
		if p.during != nil {
			p.during()
		}
	}
	// A thread that ends before its APC is delivered would free the APC, which
	// is the test's.
	rundown := func(*kernel.APC) {}
	switch k {
	case special:
		apc.Init(p.a, th, kernelRoutine, rundown, nil, kernel.KernelMode, nil)
	case normal:
		apc.Init(p.a, th, kernelRoutine, rundown, normalRoutine, kernel.KernelMode, nil)
	case user:
		apc.Init(p.a, th, kernelRoutine, rundown, normalRoutine, kernel.UserMode, nil)
	}
	return p
}

func (p *probe) insert() bool { return apc.Insert(p.a, nil, nil, 0) }

// alertable waits for no time, alertable in UserMode, which lets user APCs in.
func alertable() ntstatus.Status { return sync.Delay(-1, true, kernel.UserMode) }

func self() *kernel.Thread { return kernel.Current() }

func expect(t testing.TB, what string, l *log, want string) {
	t.Helper()
	if got := l.String(); got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}
