//go:build amd64 && !irqlab

package explore

import (
	"errors"
	"fmt"
	"testing"

	"github.com/anishathalye/porcupine"

	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/list"
	"irqlab/ntstatus"
	"irqlab/sync"
	"irqlab/sync/spin"
)

// There is no pool to ask, and what is wrong shall show without the checks.
func init() { sync.Checked, spin.Checked = false, false }

// explore tries a program, with two preemptions or, in a short test, one.
func explore(t *testing.T, fresh func() *Program) {
	t.Helper()
	preemptions := 2
	if testing.Short() {
		preemptions = 1
	}
	runs, err := Explore(preemptions, fresh)
	if err != nil {
		t.Fatalf("run %d: %v", runs, err)
	}
	t.Logf("%d interleavings", runs)
}

// The steps of a lock's history.
const (
	lockExclusive = iota
	lockShared
	unlock
)

// held is the state of a reader-writer lock as its users see it.
type held struct{ writers, readers int }

// model says which histories a reader-writer lock may have.
var model = porcupine.Model{
	Init: func() any { return held{} },
	Step: func(state, input, _ any) (bool, any) {
		h := state.(held)
		switch input {
		case lockExclusive:
			return h == held{}, held{writers: 1}
		case lockShared:
			return h.writers == 0, held{readers: h.readers + 1}
		}
		if h.writers == 1 {
			return true, held{}
		}
		return h.readers > 0, held{readers: h.readers - 1}
	},
	Equal: func(a, b any) bool { return a == b },
}

// room is what a lock protects: it watches who is inside, and keeps the lock's
// history.
type room struct {
	readers, writers int
	history          []porcupine.Operation
}

// does runs a step of a lock's and enters it into the history.
func (m *room) does(r *Run, thread int, kind int, step func()) {
	op := porcupine.Operation{ClientId: thread, Input: kind, Call: r.Now()}
	step()
	op.Return = r.Now()
	m.history = append(m.history, op)
}

func (m *room) write(r *Run) {
	m.writers++
	if m.writers != 1 || m.readers != 0 {
		r.Fail("a writer is not alone: %d writers, %d readers", m.writers, m.readers)
	}
	r.Point()
	m.writers--
}

func (m *room) read(r *Run) {
	m.readers++
	if m.writers != 0 {
		r.Fail("a reader is with a writer")
	}
	r.Point()
	m.readers--
}

func (m *room) check(free bool) error {
	if !free {
		return errors.New("the lock is not free at the end")
	}
	if !porcupine.CheckOperations(model, m.history) {
		return fmt.Errorf("the history is none of a lock: %v", m.history)
	}
	return nil
}

// lock is a reader-writer lock, or a mutex with a nil shared.
type lock struct {
	exclusive, shared       func()
	tryExclusive, tryShared func() bool
	release                 func()
	free                    func() bool

	// An interrupt of the level that takes the lock exclusively, if enter is set.
	level        irql.Level
	enter, leave func()
}

// program has one thread for each script, whose letters say what it does: E
// exclusive, S shared, e and s the same if it need not wait.
func program(fresh func() lock, scripts ...string) func() *Program {
	return func() *Program {
		l, m := fresh(), new(room)
		p := &Program{Check: func() error { return m.check(l.free()) }}
		if l.enter != nil {
			p.Interrupts = []Interrupt{{0, l.level, func(r *Run) {
				m.does(r, len(scripts), lockExclusive, l.enter)
				m.write(r)
				m.does(r, len(scripts), unlock, l.leave)
			}}}
		}
		for i, script := range scripts {
			p.Threads = append(p.Threads, func(r *Run) {
				for _, c := range script {
					switch c {
					case 'E':
						m.does(r, i, lockExclusive, l.exclusive)
						m.write(r)
						m.does(r, i, unlock, l.release)
					case 'S':
						m.does(r, i, lockShared, l.shared)
						m.read(r)
						m.does(r, i, unlock, l.release)
					case 'e':
						if l.tryExclusive() {
							m.does(r, i, lockExclusive, func() {})
							m.write(r)
							m.does(r, i, unlock, l.release)
						}
					case 's':
						if l.tryShared() {
							m.does(r, i, lockShared, func() {})
							m.read(r)
							m.does(r, i, unlock, l.release)
						}
					}
				}
			})
		}
		return p
	}
}

