// Stops breaks one rule of the kernel, the one its argument names, which must
// stop the machine. The host's test of package internal/stops boots it once for
// each and knows what the stop must look like.
package main

import (
	"fmt"
	"os"
	"sort"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/dpc"
	"irqlab/intr"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/mm"
	"irqlab/ntstatus"
	"irqlab/pool"
	"irqlab/sync"
	"irqlab/sync/spin"
	"irqlab/tests/kit"
)

// tb lets the kit's helpers run outside a test: nothing is ever cleaned up, the
// machine is about to stop.
type tb struct{ testing.TB }

func (tb) Helper()                   {}
func (tb) Cleanup(func())            {}
func (tb) Failed() bool              { return true }
func (tb) Fatal(a ...any)            { fmt.Println(a...); os.Exit(1) }
func (tb) Fatalf(f string, a ...any) { fmt.Printf(f+"\n", a...); os.Exit(1) }

func alloc[T any]() *T { return kit.New[T](tb{}) }

func main() {
	if len(os.Args) == 2 {
		if stop := stops[os.Args[1]]; stop != nil {
			kit.System()
			kit.OnCPU(0)
			stop()
			fmt.Println("nothing happened")
			os.Exit(1)
		}
	}
	var names []string
	for name := range stops {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Println(name)
	}
}

// recurse needs a stack that grows.
//
//go:noinline
func recurse(n int) int {
	if n == 0 {
		return 0
	}
	return recurse(n-1) + n
}

