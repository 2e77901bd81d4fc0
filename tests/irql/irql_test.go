// Package irql tests the rules of area irql.
package irql

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/dpc"
	"irqlab/intr"
	"irqlab/ipi"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/tests/kit"
)

// rule: irql-raise-returns-old
// rule: irql-raise-same-ok
// rule: irql-raisetodpc-from-passive
func TestRaise(t *testing.T) {
	defer kit.Stay()()
	var bad [16][16]bool
	for from := irql.Passive; from <= irql.High; from++ {
		for to := from; to <= irql.High; to++ {
			old := irql.Raise(from)
			was := irql.Raise(to)
			now := irql.Current()
			irql.Lower(was)
			back := irql.Current()
			irql.Lower(old)
			bad[from][to] = old != irql.Passive || was != from || now != to || back != from || irql.Current() != irql.Passive
		}
	}
	for from := range bad {
		for to := range bad[from] {
			if bad[from][to] {
				t.Errorf("raise from %d to %d and back", from, to)
			}
		}
	}
}

// TestRaiseInKernel does the same in kernel context.
func TestRaiseInKernel(t *testing.T) {
	defer kit.Stay()()
	bad := 0
	kit.Kernel(func() {
		for from := irql.Passive; from <= irql.High; from++ {
			for to := from; to <= irql.High; to++ {
				old := irql.Raise(from)
				was := irql.Raise(to)
				now := irql.Current()
				irql.Lower(was)
				back := irql.Current()
				irql.Lower(old)
				if was != from || now != to || back != from || irql.Current() != old {
					bad++
				}
			}
		}
	})
	if bad != 0 {
		t.Errorf("%d wrong raises", bad)
	}
}

// trail is where service routines leave the order they ran in.
type trail struct {
	n       uint32
	levels  [32]irql.Level
	deepest uintptr // stack address
}

func (r *trail) add(l irql.Level) { r.levels[atomic.AddUint32(&r.n, 1)-1] = l }

// mark is the service routine of one level.
func mark(i *intr.Interrupt, context unsafe.Pointer) bool {
	(*trail)(context).add(irql.Current())
	return true
}

// connectAll connects the software vectors of all device levels.
func connectAll(t *testing.T, cpu uint32, routine intr.Routine, context unsafe.Pointer) {
	for l := irql.DeviceMin; l <= irql.DeviceMax; l++ {
		i := kit.New[intr.Interrupt](t)
		i.Init(&intr.Config{Routine: routine, Context: context, Line: -1, Level: l, Mode: intr.Latched, CPU: cpu})
		if s := i.Connect(); s != ntstatus.Success {
			t.Fatalf("level %d: %v", l, s)
		}
		t.Cleanup(i.Disconnect)
	}
}

// rule: irql-set-order
// rule: irql-isr-level
func TestMasking(t *testing.T) {
	r := kit.New[trail](t)
	connectAll(t, 0, mark, unsafe.Pointer(r))
	kit.Run(t, func() {
		for mask := irql.Passive; mask <= irql.High; mask++ {
			atomic.StoreUint32(&r.n, 0)
			old := irql.Raise(irql.High)
			for l := irql.DeviceMin; l <= irql.DeviceMax; l++ {
				board.RequestSelf(uintptr(l))
			}
			none := atomic.LoadUint32(&r.n)
			irql.Lower(mask)
			some := atomic.LoadUint32(&r.n)
			irql.Lower(old)
			all := atomic.LoadUint32(&r.n)
			want := uint32(max(0, int(irql.DeviceMax)-max(int(mask), int(irql.DeviceMin)-1)))
			if none != 0 || some != want || all != 10 {
				t.Errorf("lowered to %d: %d at HIGH_LEVEL, %d interrupts, want %d, in the end %d", mask, none, some, want, all)
			}
			for i, l := range r.levels[:all] {
				if l != irql.DeviceMax-irql.Level(i) {
					t.Errorf("lowered to %d: order of levels %v", mask, r.levels[:all])
					break
				}
			}
		}
	}, func() { kit.OnCPU(0) })
}

// nest requests the next level from within the service routine of one, and the
// one below, which has to wait.
func nest(i *intr.Interrupt, context unsafe.Pointer) bool {
	r := (*trail)(context)
	l := irql.Current()
	r.add(l)
	if l < irql.DeviceMax {
		kit.Interrupt(l + 1)
	} else {
		r.deepest = uintptr(unsafe.Pointer(&l))
	}
	r.add(l)
	return true
}

// rule: irql-isr-level
func TestNesting(t *testing.T) {
	r := kit.New[trail](t)
	connectAll(t, 0, nest, unsafe.Pointer(r))
	kit.Run(t, func() { kit.Interrupt(irql.DeviceMin) }, func() { kit.OnCPU(0) })
	want := []irql.Level{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3}
	for i, l := range want {
		if r.levels[i] != l {
			t.Fatalf("order %v, want %v", r.levels[:len(want)], want)
		}
	}
	// There must be room for the clock's and the IPIs' level, too.
	stack := &arch.CPUs[0].Interrupt
	used := stack.Hi - r.deepest
	t.Logf("%d of %d bytes of stack for ten levels", used, stack.Hi-stack.Lo)
	if used+used/10*2 > stack.Hi-stack.Lo {
		t.Errorf("twelve levels do not fit")
	}
}

