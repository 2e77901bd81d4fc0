package main

import (
	"runtime"
	gosync "sync"
	"sync/atomic"
	"time"
	"unsafe"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/pool"
	"irqlab/soak/load"
	"irqlab/sync"
)

// programs are the workers that are Go code.
type programs struct {
	running, answering group

	sent, received       atomic.Uint64 // through channels
	timersSet, timersRun atomic.Uint64
	faults, recovered    atomic.Uint64
	threads, threadsDone atomic.Uint64
	trees, treesDamaged  atomic.Uint64
	pings, pongs         atomic.Uint64
	loopsWrong           atomic.Uint64
	ping, pong           *sync.Event
}

// group is workers that are to stop together.
type group struct {
	gosync.WaitGroup
	stopped atomic.Bool
}

func (g *group) stop() {
	g.stopped.Store(true)
	g.Wait()
}

const tag pool.Tag = 'S' | 'o'<<8 | 'G'<<16 | 'o'<<24

func object[T any]() *T { return (*T)(pool.Alloc(unsafe.Sizeof(*new(T)), tag)) }

func startPrograms(seed uint64) *programs {
	p := &programs{ping: object[sync.Event](), pong: object[sync.Event]()}
	p.ping.InitSynchronization(false)
	p.pong.InitSynchronization(false)
	for _, w := range []struct {
		name   string
		locked bool // to its thread, as a system thread is
		body   func()
	}{
		{"Go mutex", true, p.mutex}, {"Go mutex", true, p.mutex},
		{"Go ping", true, p.pinger},
		{"Go raised", false, p.raised}, {"Go raised", true, p.raisedTwice},
		{"garbage", false, p.garbage}, {"garbage", false, p.garbage},
		{"GC", false, p.collect},
		{"channel", false, p.channel},
		{"loop", false, p.loop}, {"loop", false, p.loop},
		{"Go timer", false, p.timer},
		{"fault", false, p.fault}, {"fault", true, p.fault},
		{"Go thread", false, p.thread},
		{"Go pool", false, p.pool},
	} {
		p.running.start(load.Register(w.name), w.locked, w.body)
	}
	p.answering.start(load.Register("Go pong"), true, p.ponger)
	return p
}

// start runs body again and again until the group is to stop.
func (g *group) start(w *load.Worker, locked bool, body func()) {
	g.Go(func() {
		if locked {
			// The thread ends with the goroutine, so nothing is undone.
			runtime.LockOSThread()
			kernel.Current().Locked = true
		}
		for !g.stopped.Load() {
			body()
			w.Step()
		}
	})
}

func (p *programs) stop() {
	p.running.stop()
	p.answering.stop()
	// Timers that were set last.
	for p.timersRun.Load() != p.timersSet.Load() {
		time.Sleep(time.Millisecond)
	}
	pool.Free(unsafe.Pointer(p.ping), tag)
	pool.Free(unsafe.Pointer(p.pong), tag)
}

func (p *programs) sums(check func(load.Sum)) {
	check(load.Sum{Name: "channel values", Want: p.sent.Load(), Got: p.received.Load()})
	check(load.Sum{Name: "Go timers", Want: p.timersSet.Load(), Got: p.timersRun.Load()})
	check(load.Sum{Name: "faults recovered", Want: p.faults.Load(), Got: p.recovered.Load()})
	check(load.Sum{Name: "Go threads ended", Want: p.threads.Load(), Got: p.threadsDone.Load()})
	check(load.Sum{Name: "damaged trees", Got: p.treesDamaged.Load()})
	check(load.Sum{Name: "Go answers to pings", Want: p.pings.Load(), Got: p.pongs.Load()})
	check(load.Sum{Name: "loops with a wrong sum", Got: p.loopsWrong.Load()})
}

// mutex shares a KMUTEX with the kernel's workers.
func (p *programs) mutex() {
	load.Mutex.Wait(nil, false, kernel.KernelMode)
	n := load.MutexCount
	if n%8 == 0 {
		runtime.Gosched()
	}
	load.MutexCount = n + 1
	atomic.AddUint64(&load.MutexAdds, 1)
	load.Mutex.Release()
	if n%16 == 0 {
		load.Delay(kernel.Millisecond)
	}
}

