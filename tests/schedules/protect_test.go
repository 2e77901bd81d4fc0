package schedules

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/anishathalye/porcupine"

	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() { add(protections); add(initializations) }

// Operations of run-down protection and of remove locks.
const (
	enter   int32 = iota // result 1 if it was let in
	leave                // the argument is the processor
	runDown              // gives up as many of its own protections as the argument says, and waits
	renew
)

// guarded is the state of run-down protection.
type guarded struct {
	users int32
	over  bool
}

// protectionModel is run-down protection. Who is refused need not see a state of
// its own: see refused.
var protectionModel = &porcupine.Model{
	Init: func() any { return guarded{} },
	Step: func(state, input, output any) (bool, any) {
		g, s := state.(guarded), input.(*step)
		switch s.op {
		case enter:
			if s.result == 0 {
				return true, g
			}
			return !g.over, guarded{g.users + 1, g.over}
		case leave:
			return g.users > 0, guarded{g.users - 1, g.over}
		case runDown:
			return g.users == s.arg, guarded{over: true}
		}
		return g.over, guarded{}
	},
}

// refused checks that users were refused for a reason: the end had been asked for,
// and the object was not renewed.
func refused(h []step) error {
	for i := range h {
		user := &h[i]
		if user.op != enter || user.result == 1 {
			continue
		}
		reason, ending := false, int64(0)
		for j := range h {
			switch s := &h[j]; s.op {
			case runDown:
				ending = s.call
			case renew:
				reason = reason || ending < user.back && s.back > user.call
				ending = 0
			}
		}
		if !reason && (ending == 0 || ending > user.back) {
			return fmt.Errorf("the user at %d was refused though nobody had asked for the end", user.call)
		}
	}
	return nil
}

// protection is one of its kinds.
type protection struct {
	enter  func() bool
	leave  func()
	finish func() // gives up a protection of the caller's own if it needs one, and waits
	needs  bool
	renew  func() // nil if there is one end only
}

// protecting makes a scenario: the first thread owns the object, the others use
// it.
func protecting(make func(t *testing.T) (protection, func())) scenario {
	return scenario{model: protectionModel, check: refused, setup: func(t *testing.T) (func(), func(*player)) {
		o, reset := make(t)
		in := func(*player, int32) int32 { return yes(o.enter()) }
		out := func(*player, int32) int32 { o.leave(); return 1 }
		end := func(*player, int32) int32 { o.finish(); return 1 }
		again := func(*player, int32) int32 { o.renew(); return 1 }
		owner := func(p *player) {
			for range 2 {
				if p.draw(2) == 0 {
					dawdle()
				}
				if o.needs && p.do(enter, 0, in) == 0 {
					return
				}
				p.do(runDown, yes(o.needs), end)
				p.rest()
				if o.renew != nil {
					p.do(renew, 0, again)
				}
			}
		}
		user := func(p *player) {
			here := uint32(p.id) % kit.CPUs()
			for range 4 {
				if p.do(enter, int32(here), in) == 1 {
					if p.draw(4) == 0 {
						dawdle()
					}
					if p.draw(2) == 0 { // it leaves on another processor
						here = (here + 1) % kit.CPUs()
						kit.OnCPU(here)
					}
					p.do(leave, int32(here), out)
				}
				p.rest()
			}
		}
		return reset, func(p *player) {
			if p.id == 0 {
				owner(p)
				return
			}
			user(p)
		}
	}}
}