func remark(_ *dpc.Object, context, _, _ unsafe.Pointer) { (*trail)(context).add(irql.Current()) }

type isrAndDPC struct {
	trail
	d dpc.Object
}

func request(i *intr.Interrupt, context unsafe.Pointer) bool {
	r := (*isrAndDPC)(context)
	r.add(irql.Current())
	r.d.Insert(nil, nil)
	r.add(irql.Current())
	return true
}

// connectBoth connects an ISR at level 7 that queues a DPC, for the test.
func connectBoth(t *testing.T) *isrAndDPC {
	r, i := kit.New[isrAndDPC](t), kit.New[intr.Interrupt](t)
	r.d.Init(remark, unsafe.Pointer(&r.trail))
	i.Init(&intr.Config{Routine: request, Context: unsafe.Pointer(r), Line: -1, Level: 7, Mode: intr.Latched})
	if s := i.Connect(); s != ntstatus.Success {
		t.Fatal(s)
	}
	t.Cleanup(i.Disconnect)
	return r
}

// TestISRThenDPC: the DPC that an ISR queues runs before the interrupted thread
// goes on.
func TestISRThenDPC(t *testing.T) {
	r := connectBoth(t)
	kit.Run(t, func() {
		kit.Interrupt(7)
		r.add(irql.Current())
	}, func() { kit.OnCPU(0) })
	if got := [4]irql.Level(r.levels[:4]); got != [4]irql.Level{7, 7, 2, 0} {
		t.Errorf("levels in order %v, want ISR 7 7, DPC 2, thread 0", got)
	}
}

// rule: irql-per-cpu
func TestPerCPU(t *testing.T) {
	kit.NeedCPUs(t, 2)
	kit.Uncollected(t)
	e := kit.New[sync.Event](t)
	e.InitNotification(false)
	r := connectBoth(t)
	other := kit.Go(t, func() ntstatus.Status {
		s := e.Wait(kit.Forever, false, kernel.KernelMode)
		kit.Interrupt(7)
		r.add(irql.Current())
		return s
	}, func() { kit.OnCPU(1) })
	kit.AwaitWaiters(t, &e.Header, 1)
	kit.Run(t, func() {
		var end bool
		kit.At(irql.Dispatch, func() {
			e.Set(0)
			for range 1 << 30 {
				if end = other.Ended(); end {
					break
				}
				arch.Pause()
			}
		})
		if !end {
			t.Errorf("nothing runs on processor 1 while processor 0 is at DISPATCH_LEVEL")
		}
	}, func() { kit.OnCPU(0) })
	if got := [4]irql.Level(r.levels[:4]); got != [4]irql.Level{7, 7, 2, 0} {
		t.Errorf("levels on the other processor %v, want ISR 7 7, DPC 2, thread 0", got)
	}
}

// rule: irql-no-thread-switch-at-dispatch
// rule: irql-thread-preemptible-at-apc
func TestPreemption(t *testing.T) {
	kit.Uncollected(t)
	defer kit.Stay()()
	for _, c := range []struct {
		level irql.Level
		want  bool
	}{{irql.Passive, true}, {irql.APC, true}, {irql.Dispatch, false}, {irql.DeviceMin, false}} {
		e := kit.New[sync.Event](t)
		e.InitNotification(false)
		better := kit.Go(t, func() ntstatus.Status {
			return e.Wait(kit.Forever, false, kernel.KernelMode)
		}, func() { kit.OnCPU(0); kit.SetPriority(14) })
		kit.AwaitWaiters(t, &e.Header, 1)
		kit.Run(t, func() {
			var ran bool
			d := kit.New[dpc.Object](t)
			d.Init(set, unsafe.Pointer(e))
			d.SetTarget(0)
			old := irql.Raise(c.level)
			if c.level <= irql.Dispatch {
				e.Set(0)
			} else {
				d.Insert(nil, nil)
			}
			// What must happen has time; what must not has many chances.
			end := kernel.InterruptTime() + 10*kernel.Second
			for n := 0; n < 200_000 || c.want && kernel.InterruptTime() < end; n++ {
				if ran = better.Ended(); ran {
					break
				}
				arch.Pause()
			}
			irql.Lower(old)
			if ran != c.want {
				t.Errorf("level %d: the better thread ran: %v", c.level, ran)
			}
			better.Join(t)
		}, func() { kit.OnCPU(0) })
	}
}

func set(_ *dpc.Object, context, _, _ unsafe.Pointer) { (*sync.Event)(context).Set(0) }

