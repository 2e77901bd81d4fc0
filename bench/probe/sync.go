package probe

import (
	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/sync"
	"irqlab/sync/spin"
)

// RaiseLower raises to DISPATCH_LEVEL and lowers again.
var RaiseLower = Op{Run: func(n int) uint64 {
	t := arch.Cycles()
	for range n {
		irql.Lower(irql.Raise(irql.Dispatch))
	}
	return arch.Cycles() - t
}}

var lock spin.Lock

// SpinLock acquires and releases a spin lock, the change of level included.
var SpinLock = Op{Run: func(n int) uint64 {
	t := arch.Cycles()
	for range n {
		lock.Release(lock.Acquire())
	}
	return arch.Cycles() - t
}}

var mutex sync.Mutex

// Mutex acquires a free KMUTEX and releases it.
var Mutex = Op{
	Before: func() { mutex.Init() },
	Run: func(n int) uint64 {
		t := arch.Cycles()
		for range n {
			mutex.Wait(nil, false, kernel.KernelMode)
			mutex.Release()
		}
		return arch.Cycles() - t
	},
}

var fast sync.FastMutex

// FastMutex acquires a free fast mutex and releases it.
var FastMutex = Op{
	Before: func() { fast.Init() },
	Run: func(n int) uint64 {
		t := arch.Cycles()
		for range n {
			fast.Acquire()
			fast.Release()
		}
		return arch.Cycles() - t
	},
}

var guarded sync.GuardedMutex

// GuardedMutex acquires a free guarded mutex and releases it.
var GuardedMutex = Op{
	Before: func() { guarded.Init() },
	Run: func(n int) uint64 {
		t := arch.Cycles()
		for range n {
			guarded.Acquire()
			guarded.Release()
		}
		return arch.Cycles() - t
	},
}

var ping, pong sync.Event

// EventSetWait sets a synchronization event and waits for it.
var EventSetWait = Op{
	Before: func() { ping.InitSynchronization(false) },
	Run: func(n int) uint64 {
		t := arch.Cycles()
		for range n {
			ping.Set(0)
			ping.Wait(nil, false, kernel.KernelMode)
		}
		return arch.Cycles() - t
	},
}

// partner is the second thread of an operation; it ends when stop is set.
var (
	partner *kernel.Thread
	stop    bool
)

func startPartner(fn func(uintptr)) {
	stop = false
	partner = start(fn)
}

// PingPong is the round trip of two threads that wake each other.
var PingPong = Op{
	Before: func() {
		ping.InitSynchronization(false)
		pong.InitSynchronization(false)
		startPartner(answer)
	},
	Run: func(n int) uint64 {
		t := arch.Cycles()
		for range n {
			ping.Set(0)
			pong.Wait(nil, false, kernel.KernelMode)
		}
		return arch.Cycles() - t
	},
	After: func() {
		stop = true
		ping.Set(0)
		join(partner)
	},
}

func answer(uintptr) {
	for !stop {
		ping.Wait(nil, false, kernel.KernelMode)
		pong.Set(0)
	}
	kernel.Exit(0)
}

// Yield passes the processor to a thread that passes it back: two switches.
var Yield = Op{
	Before: func() { startPartner(yielder) },
	Run: func(n int) uint64 {
		t := arch.Cycles()
		for range n {
			kernel.Yield()
		}
		return arch.Cycles() - t
	},
	After: func() {
		stop = true
		join(partner)
	},
}

func yielder(uintptr) {
	for !stop {
		kernel.Yield()
	}
	kernel.Exit(0)
}

var timer sync.Timer

// TimerSetCancel sets a timer to a second from now and cancels it.
var TimerSetCancel = Op{
	Before: func() { timer.InitNotification() },
	Run: func(n int) uint64 {
		t := arch.Cycles()
		for range n {
			timer.Set(-kernel.Second, 0, nil)
			timer.Cancel()
		}
		return arch.Cycles() - t
	},
}

// Thread creates a thread that ends at once, and waits for that.
var Thread = Op{Run: func(n int) uint64 {
	t := arch.Cycles()
	for range n {
		join(start(end))
	}
	return arch.Cycles() - t
}}

func end(uintptr) { kernel.Exit(0) }

// Null is a kernel call that does nothing.
func Null() {
	var a kernel.Args
	kernel.Enter(null, &a)
}

func null(*kernel.Args) {}
