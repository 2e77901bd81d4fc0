package schedules

import (
	"testing"

	"github.com/anishathalye/porcupine"

	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() { add(waits) }

// Operations of dispatcher objects. The argument of a wait is 0 if it does not
// wait at all, else it waits for a moment.
const (
	set int32 = iota
	reset
	read
	wait
	releaseOne
	releaseTwo
	insert
	insertHead
	remove
	waitAny
	waitAll
	cancel
)

// Results of waits: 0 and up are those of STATUS_WAIT_0 and up.
const timedOut = -1

// outcome is the result of a wait.
func outcome(s NTSTATUS) int32 {
	if s == STATUS_TIMEOUT {
		return timedOut
	}
	return int32(s)
}

// moment is a timeout for an argument.
func moment(arg int32) PLARGE_INTEGER { return &moments[arg] }

var moments = [2]LARGE_INTEGER{0, -20 * 10} // 0 and 20 µs

// waitFor waits for an object.
func waitFor(object PVOID, arg int32) int32 {
	return outcome(KeWaitForSingleObject(object, Executive, KernelMode, false, moment(arg)))
}

// eventModel is an event; the wait that succeeds takes the signal of one that is
// synchronized.
func eventModel(t EVENT_TYPE) *porcupine.Model {
	return &porcupine.Model{
		Init: func() any { return int32(0) },
		Step: func(state, input, output any) (bool, any) {
			signalled, s := state.(int32), input.(*step)
			switch s.op {
			case set:
				return s.result == signalled, int32(1)
			case reset:
				return s.result == signalled, int32(0)
			case read:
				return s.result == signalled, signalled
			}
			if s.result == timedOut {
				return signalled == 0, signalled
			}
			if t == SynchronizationEvent {
				return signalled == 1, int32(0)
			}
			return signalled == 1, signalled
		},
	}
}

func events(typ EVENT_TYPE) scenario {
	return scenario{model: eventModel(typ), setup: func(t *testing.T) (func(), func(*player)) {
		e := kit.New[KEVENT](t)
		ops := map[int32]func(*player, int32) int32{
			set:   func(*player, int32) int32 { return KeSetEvent(e, 0, false) },
			reset: func(*player, int32) int32 { return KeResetEvent(e) },
			read:  func(*player, int32) int32 { return KeReadStateEvent(e) },
			wait:  func(_ *player, arg int32) int32 { return waitFor(PVOID(e), arg) },
		}
		return func() { KeInitializeEvent(e, typ, false) }, drawn(ops, 8, set, set, set, reset, read, wait, wait, wait)
	}}
}

// drawn is a script of n operations by chance, from a list.
func drawn(ops map[int32]func(*player, int32) int32, n int, list ...int32) func(p *player) {
	return func(p *player) {
		for range n {
			op := list[p.draw(len(list))]
			p.do(op, int32(p.draw(2)), ops[op])
			p.rest()
		}
	}
}

// limit is that of semaphores.
const limit = 3

var semaphoreModel = &porcupine.Model{
	Init: func() any { return int32(0) },
	Step: func(state, input, output any) (bool, any) {
		count, s := state.(int32), input.(*step)
		switch s.op {
		case releaseOne, releaseTwo:
			n := s.op - releaseOne + 1
			if s.result < 0 { // STATUS_SEMAPHORE_LIMIT_EXCEEDED
				return count+n > limit, count
			}
			return s.result == count && count+n <= limit, count + n
		case read:
			return s.result == count, count
		}
		if s.result == timedOut {
			return count == 0, count
		}
		return count > 0, count - 1
	},
}

// releases returns what KeReleaseSemaphore does, or a negative number if it
// raises an exception.
func releases(s PRKSEMAPHORE, n LONG) (result int32) {
	if x := kit.Raised(func() { result = KeReleaseSemaphore(s, 0, n, false) }); x != STATUS_SUCCESS {
		return int32(x)
	}
	return result
}

// holding is the state of a mutex.
type holding struct{ owner, depth int32 }

var mutexModel = &porcupine.Model{
	Init: func() any { return holding{} },
	Step: func(state, input, output any) (bool, any) {
		h, s := state.(holding), input.(*step)
		mine := h.depth == 0 || h.owner == s.player
		switch s.op {
		case wait:
			if s.result == timedOut {
				return !mine, h
			}
			return mine, holding{s.player, h.depth + 1}
		case read:
			return s.result == 1-h.depth, h
		}
		return h.depth > 0 && mine && s.result == 1-h.depth, holding{h.owner * min(1, h.depth-1), h.depth - 1}
	},
}

// recursive is the script of a mutex: its owner takes it again, now and then.
func recursive(take, give, look func(*player, int32) int32) func(*player) {
	return func(p *player) {
		for range 8 {
			switch {
			case p.depth > 0 && p.draw(2) == 0:
				p.do(release, 0, give)
				p.depth--
			case p.draw(4) == 0:
				p.do(read, 0, look)
			case p.do(wait, int32(p.draw(2)), take) != timedOut:
				p.depth++
			}
			p.rest()
		}
		for ; p.depth > 0; p.depth-- {
			p.do(release, 0, give)
		}
	}
}

// queueModel is a queue; its state is the entries, one byte each.
var queueModel = &porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		q, s := state.(string), input.(*step)
		switch s.op {
		case insert:
			return int(s.result) == len(q), q + string(rune('a'+s.arg))
		case insertHead:
			return int(s.result) == len(q), string(rune('a'+s.arg)) + q
		}
		if s.result == timedOut {
			return q == "", q
		}
		if q == "" || int32(q[0]-'a') != s.result {
			return false, q
		}
		return true, q[1:]
	},
}

