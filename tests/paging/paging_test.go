// Package paging tests paged pool: pages that are taken away and come back, and
// pages that are locked. What must stop the machine, package internal/stops tests.
package paging

import (
	"fmt"
	"math/rand"
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/irql"
	"irqlab/mm"
	"irqlab/ntstatus"
	"irqlab/paging"
	"irqlab/pool"
	"irqlab/sync"
	"irqlab/tests/kit"
	"irqlab/verifier"
)

const page = 4096

// pages returns words in pages of paged pool, each set to its index.
func pages(t testing.TB, n int) []uint64 {
	t.Helper()
	p := pool.AllocPaged(uintptr(n*page), kit.Tag)
	if p == nil {
		t.Fatal("out of pool")
	}
	t.Cleanup(func() { pool.Free(p, kit.Tag) })
	words := unsafe.Slice((*uint64)(p), n*page/8)
	for i := range words {
		words[i] = uint64(i)
	}
	return words
}

func intact(t testing.TB, words []uint64) {
	t.Helper()
	for i, w := range words {
		if w != uint64(i) {
			t.Fatalf("word %d is %#x", i, w)
		}
	}
}

func state(p *uint64) (s mm.PageState) {
	kit.Kernel(func() { s, _ = mm.PagedState(uintptr(unsafe.Pointer(p))) })
	return s
}

// Pages go to the page file and come back as they were, and their memory is free
// meanwhile.
func TestPageOut(t *testing.T) {
	words := pages(t, 64)
	before := paging.ReadStats()
	if before.Present < 64 {
		t.Errorf("%d pages are present", before.Present)
	}
	paging.PageOut()
	s := paging.ReadStats()
	if s.Resident != 0 || s.Present != 0 || s.Away < 64 || s.Written < before.Written+64 {
		t.Errorf("%+v", s)
	}
	if got := state(&words[0]); got != mm.PageAway {
		t.Errorf("state %d", got)
	}
	intact(t, words)
	if s := paging.ReadStats(); s.Read < before.Read+64 || s.Resident < 64 {
		t.Errorf("%+v", s)
	}
}

// The tests' disk has a page file, so that is where pages go.
func TestOnDisk(t *testing.T) {
	if s := paging.ReadStats(); !s.OnDisk || s.Places == 0 {
		t.Errorf("%+v", s)
	}
}

// A page that is only unmapped comes back without the page file.
func TestTrim(t *testing.T) {
	words := pages(t, 8)
	before := paging.ReadStats()
	paging.Trim()
	if got := state(&words[0]); got != mm.PageStandby {
		t.Errorf("state %d", got)
	}
	intact(t, words)
	s := paging.ReadStats()
	if s.Soft < before.Soft+8 || s.Read != before.Read || s.Trimmed < before.Trimmed+8 {
		t.Errorf("%+v, before %+v", s, before)
	}
}

// Memory that was never touched is zero, and takes none until then.
func TestFirstTouch(t *testing.T) {
	p := pool.AllocPaged(16*page, kit.Tag)
	defer pool.Free(p, kit.Tag)
	words := unsafe.Slice((*uint64)(p), 16*page/8)
	if got := state(&words[8*page/8]); got != mm.PageZero {
		t.Errorf("state %d", got)
	}
	paging.PageOut()
	for i, w := range words {
		if w != 0 {
			t.Fatalf("word %d is %#x", i, w)
		}
	}
}

// Memory can be freed wherever its pages are, and leaves nothing behind.
func TestFreeAway(t *testing.T) {
	t.Run("", func(t *testing.T) { pages(t, 100) }) // the allocator's own table grows
	before := paging.ReadStats()
	for _, take := range []func(){func() {}, paging.Trim, paging.PageOut} {
		t.Run("", func(t *testing.T) {
			pages(t, 100)
			take()
		})
	}
	if s := paging.ReadStats(); s.Allocated != before.Allocated || s.Resident+s.Away > before.Allocated {
		t.Errorf("%+v, before %+v", s, before)
	}
}

// A page that is locked stays, and may be touched at any level. Locks nest.
func TestLock(t *testing.T) {
	words := pages(t, 4)
	va, n := uintptr(unsafe.Pointer(&words[page/8])), uintptr(2*page)
	paging.PageOut()
	for range 2 {
		if s := paging.Lock(va+100, n-200); s != ntstatus.Success {
			t.Fatal(s)
		}
	}
	for range 2 {
		paging.PageOut()
		kit.At(irql.Dispatch, func() {
			words[page/8+20]++
			words[3*page/8-20]++
		})
		if state(&words[0]) == mm.PagePresent || state(&words[3*page/8]) == mm.PagePresent {
			t.Error("a page beside those that are locked stays too")
		}
		kit.At(irql.Dispatch, func() { paging.Unlock(va+100, n-200) })
	}
	paging.PageOut()
	if got := state(&words[page/8]); got != mm.PageAway {
		t.Errorf("state %d after the last unlock", got)
	}
	words[page/8+20] -= 2
	words[3*page/8-20] -= 2
	intact(t, words)
}

