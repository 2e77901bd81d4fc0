package schedules

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/sync"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// Operations of locks.
const (
	exclusive int32 = iota
	shared
	tryExclusive
	tryShared
	release
	convert // the exclusive owner becomes a sharer
	upgrade // the only sharer becomes the exclusive owner, if it can
	meet    // somebody else is inside who must not be
)

// users are those who hold a lock.
type users struct{ exclusive, shared int }

// lockModel is a reader-writer lock; a mutex is one without readers. When an
// attempt may fail it does not say: see contended.
var lockModel = &porcupine.Model{
	Init: func() any { return users{} },
	Step: func(state, input, output any) (bool, any) {
		u, s := state.(users), input.(*step)
		free := u == users{}
		switch s.op {
		case exclusive:
			return free, users{exclusive: 1}
		case shared:
			return u.exclusive == 0, users{shared: u.shared + 1}
		case tryExclusive:
			if s.result == 0 {
				return true, u
			}
			return free, users{exclusive: 1}
		case tryShared:
			if s.result == 0 {
				return true, u
			}
			return u.exclusive == 0, users{shared: u.shared + 1}
		case convert:
			return u.exclusive == 1, users{shared: 1}
		case upgrade:
			if s.result == 0 {
				return u.shared > 0, u
			}
			return u.shared == 1, users{exclusive: 1}
		}
		if u.exclusive == 1 {
			return true, users{}
		}
		return u.shared > 0, users{shared: u.shared - 1}
	},
}

// contended checks that a thread inside was never with another that excludes it,
// and that an attempt failed for a reason: another thread held the
// lock, or was about to take it. That one may have given way already, so that for
// a moment nobody holds the lock and yet nobody gets it, which no state of a lock
// says.
func contended(h []step) error {
	for i := range h {
		try := &h[i]
		if try.op == meet {
			return fmt.Errorf("at %d two are inside, and one of them alone", try.call)
		}
		if try.result == 1 || try.op != tryExclusive && try.op != tryShared && try.op != upgrade {
			continue
		}
		reason, taken := false, int64(0)
		for j := range h {
			s := &h[j]
			if s.player == try.player || s.result == 0 {
				continue
			}
			if taken == 0 {
				taken = s.call
			}
			reason = reason || taken < try.back && s.back > try.call
			if s.op == release {
				taken = 0
			}
		}
		if !reason {
			return fmt.Errorf("the attempt at %d failed though nobody else was there", try.call)
		}
	}
	return nil
}

// lock is a lock as scripts use it. What a kind of lock does not have is nil.
type lock struct {
	exclusive, shared       func(p *player)
	tryExclusive, tryShared func(p *player) bool
	convert                 func(p *player)
	upgrade                 func(p *player) bool
	release, releaseShared  func(p *player)
}

// room is what a lock protects: it counts who is inside.
type room struct{ writers, readers atomic.Int32 }

// yes is a result.
func yes(ok bool) int32 {
	if ok {
		return 1
	}
	return 0
}

// locking makes a scenario of a lock. Make returns a lock and what makes it free
// again.
func locking(make func(t *testing.T) (lock, func())) scenario {
	return scenario{model: lockModel, check: contended, setup: func(t *testing.T) (func(), func(*player)) {
		l, reset := make(t)
		r := &rounds{lock: l}
		r.prepare()
		return reset, r.play
	}}
}

// rounds is the script of locks. Its steps are functions that exist beforehand,
// for under a spin lock nothing can be allocated.
type rounds struct {
	lock lock
	room room

	acquire                                  [4]func(*player, int32) int32
	ways                                     []int32
	convert, upgrade, release, releaseShared func(*player, int32) int32
}

func (r *rounds) prepare() {
	l := &r.lock
	r.ways = append(r.ways, exclusive)
	r.acquire[exclusive] = func(p *player, _ int32) int32 { l.exclusive(p); return 1 }
	if l.shared != nil {
		r.ways = append(r.ways, shared, shared)
		r.acquire[shared] = func(p *player, _ int32) int32 { l.shared(p); return 1 }
	}
	if l.tryExclusive != nil {
		r.ways = append(r.ways, tryExclusive)
		r.acquire[tryExclusive] = func(p *player, _ int32) int32 { return yes(l.tryExclusive(p)) }
	}
	if l.tryShared != nil {
		r.ways = append(r.ways, tryShared)
		r.acquire[tryShared] = func(p *player, _ int32) int32 { return yes(l.tryShared(p)) }
	}
	if l.convert != nil {
		r.convert = func(p *player, _ int32) int32 { l.convert(p); return 1 }
	}
	if l.upgrade != nil {
		r.upgrade = func(p *player, _ int32) int32 { return yes(l.upgrade(p)) }
	}
	r.release = func(p *player, _ int32) int32 { l.release(p); return 1 }
	r.releaseShared = r.release
	if l.releaseShared != nil {
		r.releaseShared = func(p *player, _ int32) int32 { l.releaseShared(p); return 1 }
	}
}