var stops = map[string]func(){
	// IRQL
	"raise-to-lower":   func() { irql.Raise(irql.Dispatch); irql.Raise(irql.APC) },
	"raise-from-high":  func() { irql.Raise(irql.High); irql.Raise(irql.Dispatch) },
	"lower-to-higher":  func() { irql.Lower(irql.Dispatch) },
	"wait-at-dispatch": func() { irql.Raise(irql.Dispatch); event(false).Wait(kit.Forever, false, kernel.KernelMode) },
	"wait-disabled": func() {
		arch.DisableInterrupts()
		syscall.Nanosleep(&syscall.Timespec{Nsec: 1e6}, nil)
	},
	"memory-from-go":    func() { mm.ReadStats() },
	"wait-in-dpc":       func() { inDPC(func() { (*sync.Event)(subject).Wait(kit.Ms(1), false, kernel.KernelMode) }) },
	"touch-at-dispatch": func() { irql.Raise(irql.Dispatch); *(*byte)(unsafe.Pointer(absent)) = 1 },
	"touch-by-kernel": func() {
		irql.Raise(irql.Dispatch)
		(*sync.Event)(unsafe.Pointer(absent)).Set(0)
	},
	"flush-at-apc": func() { irql.Raise(irql.APC); sync.FlushDPCs() },

	// Go code that makes the Go runtime wait
	"send-at-dispatch":      func() { c := make(chan int); irql.Raise(irql.Dispatch); c <- 1 },
	"receive-under-lock":    func() { c, l := make(chan int), alloc[spin.Lock](); l.Acquire(); <-c },
	"recursion-at-dispatch": func() { irql.Raise(irql.Dispatch); fmt.Print(recurse(1 << 30)) },

	// Spin locks
	"spin-recursion":       func() { l := alloc[spin.Lock](); l.Acquire(); l.Acquire() },
	"spin-recursive-try":   func() { l := alloc[spin.Lock](); l.Acquire(); l.TryAtDpc() },
	"spin-free-release":    func() { l := alloc[spin.Lock](); l.Release(irql.Raise(irql.Dispatch)) },
	"spin-foreign-release": foreignRelease,
	"spin-at-dpc-below":    func() { alloc[spin.Lock]().AcquireAtDpc() },
	"spin-from-dpc-below":  func() { alloc[spin.Lock]().ReleaseFromDpc() },
	"spin-lower-held":      func() { l := alloc[spin.Lock](); irql.Lower(l.Acquire()) },
	"spin-lower-second": func() {
		first, second := alloc[spin.Lock](), alloc[spin.Lock]()
		old := first.Acquire()
		second.AcquireAtDpc()
		second.Release(old)
	},
	"queued-lower-held": func() {
		old := irql.Raise(irql.Dispatch)
		alloc[spin.Queued]().AcquireAtDpc(alloc[spin.QueueHandle]())
		irql.Lower(old)
	},
	"spin-release-level":   func() { l := alloc[spin.Lock](); old := l.AcquireTo(irql.DeviceMin); l.Release(old) },
	"spin-acquire-above":   func() { l := alloc[spin.Lock](); irql.Raise(irql.DeviceMin); l.Acquire() },
	"spin-shared-with-isr": sharedWithISR,
	"queued-recursion": func() {
		q := alloc[spin.Queued]()
		q.Acquire(alloc[spin.QueueHandle]())
		q.AcquireAtDpc(alloc[spin.QueueHandle]())
	},
	"queued-free-release": func() { irql.Raise(irql.Dispatch); alloc[spin.QueueHandle]().Release() },

	// DPCs
	"dpc-return-level": func() { inDPC(func() { irql.Raise(irql.DeviceMin) }) },
	"dpc-bad-cpu":      func() { d := newDPC(); d.SetTarget(arch.MaxCPUs); d.Insert(nil, nil) },
	"dpc-freed": func() {
		d := newDPC()
		irql.Raise(irql.Dispatch)
		d.Insert(nil, nil)
		pool.Free(unsafe.Pointer(d), kit.Tag)
	},
	"dpc-routine-freed": func() {
		d, code := newDPC(), alloc[[64]byte]()
		d.Routine = uintptr(unsafe.Pointer(code)) + 8
		irql.Raise(irql.Dispatch)
		d.Insert(nil, nil)
		pool.Free(unsafe.Pointer(code), kit.Tag)
	},
	"dpc-apc-count": func() { inDPC(func() { kernel.Current().KernelAPCs-- }) },
	"dpc-watchdog":  func() { dpc.SingleLimit = 4; inDPC(spinForEver) },
	"dpc-watchdog-sum": func() {
		dpc.SumLimit = 4
		irql.Raise(irql.Dispatch)
		spinForEver()
	},
	"dpc-watchdog-idle": func() {
		dpc.SingleLimit = 4
		breach = spinForEver
		// The other processors have nothing else to do.
		kit.OnCPU(0)
		d := newDPC()
		d.SetTarget(arch.NumCPUs - 1)
		for !dpc.Idle(arch.NumCPUs - 1) {
			arch.Pause()
		}
		d.Insert(nil, nil)
		time.Sleep(time.Minute)
	},
	"isr-watchdog": func() {
		dpc.SumLimit = 4
		connect(func(*intr.Interrupt, unsafe.Pointer) bool { spinForEver(); return true })
		kit.Interrupt(6)
	},
	"stack-overflow": func() { kernel.Enter(descend, new(kernel.Args)) },

	"dump-fault": func() {
		bugcheck.WriteDump = func(*bugcheck.Record) { *(*byte)(unsafe.Pointer(absent)) = 1 }
		bugcheck.Stop(bugcheck.ManuallyInitiatedCrash, 0, 0, 0, 0)
	},

	"dpc-nil": func() { (*dpc.Object)(nil).Insert(nil, nil) },

	"dpc-of-timer": func() {
		m, d := timer(), newDPC()
		m.Set(-100*int64(kernel.Second), 0, d)
		d.Insert(nil, nil)
	},

	// Interrupts
	"isr-return-level":      isrReturnLevel,
	"synchronize-from-high": func() { i := newInterrupt(nil); irql.Raise(irql.High); i.Synchronize(nothing, nil) },
	"synchronize-level":     func() { newInterrupt(nil).Synchronize(raises, nil) },

	// Dispatcher objects
	"event-set-high":  func() { e := event(false); irql.Raise(irql.High); e.Set(0) },
	"event-wait-true": func() { e := event(false); irql.Raise(irql.Dispatch); e.SetBeforeWait(0) },
	"event-elsewhere": func() { new(sync.Event).InitNotification(false) },
	"event-reinit": func() {
		e := event(false)
		go func() { kit.System(); e.Wait(kit.Forever, false, kernel.KernelMode) }()
		kit.AwaitWaiters(tb{}, &e.Header, 1)
		e.InitNotification(false)
	},
	"timer-reinit": func() {
		e, m := event(false), timer()
		go func() {
			kit.System()
			o := [2]*kernel.Header{&e.Header, &m.Header}
			sync.WaitMany(&o[0], 2, kernel.WaitAny, kit.Forever, false, kernel.KernelMode, nil)
		}()
		kit.AwaitWaiters(tb{}, &m.Header, 1)
		m.InitSynchronization()
	},
	"semaphore-wait-true": func() { s := alloc[sync.Semaphore](); s.Init(0, 1); irql.Raise(irql.APC); s.ReleaseBeforeWait(0, 1) },
	"mutex-exit-held":     mutexExitHeld,
	"mutex-raise-dispatch": func() {
		m := alloc[sync.Mutex]()
		m.Init()
		irql.Raise(irql.Dispatch)
		m.Release()
	},
	"mutex-raise-kernel": func() {
		m := alloc[sync.Mutex]()
		m.Init()
		kit.Kernel(func() { m.Release() })
	},
	"timer-set-high": func() { m := timer(); irql.Raise(irql.High); m.Set(-1, 0, nil) },
	"timer-freed":    func() { m := timer(); m.Set(-100*int64(kernel.Second), 0, nil); pool.Free(unsafe.Pointer(m), kit.Tag) },
	"wait-four": func() {
		e := event(true)
		o := [4]*kernel.Header{&e.Header, &e.Header, &e.Header, &e.Header}
		sync.WaitMany(&o[0], 4, kernel.WaitAny, kit.Forever, false, kernel.KernelMode, nil)
	},
	"wait-65": func() {
		e := event(true)
		var o [65]*kernel.Header
		for i := range o {
			o[i] = &e.Header
		}
		blocks := alloc[[65]kernel.WaitBlock]()
		sync.WaitMany(&o[0], 65, kernel.WaitAny, kit.Forever, false, kernel.KernelMode, &blocks[0])
	},

	"timer-freed-in-dpc": func() {
		m := timer()
		breach = func() { pool.Free(unsafe.Pointer(m), kit.Tag) }
		m.Set(-1, 1, newDPC())
		time.Sleep(time.Minute)
	},

	// Pool
	"pool-zero-bytes":  func() { pool.Alloc(0, kit.Tag) },
	"pool-zero-tag":    func() { pool.Alloc(16, 0) },
	"pool-alloc-high":  func() { irql.Raise(irql.High); pool.Alloc(16, kit.Tag) },
	"pool-free-high":   func() { p := alloc[uint64](); irql.Raise(irql.High); pool.Free(unsafe.Pointer(p), kit.Tag) },
	"pool-wrong-tag":   func() { pool.Free(unsafe.Pointer(alloc[uint64]()), kit.Tag+1) },
	"pool-double-free": func() { p := unsafe.Pointer(alloc[uint64]()); pool.Free(p, kit.Tag); pool.Free(p, kit.Tag) },
	"pool-bad-address": func() { pool.Free(unsafe.Pointer(new(uint64)), kit.Tag) },
	"pool-overrun": func() {
		p := alloc[[40]byte]()
		*(*byte)(unsafe.Add(unsafe.Pointer(p), 40)) = 1
		pool.Free(unsafe.Pointer(p), kit.Tag)
	},
	"pool-use-after-free": func() {
		p := alloc[[200]byte]()
		pool.Free(unsafe.Pointer(p), kit.Tag)
		p[100] = 0
		for {
			alloc[[200]byte]()
		}
	},
}

