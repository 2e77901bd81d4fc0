package calls

import (
	"fmt"
	"strings"

	"github.com/anishathalye/porcupine"

	"irqlab/ntstatus"
)

// state is what the object of a history can be in. Which fields are used depends
// on the object.
type state struct {
	count   int32  // of an event, a semaphore, or how often a mutex is owned
	owner   int    // of a mutex
	entries string // of a queue, one byte each
	alone   bool   // a lock is held exclusively
	sharers int
}

// object is the number of the object that a call is about.
func object(o Op) int {
	for i, last := range []Op{pollNotification, pollSynchronization, pollSemaphore, readMutex, remove, unlock} {
		if o <= last {
			return i
		}
	}
	return numObjects - 1
}

const numObjects = 7

// initial is the state of each object after Init.
var initial = [numObjects]state{2: {count: 1}}

// Judge returns an error if no correct objects can have shown the history.
func Judge(history []Call) error {
	var ops [numObjects][]porcupine.Operation
	var calls [numObjects][]Call
	for i := range history {
		c := &history[i]
		n := object(c.Op)
		ops[n] = append(ops[n], porcupine.Operation{ClientId: c.Thread, Input: c, Call: c.Begin, Return: c.End})
		calls[n] = append(calls[n], *c)
	}
	for n := range ops {
		model := porcupine.Model{
			Init: func() any { return initial[n] },
			Step: func(s, input, _ any) (bool, any) {
				now := s.(state)
				ok := now.step(input.(*Call))
				return ok, now
			},
		}
		if !porcupine.CheckOperations(model, ops[n]) {
			return fmt.Errorf("not linearizable:\n%s", text(calls[n]))
		}
	}
	return nil
}

func text(calls []Call) string {
	var s strings.Builder
	for _, c := range calls {
		fmt.Fprintf(&s, "%3d-%3d thread %d: call %d (%d) = %d, %v\n", c.Begin, c.End, c.Thread, c.Op, c.Arg, c.Result, c.Status)
	}
	return s.String()
}

// step changes the state as the call does, and reports whether the call could
// have had its result.
func (s *state) step(c *Call) bool {
	switch c.Op {
	case setNotification, setSynchronization:
		was := s.count
		s.count = 1
		return c.Result == was
	case resetNotification, resetSynchronization:
		was := s.count
		s.count = 0
		return c.Result == was
	case pollNotification:
		return (c.Status == ntstatus.Success) == (s.count != 0)
	case pollSynchronization, pollSemaphore:
		if c.Status != ntstatus.Success {
			return c.Status == ntstatus.Timeout && s.count == 0
		}
		s.count--
		return s.count >= 0
	case releaseSemaphore:
		n := counts[int(c.Arg)%len(counts)]
		if n < 0 || n > limit-s.count {
			return c.Status == ntstatus.SemaphoreLimit
		}
		was := s.count
		s.count += n
		return c.Status == ntstatus.Success && c.Result == was
	case insert, insertHead:
		was := len(s.entries)
		if e := string(rune('a' + c.Arg)); c.Op == insert {
			s.entries += e
		} else {
			s.entries = e + s.entries
		}
		return int(c.Result) == was
	case remove:
		if s.entries == "" || c.Status != ntstatus.Success {
			return s.entries == "" && c.Status == ntstatus.Timeout
		}
		first := s.entries[0]
		s.entries = s.entries[1:]
		return first == byte('a'+c.Result)
	case waitMutex, releaseMutex, readMutex:
		return s.mutex(c)
	}
	return s.lock(c)
}

func (s *state) mutex(c *Call) bool {
	mine := s.count > 0 && s.owner == c.Thread
	switch c.Op {
	case readMutex:
		return c.Result == 1-s.count
	case waitMutex:
		if c.Status != ntstatus.Success {
			return c.Status == ntstatus.Timeout && s.count > 0 && !mine
		}
		ok := mine || s.count == 0
		s.owner, s.count = c.Thread, s.count+1
		return ok
	}
	if !mine {
		return c.Status == ntstatus.MutantNotOwned
	}
	was := 1 - s.count
	if s.count--; s.count == 0 {
		s.owner = 0
	}
	return c.Status == ntstatus.Success && c.Result == was
}

// lock is about both locks. An attempt may fail at any time: another thread may
// be about to take the lock.
func (s *state) lock(c *Call) bool {
	free := !s.alone && s.sharers == 0
	switch c.Op {
	case tryExclusive, tryGuarded, lockExclusive, acquireGuarded:
		if c.Result == 0 {
			s.alone = true
			return free
		}
	case tryShared, lockShared:
		if c.Result == 0 {
			s.sharers++
			return !s.alone
		}
	default:
		if s.alone {
			s.alone = false
		} else {
			s.sharers--
		}
		return !free
	}
	return true
}