// play takes the lock a few times, one way or another.
func (r *rounds) play(p *player) {
	for range 4 {
		way := r.ways[p.draw(len(r.ways))]
		change := p.draw(2) == 0
		if p.do(way, 0, r.acquire[way]) == 0 {
			continue
		}
		writes := way == exclusive || way == tryExclusive
		r.visit(p, writes)
		switch {
		case change && writes && r.convert != nil:
			p.do(convert, 0, r.convert)
			writes = false
			r.visit(p, writes)
		case change && !writes && r.upgrade != nil:
			if writes = p.do(upgrade, 0, r.upgrade) == 1; writes {
				r.visit(p, writes)
			}
		}
		if writes || r.releaseShared == nil {
			p.do(release, 0, r.release)
		} else {
			p.do(release, 0, r.releaseShared)
		}
		p.rest()
	}
}

func met(*player, int32) int32 { return 1 }

// visit is the time inside.
func (r *rounds) visit(p *player, writes bool) {
	in := &r.room.readers
	if writes {
		in = &r.room.writers
	}
	in.Add(1)
	arch.Pause()
	if irql.Current() < irql.Dispatch && p.draw(4) == 0 {
		dawdle()
	}
	w, n := r.room.writers.Load(), r.room.readers.Load()
	if w > 1 || w == 1 && n != 0 {
		p.do(meet, 0, met)
	}
	in.Add(-1)
}

func init() { add(mutexes); add(sharedLocks); add(spinLocks) }

var mutexes = map[string]scenario{
	"FAST_MUTEX": locking(func(t *testing.T) (lock, func()) {
		m := kit.New[FAST_MUTEX](t)
		return lock{
			exclusive:    func(*player) { ExAcquireFastMutex(m) },
			tryExclusive: func(*player) bool { return ExTryToAcquireFastMutex(m) },
			release:      func(*player) { ExReleaseFastMutex(m) },
		}, func() { ExInitializeFastMutex(m) }
	}),
	"FAST_MUTEX unsafe": locking(func(t *testing.T) (lock, func()) {
		m := kit.New[FAST_MUTEX](t)
		return lock{
			exclusive: func(*player) { ExEnterCriticalRegionAndAcquireFastMutexUnsafe(m) },
			release:   func(*player) { ExReleaseFastMutexUnsafeAndLeaveCriticalRegion(m) },
		}, func() { ExInitializeFastMutex(m) }
	}),
	"KGUARDED_MUTEX": locking(func(t *testing.T) (lock, func()) {
		m := kit.New[KGUARDED_MUTEX](t)
		return lock{
			exclusive:    func(*player) { KeAcquireGuardedMutex(m) },
			tryExclusive: func(*player) bool { return KeTryToAcquireGuardedMutex(m) },
			release:      func(*player) { KeReleaseGuardedMutex(m) },
		}, func() { KeInitializeGuardedMutex(m) }
	}),
	"KGUARDED_MUTEX unsafe": locking(func(t *testing.T) (lock, func()) {
		m := kit.New[KGUARDED_MUTEX](t)
		return lock{
			exclusive: func(*player) { KeEnterGuardedRegion(); KeAcquireGuardedMutexUnsafe(m) },
			release:   func(*player) { KeReleaseGuardedMutexUnsafe(m); KeLeaveGuardedRegion() },
		}, func() { KeInitializeGuardedMutex(m) }
	}),
}

