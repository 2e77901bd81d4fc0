package schedules

import (
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"

	"irqlab/kernel"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() { add(handles); add(endings); add(delays) }

var handles = map[string]scenario{
	"mutant": {model: mutexModel, setup: func(t *testing.T) (func(), func(*player)) {
		kit.NoLeaks(t)
		var h HANDLE
		if s := ZwCreateMutant(&h, MUTANT_ALL_ACCESS, nil, false); s != STATUS_SUCCESS {
			t.Fatal(s)
		}
		t.Cleanup(func() { ZwClose(h) })
		take := func(_ *player, arg int32) int32 { return outcome(ZwWaitForSingleObject(h, false, moment(arg))) }
		give := func(*player, int32) int32 {
			var previous LONG
			if s := ZwReleaseMutant(h, &previous); s != STATUS_SUCCESS {
				return int32(s)
			}
			return previous
		}
		look := func(*player, int32) int32 {
			var i MUTANT_BASIC_INFORMATION
			ZwQueryMutant(h, MutantBasicInformation, PVOID(&i), 8, nil)
			return i.CurrentCount
		}
		return func() {}, recursive(take, give, look)
	}},
}

// States of a thread: it may not end yet; it may; it has ended, as somebody saw.
const (
	kept int32 = iota
	released
	ended
)

// exitStatus is that of the threads that are waited for.
const exitStatus NTSTATUS = 0x1234

// threadModel is a thread that ends some time after a set, and is signalled from
// then on.
var threadModel = &porcupine.Model{
	Init: func() any { return kept },
	Step: func(state, input, output any) (bool, any) {
		t, s := state.(int32), input.(*step)
		switch {
		case s.op == set:
			return true, max(t, released)
		case s.result == int32(exitStatus):
			return t != kept, ended
		}
		return s.result == timedOut && t != ended, t
	},
}

// processModel is a semaphore, and the process, which does not end: nothing is
// taken from the semaphore by waits for both.
var processModel = &porcupine.Model{
	Init: func() any { return int32(0) },
	Step: func(state, input, output any) (bool, any) {
		count, s := state.(int32), input.(*step)
		switch {
		case s.op == releaseOne:
			return s.result == count, count + 1
		case s.op == wait || s.op == waitAll:
			return s.result == timedOut, count
		case s.result == timedOut:
			return count == 0, count
		}
		return s.result == 1 && count > 0, count - 1
	},
}

var endings = map[string]scenario{
	"KTHREAD": {model: threadModel, setup: func(t *testing.T) (func(), func(*player)) {
		kit.NoLeaks(t)
		mayEnd := kit.New[KEVENT](t)
		var thread PVOID
		drop := func() {
			if thread != nil {
				ObDereferenceObject(thread)
			}
		}
		t.Cleanup(drop)
		reset := func() {
			drop()
			thread = nil
			KeInitializeEvent(mayEnd, NotificationEvent, false)
			var h HANDLE
			s := PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) {
				KeWaitForSingleObject(PVOID(mayEnd), Executive, KernelMode, false, nil)
				PsTerminateSystemThread(exitStatus)
			}, nil)
			if s == STATUS_SUCCESS {
				s = ObReferenceObjectByHandle(h, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &thread, nil)
				ZwClose(h)
			}
			if s != STATUS_SUCCESS {
				t.Error(s)
			}
		}
		seen := func(s NTSTATUS) int32 {
			if s == STATUS_SUCCESS {
				return int32(PsGetThreadExitStatus(PETHREAD(thread)))
			}
			return outcome(s)
		}
		ops := map[int32]func(*player, int32) int32{
			set: func(*player, int32) int32 { return KeSetEvent(mayEnd, 0, false) },
			wait: func(_ *player, arg int32) int32 {
				return seen(KeWaitForSingleObject(thread, Executive, KernelMode, false, moment(arg)))
			},
			read: func(*player, int32) int32 {
				if KeReadStateThread(PKTHREAD(thread)) {
					return seen(STATUS_SUCCESS)
				}
				return timedOut
			},
		}
		unlimited := func(*player, int32) int32 {
			return seen(KeWaitForSingleObject(thread, Executive, KernelMode, false, nil))
		}
		some := drawn(ops, 5, set, read, wait, wait, wait)
		return reset, func(p *player) {
			some(p)
			p.do(set, 0, ops[set])
			p.do(wait, 0, unlimited)
		}
	}},
	"KPROCESS": {model: processModel, setup: func(t *testing.T) (func(), func(*player)) {
		n := kit.New[KSEMAPHORE](t)
		both := []PVOID{PVOID(PsGetCurrentProcess()), PVOID(n)}
		many := func(how WAIT_TYPE) func(*player, int32) int32 {
			return func(_ *player, arg int32) int32 {
				return outcome(KeWaitForMultipleObjects(2, both, how, Executive, KernelMode, false, moment(arg), nil))
			}
		}
		ops := map[int32]func(*player, int32) int32{
			releaseOne: func(*player, int32) int32 { return KeReleaseSemaphore(n, 0, 1, false) },
			wait:       func(_ *player, arg int32) int32 { return waitFor(both[0], arg) },
			waitAny:    many(WaitAny),
			waitAll:    many(WaitAll),
		}
		return func() { KeInitializeSemaphore(n, 0, 100) }, drawn(ops, 8, releaseOne, releaseOne, wait, waitAny, waitAny, waitAll)
	}},
}