var (
	mutexScripts  = [][]string{{"E", "E", "E"}, {"EE", "E", "e"}, {"eE", "Ee", "E"}}
	sharedScripts = [][]string{{"E", "S", "S"}, {"S", "S", "E"}, {"SE", "ES", "S"}, {"EE", "Ss", "eS"}, {"S", "E", "SE"}, {"SS", "SS", "E"}, {"E", "S", "S", "E"}}
)

func TestFastMutex(t *testing.T) {
	for _, s := range mutexScripts {
		explore(t, program(func() lock {
			m := new(sync.FastMutex)
			m.Init()
			return lock{
				exclusive: m.Acquire, tryExclusive: m.Try, release: m.Release,
				free:  func() bool { return m.Count == 1 && m.Owner == nil },
				level: irql.APC, enter: m.Acquire, leave: m.Release,
			}
		}, s...))
	}
}

func TestGuardedMutex(t *testing.T) {
	for _, s := range mutexScripts {
		explore(t, program(func() lock {
			m := new(sync.GuardedMutex)
			m.Init()
			return lock{
				exclusive: m.Acquire, tryExclusive: m.Try, release: m.Release,
				free:  func() bool { return m.Count == 1 && m.Owner == nil },
				level: irql.APC, enter: m.Acquire, leave: m.Release,
			}
		}, s...))
	}
}

func TestPushLock(t *testing.T) {
	for _, s := range append(mutexScripts, sharedScripts...) {
		explore(t, program(func() lock {
			l := new(sync.PushLock)
			return lock{
				exclusive: l.AcquireExclusive, shared: l.AcquireShared,
				tryExclusive: l.TryAcquireExclusive, tryShared: l.TryAcquireShared,
				release: l.Release, free: func() bool { return l.Word() == 0 },
			}
		}, s...))
	}
}

// newResource is a resource with everything that it would take from the pool.
func newResource() *sync.Resource {
	r := new(sync.Resource)
	r.Lock.Init()
	r.SharedWaiters, r.ExclusiveWaiters = new(sync.Semaphore), new(sync.Event)
	r.SharedWaiters.Init(0, 100)
	r.ExclusiveWaiters.InitSynchronization(false)
	table := new([8]sync.OwnerEntry)
	r.OwnerTable = &table[0]
	r.OwnerTable.Count = uint32(len(table))
	return r
}

func TestResource(t *testing.T) {
	for _, shared := range []func(*sync.Resource, bool) bool{
		(*sync.Resource).AcquireShared, (*sync.Resource).AcquireSharedStarveExclusive, (*sync.Resource).AcquireSharedWaitForExclusive,
	} {
		for _, s := range append(mutexScripts, sharedScripts...) {
			explore(t, program(func() lock {
				r := newResource()
				return lock{
					exclusive: func() { r.AcquireExclusive(true) }, shared: func() { shared(r, true) },
					tryExclusive: func() bool { return r.AcquireExclusive(false) }, tryShared: func() bool { return shared(r, false) },
					release: r.Release,
					free: func() bool {
						return r.ActiveCount == 0 && r.Flag == 0 && r.NumberOfSharedWaiters == 0 && r.NumberOfExclusiveWaiters == 0
					},
				}
			}, s...))
		}
	}
}