// pairModel is two semaphores; their counts are the state.
var pairModel = &porcupine.Model{
	Init: func() any { return [2]int32{} },
	Step: func(state, input, output any) (bool, any) {
		n, s := state.([2]int32), input.(*step)
		switch {
		case s.op == releaseOne || s.op == releaseTwo:
			i := s.op - releaseOne
			ok := s.result == n[i]
			n[i]++
			return ok, n
		case s.op == waitAll && s.result == timedOut:
			return n[0] == 0 || n[1] == 0, n
		case s.op == waitAll:
			return n[0] > 0 && n[1] > 0, [2]int32{n[0] - 1, n[1] - 1}
		case s.result == timedOut:
			return n == [2]int32{}, n
		case s.result == 0:
			return n[0] > 0, [2]int32{n[0] - 1, n[1]}
		}
		// The lowest index comes first.
		return n[0] == 0 && n[1] > 0, [2]int32{n[0], n[1] - 1}
	},
}

// timerModel is a synchronization timer that is always set to expire at once: a
// set and the expiry are one step.
var timerModel = &porcupine.Model{
	Init: func() any { return int32(0) },
	Step: func(state, input, output any) (bool, any) {
		signalled, s := state.(int32), input.(*step)
		switch {
		case s.op == set:
			return true, int32(1)
		case s.op == cancel:
			return s.result == 0, signalled
		case s.op == read:
			return s.result == signalled, signalled
		case s.result == timedOut:
			return signalled == 0, signalled
		}
		return signalled == 1, int32(0)
	},
}

