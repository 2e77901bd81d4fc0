// Package calls makes sequences of calls out of any string of bytes, so that a
// fuzzer can invent them: a few threads that use and misuse the same objects. A
// run is right if it ends, and if its history is one that correct objects could
// have shown.
//
// The host runs the sequences on simulated processors, where the bytes decide
// the schedule as well, and fuzzes them; the machine runs those that the fuzzer
// kept, see package tests/calls.
package calls

import (
	"irqlab/kernel"
	"irqlab/list"
	"irqlab/ntstatus"
	"irqlab/sync"
)

// Bounds of a program.
const (
	MaxThreads = 3
	maxCalls   = 6 // of a thread, before it gives back what it holds
)

// Objects are what the threads share. Of each kind of event there is one.
type Objects struct {
	Notification    sync.Event
	Synchronization sync.Event
	Semaphore       sync.Semaphore
	Mutex           sync.Mutex
	Queue           sync.Queue
	Push            sync.PushLock
	Guarded         sync.GuardedMutex
	Entries         [MaxThreads * maxCalls]list.Entry
}

// limit is the semaphore's.
const limit = 3

// Init makes the objects as new.
func (o *Objects) Init() {
	o.Notification.InitNotification(false)
	o.Synchronization.InitSynchronization(false)
	o.Semaphore.Init(1, limit)
	o.Mutex.Init()
	o.Queue.Init(MaxThreads + 1)
	o.Push.Init()
	o.Guarded.Init()
}

// Op is a call.
type Op int32

// The calls. What would wait does not, or only for a lock whose owner gets on.
const (
	setNotification Op = iota
	resetNotification
	pollNotification
	setSynchronization
	resetSynchronization
	pollSynchronization
	releaseSemaphore
	pollSemaphore
	waitMutex
	releaseMutex
	readMutex
	insert
	insertHead
	remove
	lockExclusive
	lockShared
	tryExclusive
	tryShared
	unlock
	acquireGuarded
	tryGuarded
	releaseGuarded
	numOps
)

// Call is an operation, its argument, and in a history what came of it.
type Call struct {
	Thread      int
	Op          Op
	Arg, Result int32
	Status      ntstatus.Status
	Begin, End  int64
}

// Program is what bytes mean.
type Program struct {
	Threads [][]Call
	Choices []byte // what the schedule makes of the rest
}

// Decode returns the program of some bytes. Any will do.
func Decode(data []byte) *Program {
	next := func() (b byte) {
		if len(data) > 0 {
			b, data = data[0], data[1:]
		}
		return b
	}
	p := &Program{Threads: make([][]Call, 2+int(next())%(MaxThreads-1))}
	for range maxCalls {
		for i := range p.Threads {
			if len(data) > 0 {
				b := next()
				p.Threads[i] = append(p.Threads[i], Call{Thread: i, Op: Op(b) % numOps, Arg: int32(b) / int32(numOps)})
			}
		}
	}
	p.Choices = data
	return p
}

// Player is a thread that runs its part of a program.
type Player struct {
	Objects *Objects
	Thread  int
	Now     func() int64 // stamps, in the order of what happens
	History []Call

	mutex           int // how often it owns the mutex
	pushed, guarded bool
	inserted        int
}

// Play does the calls, and gives back what the thread holds then.
func (p *Player) Play(calls []Call) {
	for _, c := range calls {
		p.do(c)
	}
	if p.pushed {
		p.do(Call{Thread: p.Thread, Op: unlock})
	}
	if p.guarded {
		p.do(Call{Thread: p.Thread, Op: releaseGuarded})
	}
	for p.mutex > 0 {
		p.do(Call{Thread: p.Thread, Op: releaseMutex})
	}
}

// do does a call, unless that would be a bug check or a deadlock.
func (p *Player) do(c Call) {
	free := !p.pushed && !p.guarded && p.mutex == 0
	switch c.Op {
	case lockExclusive, lockShared, acquireGuarded:
		if !free {
			return
		}
	case tryExclusive, tryShared:
		if p.pushed {
			return
		}
	case unlock:
		if !p.pushed {
			return
		}
	case tryGuarded:
		if p.guarded {
			return
		}
	case releaseGuarded:
		if !p.guarded {
			return
		}
	}
	c.Begin = p.Now()
	p.call(&c, free)
	c.End = p.Now()
	p.History = append(p.History, c)
}

var noTime = new(int64)

// counts are what a semaphore is asked to be released by.
var counts = []int32{1, 2, 0, -1, limit + 1, 1 << 30}

func (p *Player) call(c *Call, free bool) {
	o := p.Objects
	switch c.Op {
	case setNotification:
		c.Result = o.Notification.Set(0)
	case resetNotification:
		c.Result = o.Notification.Reset()
	case pollNotification:
		c.Status = sync.Wait(&o.Notification.Header, noTime, false, kernel.KernelMode)
	case setSynchronization:
		c.Result = o.Synchronization.Set(0)
	case resetSynchronization:
		c.Result = o.Synchronization.Reset()
	case pollSynchronization:
		c.Status = sync.Wait(&o.Synchronization.Header, noTime, false, kernel.KernelMode)
	case releaseSemaphore:
		c.Result, c.Status = o.Semaphore.TryRelease(0, counts[int(c.Arg)%len(counts)])
	case pollSemaphore:
		c.Status = sync.Wait(&o.Semaphore.Header, noTime, false, kernel.KernelMode)
	case waitMutex:
		timeout := noTime
		if free {
			timeout = nil
		}
		c.Status = sync.Wait(&o.Mutex.Header, timeout, false, kernel.KernelMode)
		if c.Status == ntstatus.Success {
			p.mutex++
		}
	case releaseMutex:
		c.Result, c.Status = o.Mutex.TryRelease()
		if c.Status == ntstatus.Success {
			p.mutex--
		}
	case readMutex:
		c.Result = o.Mutex.State()
	case insert, insertHead:
		p.insert(c)
	case remove:
		p.remove(c)
	default:
		p.lock(c)
	}
}

func (p *Player) insert(c *Call) {
	c.Arg = int32(p.Thread*maxCalls + p.inserted)
	p.inserted++
	if c.Op == insert {
		c.Result = p.Objects.Queue.Insert(&p.Objects.Entries[c.Arg])
	} else {
		c.Result = p.Objects.Queue.InsertHead(&p.Objects.Entries[c.Arg])
	}
}

func (p *Player) remove(c *Call) {
	var e *list.Entry
	e, c.Status = p.Objects.Queue.Remove(noTime, kernel.KernelMode)
	for i := range p.Objects.Entries {
		if e == &p.Objects.Entries[i] {
			c.Result = int32(i)
		}
	}
}

func (p *Player) lock(c *Call) {
	ok := true
	switch o := p.Objects; c.Op {
	case lockExclusive:
		o.Push.AcquireExclusive()
	case lockShared:
		o.Push.AcquireShared()
	case tryExclusive:
		ok = o.Push.TryAcquireExclusive()
	case tryShared:
		ok = o.Push.TryAcquireShared()
	case unlock:
		o.Push.Release()
		p.pushed = false
		return
	case acquireGuarded:
		o.Guarded.Acquire()
	case tryGuarded:
		ok = o.Guarded.Try()
	case releaseGuarded:
		o.Guarded.Release()
		p.guarded = false
		return
	}
	if !ok {
		c.Result = 1
		return
	}
	if c.Op < unlock {
		p.pushed = true
	} else {
		p.guarded = true
	}
}