// An exclusive owner converts while others wait.
func TestResourceConvert(t *testing.T) {
	explore(t, func() *Program {
		r, m := newResource(), new(room)
		reader := func(x *Run) {
			r.AcquireShared(true)
			m.read(x)
			r.Release()
		}
		return &Program{
			Threads: []func(*Run){func(x *Run) {
				r.AcquireExclusive(true)
				m.write(x)
				r.ConvertToShared()
				m.read(x)
				r.Release()
			}, reader, func(x *Run) {
				r.AcquireExclusive(true)
				m.write(x)
				r.Release()
			}},
			Check: func() error { return m.check(r.ActiveCount == 0) },
		}
	})
}

// Entries reach one thread each.
func TestQueue(t *testing.T) {
	explore(t, func() *Program {
		q := new(sync.Queue)
		q.Init(1)
		entries := new([4]list.Entry)
		got := map[*list.Entry]int{}
		return &Program{
			Threads: []func(*Run){
				func(r *Run) { q.Insert(&entries[0]); r.Point(); q.Insert(&entries[1]) },
				removeOne(q, got), removeOne(q, got),
			},
			Check: func() error {
				if len(got) != 2 || q.Len() != 0 {
					return fmt.Errorf("%d entries served, %d left", len(got), q.Len())
				}
				for _, n := range got {
					if n != 1 {
						return errors.New("an entry was served twice")
					}
				}
				return nil
			},
		}
	})
}

// removeOne is a thread that takes an entry and then waits for something else,
// which frees its place.
func removeOne(q *sync.Queue, got map[*list.Entry]int) func(*Run) {
	return func(r *Run) {
		e, s := q.Remove(nil, kernel.KernelMode)
		if s != ntstatus.Success {
			r.Fail("remove: %v", s)
		}
		r.Point()
		got[e]++
	}
}

func TestRundown(t *testing.T) {
	explore(t, func() *Program {
		r := new(sync.Rundown)
		alive := true
		user := func(x *Run) {
			for range 2 {
				if r.Acquire() {
					x.Point()
					if !alive {
						x.Fail("an object was used after its end")
					}
					r.Release()
				}
			}
		}
		return &Program{
			Threads: []func(*Run){user, user, func(*Run) { r.Wait(); alive = false }},
			Check:   func() error { return nil },
		}
	})
}

// A user leaves on another processor than it came on, if somebody there takes over
// its protection.
func TestCacheAwareRundown(t *testing.T) {
	explore(t, func() *Program {
		r := new(sync.CacheAwareRundown)
		r.Init()
		alive := true
		use := func(x *Run) {
			x.Point()
			if !alive {
				x.Fail("an object was used after its end")
			}
			r.Release(1)
		}
		handed := 0
		takeOver := func(x *Run) {
			if handed > 0 {
				handed--
				use(x)
			}
		}
		giver := func(x *Run) {
			if r.Acquire(2) {
				handed++
				use(x)
			}
			takeOver(x)
		}
		taker := func(x *Run) {
			if r.Acquire(1) {
				use(x)
			}
			takeOver(x)
		}
		return &Program{
			Threads: []func(*Run){giver, taker, func(*Run) { r.Wait(); alive = false }},
			Check: func() error {
				if r.Acquire(1) {
					return fmt.Errorf("a user was let in after the end")
				}
				return nil
			},
		}
	})
}

func TestRunOnce(t *testing.T) {
	explore(t, func() *Program {
		o := new(sync.RunOnce)
		calls := 0
		thread := func(x *Run) {
			for {
				context, s := o.Begin(0)
				switch {
				case s == ntstatus.Pending && calls == 0:
					calls++
					x.Point()
					o.Complete(sync.RunOnceInitFailed, 0)
				case s == ntstatus.Pending:
					calls++
					x.Point()
					o.Complete(0, 64)
				case s == ntstatus.Success:
					if context != 64 {
						x.Fail("context %d", context)
					}
					return
				}
			}
		}
		return &Program{
			Threads: []func(*Run){thread, thread, thread},
			Check: func() error {
				if calls != 2 {
					return fmt.Errorf("%d initializations", calls)
				}
				return nil
			},
		}
	})
}