// absent is an address where nothing is ever mapped: the kernel's stacks begin
// with a guard.
var absent uintptr = arch.KernelBase

func event(signalled bool) *sync.Event {
	e := alloc[sync.Event]()
	e.InitNotification(signalled)
	return e
}

func timer() *sync.Timer {
	m := alloc[sync.Timer]()
	m.InitNotification()
	return m
}

func newDPC() *dpc.Object {
	d := alloc[dpc.Object]()
	d.Init(body, nil)
	return d
}

// subject and breach are what the routines work on.
var (
	subject unsafe.Pointer
	breach  func()
)

func body(*dpc.Object, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer) { breach() }

// inDPC runs fn in a DPC on this processor.
func inDPC(fn func()) {
	breach = fn
	subject = unsafe.Pointer(event(false))
	newDPC().Insert(nil, nil)
}

func spinForEver() {
	for {
		arch.Pause()
	}
}

func foreignRelease() {
	l := alloc[spin.Lock]()
	other := kit.Go(tb{}, func() ntstatus.Status {
		l.Acquire()
		spinForEver()
		return 0
	}, func() { kit.OnCPU(1) })
	_ = other
	for l.Test() {
		arch.Pause()
	}
	irql.Raise(irql.Dispatch)
	l.ReleaseFromDpc()
}

func newInterrupt(r intr.Routine) *intr.Interrupt {
	i := alloc[intr.Interrupt]()
	i.Init(&intr.Config{Routine: r, Line: -1, Level: 6, Mode: intr.Latched})
	return i
}

// connect connects a service routine.
func connect(r intr.Routine) {
	if s := newInterrupt(r).Connect(); s != ntstatus.Success {
		fmt.Println(s)
		os.Exit(1)
	}
}

func sharedWithISR() {
	l := alloc[spin.Lock]()
	subject = unsafe.Pointer(l)
	connect(locks)
	l.Acquire()
	kit.Interrupt(6)
}

func locks(*intr.Interrupt, unsafe.Pointer) bool {
	(*spin.Lock)(subject).AcquireAtDpc()
	return true
}

func isrReturnLevel() {
	connect(staysRaised)
	kit.Interrupt(6)
}

func staysRaised(*intr.Interrupt, unsafe.Pointer) bool {
	irql.Raise(irql.Clock)
	return true
}

func nothing(unsafe.Pointer) uint8 { return 0 }

func raises(unsafe.Pointer) uint8 {
	irql.Raise(irql.High)
	return 0
}

func mutexExitHeld() {
	m := alloc[sync.Mutex]()
	m.Init()
	kit.Go(tb{}, func() ntstatus.Status { return m.Wait(kit.Forever, false, kernel.KernelMode) }).Exited(tb{})
}

// descend uses up the kernel stack.
func descend(a *kernel.Args) {
	b := *a
	b.A++
	//lint:ignore SA5007 the stack is to end, not the recursion
	descend(&b)
	a.R = b.R + 1
}
