package sync

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/chance"
	"irqlab/kernel"
)

// CacheAwareRundown is an EX_RUNDOWN_REF_CACHE_AWARE: run-down protection whose
// users are counted by processor, so that those who use an object on different
// processors do not pass a cache line to and fro. It has one owner that waits.
//
// Documentation: "Run-Down Protection".
type CacheAwareRundown struct {
	users  [arch.MaxCPUs]usersHere
	left   int64 // users that have not left, once all counts are taken; see Wait
	nobody kernel.Header
}

// usersHere are those who came on a processor less those who left there, in units
// of rundownUse, perhaps below zero; or rundownActive once the owner has taken
// the count.
type usersHere struct {
	word int64
	_    [56]byte // a cache line each
}

// Init makes r ready (ExInitializeRundownProtectionCacheAware).
//
// IRQL: <= APC_LEVEL
func (r *CacheAwareRundown) Init() {
	checkResident(unsafe.Pointer(r), unsafe.Sizeof(*r))
	r.left = 0
	r.nobody.Init(kernel.TypeNotificationEvent, unsafe.Sizeof(kernel.Header{}), 0)
	for i := range r.users {
		atomic.StoreInt64(&r.users[i].word, 0)
	}
}

// Initialized reports whether r looks as Init leaves it.
//
// IRQL: any
func (r *CacheAwareRundown) Initialized() bool {
	return r.nobody.Type == kernel.TypeNotificationEvent && r.nobody.Plausible()
}

// Acquire counts the caller as n users and returns true, or returns false if the
// end has been asked for (ExAcquireRundownProtectionCacheAwareEx).
//
// IRQL: <= DISPATCH_LEVEL
func (r *CacheAwareRundown) Acquire(n uint32) bool {
	return r.users[arch.ThisCPU().ID].add(int64(n))
}

func (u *usersHere) add(n int64) bool {
	for {
		word := atomic.LoadInt64(&u.word)
		chance.Point()
		if word&rundownActive != 0 {
			return false
		}
		if atomic.CompareAndSwapInt64(&u.word, word, word+n*rundownUse) {
			return true
		}
	}
}

// Release counts n users less, on whatever processor
// (ExReleaseRundownProtectionCacheAwareEx).
//
// IRQL: <= DISPATCH_LEVEL
func (r *CacheAwareRundown) Release(n uint32) {
	if r.users[arch.ThisCPU().ID].add(-int64(n)) {
		return
	}
	if atomic.AddInt64(&r.left, -int64(n)) == 0 {
		a := kernel.Args{P: unsafe.Pointer(&r.nobody)}
		kernel.Enter(signalNobody, &a)
	}
}

func signalNobody(a *kernel.Args) { kernel.SignalHeader((*kernel.Header)(a.P), 0) }

// Wait refuses further users and returns when those there are have left
// (ExWaitForRundownProtectionReleaseCacheAware). Waiting again returns at once.
//
// Those who leave while the counts are being taken make left negative; adding
// the counts then brings it to the number of those who stay. It is zero only
// when all have left.
//
// IRQL: <= APC_LEVEL
func (r *CacheAwareRundown) Wait() {
	switch left := r.take(); {
	case left > 0:
		Wait(&r.nobody, nil, false, kernel.KernelMode)
	case left < 0:
		notAcquired.violated("run-down protection was released more often than acquired", uintptr(unsafe.Pointer(r)))
	}
}

// take ends the counting and returns the number of users that have not left.
func (r *CacheAwareRundown) take() int64 {
	sum := int64(0)
	for i := range r.users {
		chance.Point()
		sum += atomic.SwapInt64(&r.users[i].word, rundownActive) / rundownUse
	}
	return atomic.AddInt64(&r.left, sum)
}

// Reinit makes r ready again after Wait
// (ExReInitializeRundownProtectionCacheAware).
//
// IRQL: <= APC_LEVEL
func (r *CacheAwareRundown) Reinit() { r.Init() }

// Completed makes r as it is after Wait (ExRundownCompletedCacheAware).
//
// IRQL: <= APC_LEVEL
func (r *CacheAwareRundown) Completed() {
	for i := range r.users {
		atomic.StoreInt64(&r.users[i].word, rundownActive)
	}
}