// rule: irql-zero-timeout-at-dispatch
func TestZeroTimeout(t *testing.T) {
	e := kit.New[sync.Event](t)
	e.InitSynchronization(true)
	var first, second ntstatus.Status
	var level irql.Level
	kit.At(irql.Dispatch, func() {
		first = e.Wait(kit.NoTime, false, kernel.KernelMode)
		second = e.Wait(kit.NoTime, false, kernel.KernelMode)
		level = irql.Current()
	})
	if first != ntstatus.Success || second != ntstatus.Timeout || level != irql.Dispatch {
		t.Errorf("%v, %v, level %d", first, second, level)
	}
}

// rule: irql-interrupts-not-masked-by-spinlock
func TestInterruptsAtDispatch(t *testing.T) {
	r := kit.New[trail](t)
	connectAll(t, 0, mark, unsafe.Pointer(r))
	kit.Run(t, func() {
		var n uint32
		var enabled bool
		kit.At(irql.Dispatch, func() {
			kit.Interrupt(irql.DeviceMin)
			n = atomic.LoadUint32(&r.n)
			enabled = arch.DisableInterrupts()
			arch.EnableInterrupts()
		})
		if n != 1 || !enabled {
			t.Errorf("%d device interrupts at DISPATCH_LEVEL, interrupts enabled %v", n, enabled)
		}
	}, func() { kit.OnCPU(0) })
}

// rule: irql-apcs-masked-not-disabled
func TestAPCsNotDisabled(t *testing.T) {
	kit.Run(t, func() {
		self := kernel.Current()
		var kernelAPCs, special int16
		kit.At(irql.APC, func() { kernelAPCs, special = self.KernelAPCs, self.SpecialAPCs })
		if kernelAPCs != 0 || special != 0 {
			t.Errorf("KernelApcDisable %d, SpecialApcDisable %d at APC_LEVEL", kernelAPCs, special)
		}
	})
}

type broadcast struct{ cpus, bad uint32 }

var ipiSeen *broadcast

func atIPI(uintptr) {
	atomic.AddUint32(&ipiSeen.cpus, 1<<arch.ThisCPU().ID)
	if irql.Current() != irql.IPI {
		atomic.AddUint32(&ipiSeen.bad, 1)
	}
}

// rule: irql-ipi-callback
func TestIPICallback(t *testing.T) {
	ipiSeen = kit.New[broadcast](t)
	for _, from := range []irql.Level{irql.Passive, irql.Dispatch, irql.Clock} {
		*ipiSeen = broadcast{}
		var after irql.Level
		kit.At(from, func() {
			kit.Kernel(func() { ipi.Call(atIPI, 0) })
			after = irql.Current()
		})
		if ipiSeen.cpus != 1<<kit.CPUs()-1 || ipiSeen.bad != 0 || after != from {
			t.Errorf("from %d: processors %b, %d at another level, back at %d", from, ipiSeen.cpus, ipiSeen.bad, after)
		}
	}
}

// gathered counts the processors that are in waitForAll.
var gathered, alone uint32

// waitForAll waits for all processors to be in here, but not for ever.
func waitForAll(uintptr) {
	atomic.AddUint32(&gathered, 1)
	for end := kernel.InterruptTime() + 5*kernel.Second; atomic.LoadUint32(&gathered) != arch.NumCPUs; arch.Pause() {
		if kernel.InterruptTime() > end {
			atomic.AddUint32(&alone, 1)
			return
		}
	}
}

// TestIPITogether: the callback runs on all processors at the same time.
//
// rule: io-ipi-call
func TestIPITogether(t *testing.T) {
	for range 5 {
		gathered, alone = 0, 0
		kit.Kernel(func() { ipi.Call(waitForAll, 0) })
		if gathered != kit.CPUs() || alone != 0 {
			t.Fatalf("%d processors, of which %d did not meet the others", gathered, alone)
		}
	}
}

// rule: irql-stable-cpu-number
func TestStableProcessor(t *testing.T) {
	for range 200 {
		moved := false
		kit.At(irql.Dispatch, func() {
			cpu := arch.ThisCPU().ID
			for range 200 {
				moved = moved || arch.ThisCPU().ID != cpu
				arch.Pause()
			}
		})
		if moved {
			t.Fatal("moved to another processor at DISPATCH_LEVEL")
		}
	}
}

// rule: irql-synch-level
func TestSynchLevel(t *testing.T) {
	if irql.Synch != 12 {
		t.Errorf("SYNCH_LEVEL is %d", irql.Synch)
	}
}

// TestRaisedGC: the collector runs while other goroutines are raised again and
// again.
func TestRaisedGC(t *testing.T) {
	const rounds = 3000
	done := make(chan int)
	for range 2 {
		go func() {
			n := 0
			for i := range rounds {
				kit.At(irql.Dispatch, func() { n++ })
				if i%16 == 0 {
					garbage = make([]*int, 512)
					for j := range garbage {
						garbage[j] = new(int)
					}
				}
			}
			done <- n
		}()
	}
	if a, b := <-done, <-done; a != rounds || b != rounds {
		t.Errorf("%d and %d rounds", a, b)
	}
}

var garbage []*int
