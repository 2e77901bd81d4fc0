package thread

import (
	"testing"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// last is the processor that tests pin threads to, and the set of it.
func last() (cpu uint32, set KAFFINITY) {
	cpu = kit.CPUs() - 1
	return cpu, 1 << cpu
}

// rule: thr-affinity-immediate
// rule: thr-affinity-invalid
// rule: thr-affinity-ex-return
func TestAffinity(t *testing.T) {
	run(t, func() {
		th := KeGetCurrentThread()
		own := th.Affinity & uint32(KeQueryActiveProcessors())
		for cpu := range kit.CPUs() {
			KeSetSystemAffinityThread(1 << cpu)
			if n := KeGetCurrentProcessorNumber(); n != cpu {
				t.Errorf("restricted to CPU %d, running on %d", cpu, n)
			}
		}
		KeRevertToUserAffinityThread()
		if th.Affinity != own {
			t.Errorf("reverted to %#x, want %#x", th.Affinity, own)
		}
		for _, set := range []KAFFINITY{0, 1 << 40, 1 << 20} {
			KeSetSystemAffinityThread(set)
			if th.Affinity&uint32(KeQueryActiveProcessors()) != own {
				t.Errorf("a set without a processor changed the affinity to %#x", th.Affinity)
			}
		}
		cpu, set := last()
		if was := KeSetSystemAffinityThreadEx(1); was != 0 {
			t.Errorf("the first call returned %#x", was)
		}
		was := KeSetSystemAffinityThreadEx(set)
		if was != 1 || KeGetCurrentProcessorNumber() != cpu {
			t.Errorf("the second call returned %#x", was)
		}
		KeRevertToUserAffinityThreadEx(was)
		if KeGetCurrentProcessorNumber() != 0 {
			t.Errorf("reverted to CPU 0, running on %d", KeGetCurrentProcessorNumber())
		}
		KeRevertToUserAffinityThreadEx(0)
		if th.Affinity != own {
			t.Errorf("reverted to %#x, want %#x", th.Affinity, own)
		}
	})
}

// rule: thr-affinity-deferred
// rule: irql-stable-cpu-number
func TestAffinityAtDispatch(t *testing.T) {
	kit.NeedCPUs(t, 2)
	run(t, func() {
		KeSetSystemAffinityThread(1)
		var old KIRQL
		KeRaiseIrql(DISPATCH_LEVEL, &old)
		KeSetSystemAffinityThread(2)
		KeStallExecutionProcessor(50_000)
		raised := KeGetCurrentProcessorNumber()
		KeLowerIrql(old)
		if n := KeGetCurrentProcessorNumber(); raised != 0 || n != 1 {
			t.Errorf("at DISPATCH_LEVEL on CPU %d, below on %d", raised, n)
		}
		KeRevertToUserAffinityThread()
	})
}

// A thread's own set changes while another is in force: it takes effect once that
// is reverted.
func TestAffinityOfUser(t *testing.T) {
	kit.NeedCPUs(t, 2)
	run(t, func() {
		th := KeGetCurrentThread()
		active := KeQueryActiveProcessors()
		KeSetSystemAffinityThread(1)
		if was := KeSetAffinityThread(th, 2); was != active || th.Affinity != 1 {
			t.Errorf("the set before was %#x, now it runs on %#x", was, th.Affinity)
		}
		if was := KeSetAffinityThread(th, active); was != 2 {
			t.Errorf("the second time the set before was %#x", was)
		}
		KeSetAffinityThread(th, 2)
		if n := KeGetCurrentProcessorNumber(); n != 0 {
			t.Errorf("it moved to CPU %d", n)
		}
		KeRevertToUserAffinityThread()
		if n := KeGetCurrentProcessorNumber(); n != 1 || th.Affinity != 2 {
			t.Errorf("reverted, it runs on CPU %d of %#x", n, th.Affinity)
		}
		if was := KeSetAffinityThread(th, active); was != 2 {
			t.Errorf("the set before was %#x", was)
		}
	})
}

// A thread that is ready, but has no turn, moves as well.
func TestAffinityOfReady(t *testing.T) {
	kit.NeedCPUs(t, 2)
	e := event(t, NotificationEvent)
	th := start(t, func() { wait(PVOID(e)) })
	kit.AwaitWaiters(t, &e.Header, 1)
	KeSetAffinityThread(th, 1)
	var before, after kernel.State
	var from, to uint32
	kit.Run(t, func() {
		kit.OnCPU(0)
		kit.Kernel(func() {
			old := irql.Raise(irql.Dispatch)
			kernel.SignalHeader(&e.Header, 0)
			before, from = th.State, th.CPU
			th.SetAffinity(2)
			after, to = th.State, th.CPU
			irql.Lower(old)
		})
	})
	join(t, th)
	if before != kernel.StateReady || from != 0 || to != 1 {
		t.Errorf("it was in state %d on CPU %d, and then in state %d on CPU %d", before, from, after, to)
	}
}