// Operations of threads that sleep. The argument of wake is a player.
const (
	sleep int32 = iota
	sleepAlertably
	wake
	awake // forgets an alert
)

// early is the result of a delay that ended before its time.
const early = -2

// delayModel has the players that have been alerted.
var delayModel = &porcupine.Model{
	Init: func() any { return [threads]bool{} },
	Step: func(state, input, output any) (bool, any) {
		alerted, s := state.([threads]bool), input.(*step)
		switch s.op {
		case sleep:
			return s.result == 0, alerted
		case wake:
			was := alerted[s.arg]
			alerted[s.arg] = true
			return s.result == yes(was), alerted
		}
		was := alerted[s.player]
		alerted[s.player] = false
		switch s.op {
		case awake:
			return s.result == yes(was), alerted
		case sleepAlertably:
			if was {
				return s.result == int32(STATUS_ALERTED), alerted
			}
			return s.result == 0, alerted
		}
		return false, alerted
	},
}

// delayed delays for a moment, and says so if it was shorter.
func delayed(alertable bool) int32 {
	end := KeQueryInterruptTime() + ULONGLONG(-*moment(1))
	s := KeDelayExecutionThread(KernelMode, alertable, moment(1))
	if s == STATUS_SUCCESS && KeQueryInterruptTime() < end {
		return early
	}
	return int32(s)
}

var delays = map[string]scenario{
	"KeDelayExecutionThread": {model: delayModel, setup: func(t *testing.T) (func(), func(*player)) {
		var sleepers [threads]atomic.Pointer[kernel.Thread]
		var done atomic.Int32
		ops := map[int32]func(*player, int32) int32{
			sleep:          func(*player, int32) int32 { return delayed(false) },
			sleepAlertably: func(*player, int32) int32 { return delayed(true) },
			wake:           func(_ *player, arg int32) int32 { return yes(KeAlertThread(sleepers[arg].Load(), KernelMode)) },
			awake:          func(*player, int32) int32 { return yes(KeTestAlertThread(KernelMode)) },
		}
		list := []int32{sleep, sleepAlertably, sleepAlertably, wake, wake, awake}
		return func() { done.Store(0) }, func(p *player) {
			sleepers[p.id].Store(KeGetCurrentThread())
			for range 6 {
				op, other := list[p.draw(len(list))], int32(p.draw(threads))
				if sleepers[other].Load() != nil { // or it is only about to begin
					p.do(op, other, ops[op])
				}
			}
			for done.Add(1); done.Load() < threads; {
				dawdle()
			}
			KeTestAlertThread(KernelMode) // for the next schedule
		}
	}},
}
