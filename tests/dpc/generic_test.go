package dpc

import (
	"sync"
	"sync/atomic"
	"testing"

	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// meeting is what the routines of a generic call leave behind.
type meeting struct {
	calls   [64]uint32 // by processor
	before  uint32     // routines that have not passed the first rendezvous
	late    uint32     // routines that passed it too early
	chosen  [3]uint32  // by round: routines that were told they are the one
	running uint32     // routines that have not signalled
	level   KIRQL
}

const rounds = len(meeting{}.chosen)

func meets(_ PKDPC, context, done, rendezvous PVOID) {
	m := (*meeting)(context)
	atomic.AddUint32(&m.running, 1)
	m.level = KeGetCurrentIrql()
	atomic.AddUint32(&m.calls[KeGetCurrentProcessorNumber()], 1)
	KeStallExecutionProcessor(50 * KeGetCurrentProcessorNumber())
	atomic.AddUint32(&m.before, ^uint32(0))
	for i := range rounds {
		if KeSignalCallDpcSynchronize(rendezvous) {
			atomic.AddUint32(&m.chosen[i], 1)
		}
		if atomic.LoadUint32(&m.before) != 0 {
			atomic.AddUint32(&m.late, 1)
		}
	}
	atomic.AddUint32(&m.running, ^uint32(0))
	KeSignalCallDpcDone(done)
}

// rule: dpc-generic-call
// rule: dpc-generic-sync
func TestGenericCall(t *testing.T) {
	n := kit.CPUs()
	m := kit.New[meeting](t)
	m.before = n
	KeGenericCallDpc(meets, PVOID(m))
	if r := atomic.LoadUint32(&m.running); r != 0 {
		t.Errorf("%d routines were not done", r)
	}
	for cpu, calls := range m.calls {
		if want := uint32(0); calls != want && uint32(cpu) >= n || uint32(cpu) < n && calls != 1 {
			t.Errorf("processor %d: %d calls", cpu, calls)
		}
	}
	if m.late != 0 || m.level != DISPATCH_LEVEL {
		t.Errorf("%d passed the rendezvous before all had come; level %d", m.late, m.level)
	}
	for i, c := range m.chosen {
		if c != 1 {
			t.Errorf("round %d: KeSignalCallDpcSynchronize was true on %d processors", i, c)
		}
	}
}

// TestGenericCalls: calls at the same time do not wait for each other for ever.
func TestGenericCalls(t *testing.T) {
	var all sync.WaitGroup
	for range 4 {
		m := kit.New[meeting](t)
		all.Go(func() {
			for range 5 {
				m.before = kit.CPUs()
				KeGenericCallDpc(meets, PVOID(m))
			}
		})
	}
	all.Wait()
}