// pinger and ponger are two threads that wake each other. Whoever asks waits for
// the answer, so ponger stops when pinger has.
func (p *programs) pinger() {
	p.pings.Add(1)
	p.ping.Set(1)
	p.pong.Wait(nil, false, kernel.KernelMode)
	time.Sleep(100 * time.Microsecond)
}

func (p *programs) ponger() {
	timeout := int64(-50 * kernel.Millisecond)
	for p.ping.Wait(&timeout, false, kernel.KernelMode) != 0 {
		if p.answering.stopped.Load() {
			return
		}
	}
	p.pongs.Add(1)
	p.pong.Set(1)
}

// raised holds a spin lock that kernel threads and DPCs take too.
func (p *programs) raised() {
	level := load.Spin.Acquire()
	load.SpinCount++
	load.Spin.Release(level)
	if atomic.AddUint64(&load.SpinAdds, 1)%64 == 0 {
		time.Sleep(time.Millisecond)
	}
}

// raisedTwice is raised at APC_LEVEL. That level belongs to the thread, so the
// goroutine must be locked to it.
func (p *programs) raisedTwice() {
	old := irql.Raise(irql.APC)
	p.raised()
	irql.Lower(old)
}

type tree struct {
	left, right *tree
	value       uint64
}

func grow(depth int, value uint64) *tree {
	if depth == 0 {
		return &tree{value: value}
	}
	return &tree{grow(depth-1, 2*value), grow(depth-1, 2*value+1), value}
}

func (t *tree) sound(depth int, value uint64) bool {
	if depth == 0 {
		return t.left == nil && t.value == value
	}
	return t.value == value && t.left.sound(depth-1, 2*value) && t.right.sound(depth-1, 2*value+1)
}

// garbage makes trees and looks at them after a while.
func (p *programs) garbage() {
	const depth = 9
	t := grow(depth, 1)
	time.Sleep(2 * time.Millisecond)
	if !t.sound(depth, 1) {
		p.treesDamaged.Add(1)
	}
	p.trees.Add(1)
}

func (p *programs) collect() {
	runtime.GC()
	time.Sleep(50 * time.Millisecond)
}

// channel passes values through a chain of goroutines.
func (p *programs) channel() {
	const n, links = 100, 4
	first := make(chan uint64)
	last := first
	for range links {
		in, out := last, make(chan uint64, 1)
		go func() {
			for v := range in {
				out <- v + 1
			}
			close(out)
		}()
		last = out
	}
	go func() {
		for range n {
			first <- 0
			p.sent.Add(1)
		}
		close(first)
	}()
	for v := range last {
		p.received.Add(v / links)
	}
	time.Sleep(time.Millisecond)
}

// loop can only be interrupted by a signal.
func (p *programs) loop() {
	const n = 2_000_000
	sum, f := uint64(0), 1.0
	for i := range uint64(n) {
		sum += i
		f += 0.5
	}
	if sum != n*(n-1)/2 || f != 1+n*0.5 {
		p.loopsWrong.Add(1)
	}
	time.Sleep(5 * time.Millisecond)
}

func (p *programs) timer() {
	for i := range time.Duration(10) {
		p.timersSet.Add(1)
		time.AfterFunc(i*300*time.Microsecond, func() { p.timersRun.Add(1) })
	}
	time.Sleep(time.Millisecond)
}

var nowhere *int

// fault recovers from a nil pointer and from a division by zero.
func (p *programs) fault() {
	for _, wrong := range []func() int{
		func() int { return *nowhere },
		func() int { return 1 / len(p.nothing()) },
	} {
		func() {
			defer func() {
				if recover() != nil {
					p.recovered.Add(1)
				}
			}()
			p.faults.Add(1)
			wrong()
		}()
	}
	time.Sleep(time.Millisecond)
}

//go:noinline
func (p *programs) nothing() string { return "" }

// thread makes a thread that ends with its goroutine.
func (p *programs) thread() {
	p.threads.Add(1)
	done := make(chan bool)
	go func() {
		runtime.LockOSThread()
		p.threadsDone.Add(1)
		close(done)
	}()
	<-done
	time.Sleep(2 * time.Millisecond)
}

func (p *programs) pool() {
	var blocks [8]unsafe.Pointer
	for i := range blocks {
		blocks[i] = pool.Alloc(uintptr(16<<i), tag)
	}
	runtime.Gosched()
	for _, b := range blocks {
		if b != nil {
			pool.Free(b, tag)
		}
	}
	time.Sleep(time.Millisecond)
}
