package main

import (
	"time"
	"unsafe"

	"irqlab/intr"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/pool"
	"irqlab/sync"
	"irqlab/sync/spin"
	"irqlab/tests/kit"
	"irqlab/verifier"
)

func init() {
	for name, stop := range verifierStops {
		stops[name] = stop
	}
}

// lock is any lock, with what it needs around it.
type lock struct{ acquire, release func() }

var verifierStops = map[string]func(){
	"verifier-order-spin":     func() { disorder(spinLock(), otherSpinLock()) },
	"verifier-order-queued":   func() { disorder(queuedLock(), spinLock()) },
	"verifier-order-shared":   func() { disorder(sharedLock(), spinLock()) },
	"verifier-order-mutex":    func() { disorder(mutexLock(), fastLock()) },
	"verifier-order-fast":     func() { disorder(fastLock(), guardedLock()) },
	"verifier-order-guarded":  func() { disorder(guardedLock(), pushLock()) },
	"verifier-order-push":     func() { disorder(pushLock(), resourceLock()) },
	"verifier-order-resource": func() { disorder(resourceLock(), mutexLock()) },
	"verifier-order-three":    func() { disorder(guardedLock(), pushLock(), mutexLock()) },
	"verifier-order-handed":   handedOver,
	"verifier-order-pair":     func() { disorder(spinLock(), spinLock()) },
	"verifier-level":          func() { levels(false) },
	"verifier-level-behind":   func() { levels(true) },
	"verifier-hold": func() {
		l := spinLock()
		l.acquire()
		for start := time.Now(); time.Since(start) < 100*time.Millisecond; {
		}
		verifier.HoldLimit /= 100 // what others hold may take longer on a busy host
		l.release()
	},
	"verifier-hold-isr": func() {
		connect(dawdles)
		kit.Interrupt(6)
	},
	"verifier-freed": func() {
		m := fast()
		m.Acquire()
		pool.Free(unsafe.Pointer(m), kit.Tag)
	},
	"verifier-waits-mutexes": func() { await(mutexLock(), mutexLock()) },
	"verifier-waits-locks":   func() { await(fastLock(), guardedLock(), pushLock(), resourceLock()) },
	"verifier-waits-thread":  waitForThread,
	"verifier-waits-late": func() {
		announce = kernel.OnWait
		kernel.OnWait = announceAndLose
		waitForThread()
	},
}

// disorder acquires each lock while it holds the one before, and in the end the
// first while it holds the last.
func disorder(locks ...lock) {
	for i, l := range locks {
		l.acquire()
		locks[(i+1)%len(locks)].acquire()
		locks[(i+1)%len(locks)].release()
		l.release()
	}
}

// await has each of as many threads hold one lock and wait for the next.
func await(locks ...lock) {
	held := make(chan bool, len(locks))
	wait := make(chan bool)
	for i, l := range locks {
		kit.Go(tb{}, func() ntstatus.Status {
			l.acquire()
			held <- true
			<-wait
			locks[(i+1)%len(locks)].acquire()
			return 0
		})
	}
	for range locks {
		<-held
	}
	close(wait)
	time.Sleep(kit.Patience)
}

// waitForThread waits for a thread that waits for a mutex of this one.
func waitForThread() {
	m := mutexLock()
	m.acquire()
	other := kit.Go(tb{}, func() ntstatus.Status { m.acquire(); return 0 })
	sync.Wait(&other.Kernel.Header, nil, false, kernel.KernelMode)
}

// announceAndLose announces a wait, and has a thread that is about to wait for
// another one's end lose its processor until that one waits.
func announceAndLose(t *kernel.Thread, h *kernel.Header, only bool) {
	announce(t, h, only)
	if h.Type == kernel.TypeThread {
		kernel.Delay(-100*kernel.Millisecond, false, kernel.KernelMode)
	}
}

var announce func(*kernel.Thread, *kernel.Header, bool)

// handedOver acquires a mutex that is handed over by another thread.
func handedOver() {
	m, f := mutexLock(), fastLock()
	m.acquire()
	other := kit.Go(tb{}, func() ntstatus.Status {
		m.acquire()
		f.acquire()
		f.release()
		m.release()
		return 0
	})
	time.Sleep(50 * time.Millisecond)
	m.release()
	other.Join(tb{})
	f.acquire()
	m.acquire()
}

// levels acquires a lock in a service routine, or one behind it, that it holds at
// DISPATCH_LEVEL as well.
func levels(behind bool) {
	mine, other := alloc[spin.Lock](), alloc[spin.Lock]()
	mine.Init()
	other.Init()
	shared = mine
	if behind {
		inner = other
		other.Release(other.Acquire())
	} else {
		mine.Release(mine.Acquire())
	}
	connect(acquires)
	kit.Interrupt(6)
}

// dawdles is a service routine that takes too long.
func dawdles(*intr.Interrupt, unsafe.Pointer) bool {
	for start := kernel.InterruptTime(); kernel.InterruptTime()-start < 100*kernel.Millisecond; {
	}
	verifier.HoldLimit /= 100
	return true
}

// shared and inner are the locks of the service routine.
var shared, inner *spin.Lock

func acquires(*intr.Interrupt, unsafe.Pointer) bool {
	shared.AcquireAtDpc()
	if inner != nil {
		inner.AcquireAtDpc()
		inner.ReleaseFromDpc()
	}
	shared.ReleaseFromDpc()
	return true
}

func spinLock() lock {
	l := alloc[spin.Lock]()
	l.Init()
	return spinning(l)
}

func otherSpinLock() lock {
	l := alloc[spin.Lock]()
	l.Init()
	return spinning(l)
}

func spinning(l *spin.Lock) lock {
	var old irql.Level
	return lock{
		func() {
			if was := l.Acquire(); was < irql.Dispatch {
				old = was
			}
		},
		func() { l.ReleaseFromDpc(); lowerAfter(old) },
	}
}

// lowerAfter lowers once no spin lock is held any more.
func lowerAfter(old irql.Level) {
	var held [1]verifier.HeldInfo
	if verifier.Held(held[:]) == 0 {
		irql.Lower(old)
	}
}

func queuedLock() lock {
	q := alloc[spin.Queued]()
	q.Init()
	h := alloc[spin.QueueHandle]()
	return lock{func() { q.Acquire(h) }, h.Release}
}

func sharedLock() lock {
	l := alloc[spin.Shared]()
	var old irql.Level
	return lock{func() { old = l.AcquireShared() }, func() { l.ReleaseShared(old) }}
}

func mutexLock() lock {
	m := alloc[sync.Mutex]()
	m.Init()
	return lock{func() { m.Wait(nil, false, kernel.KernelMode) }, func() { m.Release() }}
}

func fastLock() lock {
	m := fast()
	return lock{
		func() { kernel.EnterCriticalRegion(); m.AcquireUnsafe() },
		func() { m.ReleaseUnsafe(); kernel.LeaveCriticalRegion() },
	}
}

func guardedLock() lock {
	m := guarded()
	return lock{m.Acquire, m.Release}
}

func pushLock() lock {
	l := alloc[sync.PushLock]()
	l.Init()
	return lock{
		func() { kernel.EnterCriticalRegion(); l.AcquireExclusive() },
		func() { l.ReleaseExclusive(); kernel.LeaveCriticalRegion() },
	}
}

func resourceLock() lock {
	r := resource()
	return lock{
		func() { kernel.EnterCriticalRegion(); r.AcquireExclusive(true) },
		func() { r.Release(); kernel.LeaveCriticalRegion() },
	}
}