// Memory that does not exist can't be locked, and nothing of it stays locked.
func TestLockNothing(t *testing.T) {
	words := pages(t, 2)
	va := uintptr(unsafe.Pointer(&words[0]))
	if s := paging.Lock(va, 3*page); s != ntstatus.AccessViolation {
		t.Error(s)
	}
	if s := paging.ReadStats(); s.Locked != 0 {
		t.Errorf("%d pages are locked", s.Locked)
	}
	if s := paging.Lock(0x1000_0000_0000, 1); s != ntstatus.AccessViolation {
		t.Error(s)
	}
	if s := paging.Lock(uintptr(unsafe.Pointer(kit.New[uint64](t))), 8); s != ntstatus.Success {
		t.Error(s)
	}
}

// Threads use blocks of all sizes while their pages come and go.
func TestStress(t *testing.T) {
	var stop atomic.Bool
	var threads []*kit.Thread
	for seed := range 3 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			random := rand.New(rand.NewSource(int64(seed)))
			var blocks [40][]byte
			for !stop.Load() {
				i := random.Intn(len(blocks))
				if b := blocks[i]; b != nil {
					for _, c := range b {
						if c != byte(i)+byte(seed) {
							panic(fmt.Sprintf("block %d has %#x", i, c))
						}
					}
					pool.Free(unsafe.Pointer(&b[0]), kit.Tag)
					blocks[i] = nil
					continue
				}
				n := random.Intn(600) + 1
				if random.Intn(10) == 0 {
					n *= 20
				}
				b := unsafe.Slice((*byte)(pool.AllocPagedUninitialized(uintptr(n), kit.Tag)), n)
				for j := range b {
					b[j] = byte(i) + byte(seed)
				}
				blocks[i] = b
			}
			for _, b := range blocks {
				if b != nil {
					pool.Free(unsafe.Pointer(&b[0]), kit.Tag)
				}
			}
			return 0
		}))
	}
	before := paging.ReadStats()
	kit.Until(t, "pages read and mapped again", func() bool {
		paging.Trim()
		paging.PageOut()
		s := paging.ReadStats()
		return s.Read > before.Read+200 && s.Soft > before.Soft
	})
	stop.Store(true)
	for _, th := range threads {
		th.Join(t)
	}
}

// When memory gets low the pager takes pages away by itself.
func TestPager(t *testing.T) {
	words := pages(t, 32)
	var taken []uintptr
	for ok := true; ok; {
		var pa uintptr
		kit.Kernel(func() {
			if ok = mm.ReadStats().Free > 900; ok {
				pa, ok = mm.AllocPage()
			}
		})
		if ok {
			taken = append(taken, pa)
		}
	}
	kit.Until(t, "the pager to take pages away", func() bool { return state(&words[0]) == mm.PageAway })
	for _, pa := range taken {
		kit.Kernel(func() { mm.FreePage(pa) })
	}
	intact(t, words)
}

// Lookaside lists of paged pool keep blocks whose pages may be away.
func TestLookaside(t *testing.T) {
	l := kit.New[sync.Lookaside](t)
	const paged = 1
	if s := l.Init(nil, nil, paged, 0, 100, kit.Tag); s != ntstatus.Success {
		t.Fatal(s)
	}
	var blocks [40]unsafe.Pointer
	for round := range 2 {
		for i := range blocks {
			blocks[i] = l.Get()
			if !mm.InPaged(uintptr(blocks[i])) {
				t.Fatalf("block at %p", blocks[i])
			}
		}
		for _, b := range blocks {
			l.Put(b)
		}
		paging.PageOut()
		if misses := int(l.AllocateMisses); round == 1 && misses != 40+40-int(l.Depth) {
			t.Errorf("%d misses", misses)
		}
	}
	l.Flush()
	if p := l.Get(); l.AllocateMisses == l.TotalAllocates || p == nil {
		t.Errorf("%d misses of %d", l.AllocateMisses, l.TotalAllocates)
	} else {
		pool.Free(p, kit.Tag)
	}
}

// With the verifier's rule paging no page stays when a driver raises, but those
// that are locked.
func TestRaise(t *testing.T) {
	if verifier.Rules()&verifier.Paging == 0 {
		t.Skip("needs the kernel option verifier=on")
	}
	words := pages(t, 2)
	va := uintptr(unsafe.Pointer(&words[0]))
	paging.Lock(va, 1)
	var locked, other mm.PageState
	kit.At(irql.Dispatch, func() { locked, other = state(&words[0]), state(&words[page/8]) })
	if locked != mm.PagePresent || other != mm.PageStandby {
		t.Errorf("states %d and %d", locked, other)
	}
	paging.Unlock(va, 1)
	intact(t, words)
}