var waits = map[string]scenario{
	"KEVENT notification":    events(NotificationEvent),
	"KEVENT synchronization": events(SynchronizationEvent),
	"KSEMAPHORE": {model: semaphoreModel, setup: func(t *testing.T) (func(), func(*player)) {
		s := kit.New[KSEMAPHORE](t)
		ops := map[int32]func(*player, int32) int32{
			releaseOne: func(*player, int32) int32 { return releases(s, 1) },
			releaseTwo: func(*player, int32) int32 { return releases(s, 2) },
			read:       func(*player, int32) int32 { return KeReadStateSemaphore(s) },
			wait:       func(_ *player, arg int32) int32 { return waitFor(PVOID(s), arg) },
		}
		return func() { KeInitializeSemaphore(s, 0, limit) }, drawn(ops, 8, releaseOne, releaseOne, releaseTwo, read, wait, wait, wait, wait)
	}},
	"KMUTEX": {model: mutexModel, setup: func(t *testing.T) (func(), func(*player)) {
		m := kit.New[KMUTEX](t)
		take := func(_ *player, arg int32) int32 { return waitFor(PVOID(m), arg) }
		give := func(*player, int32) int32 { return KeReleaseMutex(m, false) }
		look := func(*player, int32) int32 { return KeReadStateMutex(m) }
		return func() { KeInitializeMutex(m, 0) }, recursive(take, give, look)
	}},
	"KQUEUE": {model: queueModel, setup: func(t *testing.T) (func(), func(*player)) {
		q := kit.New[KQUEUE](t)
		entries := kit.New[[threads * 8]LIST_ENTRY](t)
		put := func(_ *player, i int32) int32 { return KeInsertQueue(q, &entries[i]) }
		putFirst := func(_ *player, i int32) int32 { return KeInsertHeadQueue(q, &entries[i]) }
		get := func(_ *player, arg int32) int32 {
			e, s := KeRemoveQueue(q, KernelMode, moment(arg))
			if s == STATUS_TIMEOUT {
				return timedOut
			}
			return int32((uintptr(PVOID(e)) - uintptr(PVOID(entries))) / 16)
		}
		fresh := true
		return func() {
				if !fresh { // every thread belongs to the queue from its first removal on
					for s := STATUS_SUCCESS; s == STATUS_SUCCESS; {
						_, s = KeRemoveQueue(q, KernelMode, moment(0))
					}
					return
				}
				fresh = false
				KeInitializeQueue(q, threads+1)
			}, func(p *player) {
				for i := range int32(8) {
					switch p.draw(5) {
					case 0, 1:
						p.do(insert, p.id*8+i, put)
					case 2:
						p.do(insertHead, p.id*8+i, putFirst)
					default:
						p.do(remove, int32(p.draw(2)), get)
					}
					p.rest()
				}
			}
	}},
	"KeWaitForMultipleObjects": {model: pairModel, setup: func(t *testing.T) (func(), func(*player)) {
		pair := [2]*KSEMAPHORE{kit.New[KSEMAPHORE](t), kit.New[KSEMAPHORE](t)}
		objects := []PVOID{PVOID(pair[0]), PVOID(pair[1])}
		many := func(how WAIT_TYPE) func(*player, int32) int32 {
			return func(_ *player, arg int32) int32 {
				return outcome(KeWaitForMultipleObjects(2, objects, how, Executive, KernelMode, false, moment(arg), nil))
			}
		}
		ops := map[int32]func(*player, int32) int32{
			releaseOne: func(*player, int32) int32 { return KeReleaseSemaphore(pair[0], 0, 1, false) },
			releaseTwo: func(*player, int32) int32 { return KeReleaseSemaphore(pair[1], 0, 1, false) },
			waitAny:    many(WaitAny),
			waitAll:    many(WaitAll),
		}
		return func() {
			KeInitializeSemaphore(pair[0], 0, 100)
			KeInitializeSemaphore(pair[1], 0, 100)
		}, drawn(ops, 8, releaseOne, releaseTwo, releaseOne, releaseTwo, waitAny, waitAny, waitAll)
	}},
	"KTIMER": {model: timerModel, setup: func(t *testing.T) (func(), func(*player)) {
		m := kit.New[KTIMER](t)
		ops := map[int32]func(*player, int32) int32{
			set:    func(*player, int32) int32 { return yes(KeSetTimer(m, 1, nil)) }, // in 1601
			cancel: func(*player, int32) int32 { return yes(KeCancelTimer(m)) },
			read:   func(*player, int32) int32 { return yes(KeReadStateTimer(m)) },
			wait:   func(_ *player, arg int32) int32 { return waitFor(PVOID(m), arg) },
		}
		return func() { KeInitializeTimerEx(m, SynchronizationTimer) }, drawn(ops, 8, set, set, cancel, read, wait, wait, wait)
	}},
}