// resource makes the scenario of an ERESOURCE with one of the ways to share it.
func resource(share func(PERESOURCE, bool) bool) scenario {
	return locking(func(t *testing.T) (lock, func()) {
		r := kit.New[ERESOURCE](t)
		ExInitializeResourceLite(r)
		t.Cleanup(func() { ExDeleteResourceLite(r) })
		in := func(ok bool) bool {
			if !ok {
				KeLeaveCriticalRegion()
			}
			return ok
		}
		return lock{
			exclusive:    func(*player) { ExEnterCriticalRegionAndAcquireResourceExclusive(r) },
			shared:       func(*player) { KeEnterCriticalRegion(); share(r, true) },
			tryExclusive: func(*player) bool { KeEnterCriticalRegion(); return in(ExAcquireResourceExclusiveLite(r, false)) },
			tryShared:    func(*player) bool { KeEnterCriticalRegion(); return in(share(r, false)) },
			convert:      func(*player) { ExConvertExclusiveToSharedLite(r) },
			release:      func(*player) { ExReleaseResourceAndLeaveCriticalRegion(r) },
		}, func() {}
	})
}

var sharedLocks = map[string]scenario{
	"EX_PUSH_LOCK": locking(func(t *testing.T) (lock, func()) {
		l := kit.New[sync.PushLock](t)
		in := func(ok bool) bool {
			if !ok {
				KeLeaveCriticalRegion()
			}
			return ok
		}
		return lock{
			exclusive:     func(*player) { KeEnterCriticalRegion(); ExAcquirePushLockExclusive(l) },
			shared:        func(*player) { KeEnterCriticalRegion(); ExAcquirePushLockShared(l) },
			tryExclusive:  func(*player) bool { KeEnterCriticalRegion(); return in(ExTryAcquirePushLockExclusive(l)) },
			tryShared:     func(*player) bool { KeEnterCriticalRegion(); return in(ExTryAcquirePushLockShared(l)) },
			release:       func(*player) { ExReleasePushLockExclusive(l); KeLeaveCriticalRegion() },
			releaseShared: func(*player) { ExReleasePushLockShared(l); KeLeaveCriticalRegion() },
		}, func() { ExInitializePushLock(l) }
	}),
	"ERESOURCE":                 resource(ExAcquireResourceSharedLite),
	"ERESOURCE starving":        resource(ExAcquireSharedStarveExclusive),
	"ERESOURCE waiting in line": resource(ExAcquireSharedWaitForExclusive),
}

var spinLocks = map[string]scenario{
	"KSPIN_LOCK": locking(func(t *testing.T) (lock, func()) {
		l := kit.New[KSPIN_LOCK](t)
		return lock{
			exclusive:    func(p *player) { KeAcquireSpinLock(l, &p.old) },
			tryExclusive: func(p *player) bool { return KeTryToAcquireSpinLock(l, &p.old) },
			release:      func(p *player) { KeReleaseSpinLock(l, p.old) },
		}, func() { KeInitializeSpinLock(l) }
	}),
	"KSPIN_LOCK in-stack queued": locking(func(t *testing.T) (lock, func()) {
		l := kit.New[KSPIN_LOCK](t)
		return lock{
			exclusive: func(p *player) { KeAcquireInStackQueuedSpinLock(l, p.handle) },
			release:   func(p *player) { KeReleaseInStackQueuedSpinLock(p.handle) },
		}, func() { KeInitializeSpinLock(l) }
	}),
	"KSPIN_LOCK of an interrupt": locking(func(t *testing.T) (lock, func()) {
		var i PKINTERRUPT
		s := IoConnectInterrupt(&i, func(PKINTERRUPT, PVOID) BOOLEAN { return true }, nil, nil,
			SoftwareVector, 5, irql.DeviceMax, Latched, false, 1, false)
		if s != STATUS_SUCCESS {
			t.Fatal(s)
		}
		t.Cleanup(func() { IoDisconnectInterrupt(i) })
		return lock{
			exclusive: func(p *player) { p.old = KeAcquireInterruptSpinLock(i) },
			release:   func(p *player) { KeReleaseInterruptSpinLock(i, p.old) },
		}, func() {}
	}),
	"EX_SPIN_LOCK": locking(func(t *testing.T) (lock, func()) {
		l := kit.New[EX_SPIN_LOCK](t)
		return lock{
			exclusive:     func(p *player) { p.old = ExAcquireSpinLockExclusive(l) },
			shared:        func(p *player) { p.old = ExAcquireSpinLockShared(l) },
			upgrade:       func(*player) bool { return ExTryConvertSharedSpinLockExclusive(l) },
			release:       func(p *player) { ExReleaseSpinLockExclusive(l, p.old) },
			releaseShared: func(p *player) { ExReleaseSpinLockShared(l, p.old) },
		}, func() {}
	}),
}