var protections = map[string]scenario{
	"EX_RUNDOWN_REF": protecting(func(t *testing.T) (protection, func()) {
		r := kit.New[EX_RUNDOWN_REF](t)
		return protection{
			enter:  func() bool { return ExAcquireRundownProtection(r) },
			leave:  func() { ExReleaseRundownProtection(r) },
			finish: func() { ExWaitForRundownProtectionRelease(r) },
			renew:  func() { ExReInitializeRundownProtection(r) },
		}, func() { ExInitializeRundownProtection(r) }
	}),
	"EX_RUNDOWN_REF_CACHE_AWARE": protecting(func(t *testing.T) (protection, func()) {
		r := kit.New[EX_RUNDOWN_REF_CACHE_AWARE](t)
		return protection{
			enter:  func() bool { return ExAcquireRundownProtectionCacheAware(r) },
			leave:  func() { ExReleaseRundownProtectionCacheAware(r) },
			finish: func() { ExWaitForRundownProtectionReleaseCacheAware(r) },
			renew:  func() { ExReInitializeRundownProtectionCacheAware(r) },
		}, func() { ExInitializeRundownProtectionCacheAware(r, ExSizeOfRundownProtectionCacheAware()) }
	}),
	"IO_REMOVE_LOCK": protecting(func(t *testing.T) (protection, func()) {
		l := kit.New[IO_REMOVE_LOCK](t)
		return protection{
			enter:  func() bool { return IoAcquireRemoveLock(l, nil) == STATUS_SUCCESS },
			leave:  func() { IoReleaseRemoveLock(l, nil) },
			finish: func() { IoReleaseRemoveLockAndWait(l, nil) },
			needs:  true,
		}, func() { IoInitializeRemoveLock(l, 0, 0, 0) }
	}),
}

// Operations of one-time initialization, with and without RTL_RUN_ONCE_ASYNC. The
// argument of complete is 1 if the initialization succeeded.
const (
	begin int32 = iota
	check
	complete
)

// Results of begin and check; above is the context, which is a player's.
const (
	mine    = -1 // STATUS_PENDING: the caller initializes
	notDone = -2 // STATUS_UNSUCCESSFUL
)

// initializing is the state: how many initialize, and the context once it is done.
type initializing struct{ running, context int32 }

func onceModel(async bool) *porcupine.Model {
	return &porcupine.Model{
		Init: func() any { return initializing{} },
		Step: func(state, input, output any) (bool, any) {
			i, s := state.(initializing), input.(*step)
			switch {
			case s.op == begin && s.result == mine:
				return i.context == 0 && (async || i.running == 0), initializing{i.running + 1, 0}
			case s.op == check && s.result == notDone:
				return i.context == 0, i
			case s.op != complete:
				return s.result == i.context && i.context > 0, i
			case s.result == notDone: // another was faster
				return async && i.context != 0, i
			case s.arg == 0:
				return i.context == 0 && i.running > 0, initializing{i.running - 1, 0}
			}
			return i.context == 0 && i.running > 0, initializing{i.running - 1, s.player + 1}
		},
	}
}

// onceUnit is what contexts are multiples of: their low bits are the word's own.
const onceUnit = 1 << 2

func initializingOnce(flags ULONG) scenario {
	async := flags == RTL_RUN_ONCE_ASYNC
	return scenario{model: onceModel(async), setup: func(t *testing.T) (func(), func(*player)) {
		o := kit.New[RTL_RUN_ONCE](t)
		contexts := kit.New[[threads]PVOID](t)
		look := func(p *player, flags ULONG) int32 {
			switch s := RtlRunOnceBeginInitialize(o, flags, &contexts[p.id]); s {
			case STATUS_PENDING:
				return mine
			case STATUS_SUCCESS:
				return int32(uintptr(contexts[p.id]) / onceUnit)
			}
			return notDone
		}
		ops := map[int32]func(*player, int32) int32{
			begin: func(p *player, _ int32) int32 { return look(p, flags) },
			check: func(p *player, _ int32) int32 { return look(p, RTL_RUN_ONCE_CHECK_ONLY) },
			complete: func(p *player, arg int32) int32 {
				how, context := flags, PVOID(unsafe.Pointer(uintptr(p.id+1)*onceUnit))
				if arg == 0 {
					how, context = RTL_RUN_ONCE_INIT_FAILED, nil
				}
				if RtlRunOnceComplete(o, how, context) != STATUS_SUCCESS {
					return notDone
				}
				return 1
			},
		}
		return func() { RtlRunOnceInitialize(o) }, func(p *player) {
			for range 4 {
				if p.draw(3) == 0 {
					p.do(check, 0, ops[check])
				}
				if p.do(begin, 0, ops[begin]) == mine {
					if p.draw(2) == 0 {
						dawdle()
					}
					p.do(complete, yes(async || p.draw(3) == 0), ops[complete])
				}
				p.rest()
			}
		}
	}}
}

var initializations = map[string]scenario{
	"RTL_RUN_ONCE":              initializingOnce(0),
	"RTL_RUN_ONCE asynchronous": initializingOnce(RTL_RUN_ONCE_ASYNC),
}
