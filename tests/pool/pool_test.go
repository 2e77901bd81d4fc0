// Package pool tests the pool inside the machine; package irqlab/pool has the
// tests of its allocator.
package pool

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"irqlab/arch"
	"irqlab/dpc"
	"irqlab/irql"
	"irqlab/mm"
	"irqlab/ntstatus"
	"irqlab/paging"
	"irqlab/pool"
	"irqlab/sync"
	"irqlab/tests/kit"
)

// stat returns the account of a tag.
func stat(tag pool.Tag) pool.Stat {
	for i := 0; ; i++ {
		s, ok := pool.Stats(i)
		if !ok {
			return pool.Stat{}
		}
		if s.Tag == tag {
			return s
		}
	}
}

// rule: pool-alignment
// rule: pool-alloc2-zeroed
func TestAlloc(t *testing.T) {
	tag := pool.TagOf("Tst1")
	for _, size := range []uintptr{1, 16, 24, 100, 4000, 4096, 5000, 40000} {
		p := pool.Alloc(size, tag)
		align := uintptr(16)
		if size >= 4096 {
			align = 4096
		}
		if uintptr(p)%align != 0 || !mm.InPool(uintptr(p)) {
			t.Errorf("%d bytes at %p", size, p)
		}
		for i, b := range unsafe.Slice((*byte)(p), size) {
			if b != 0 {
				t.Errorf("%d bytes: byte %d is %#x", size, i, b)
				break
			}
		}
		lo, hi, got, ok := pool.Owner(uintptr(p) + size - 1)
		if !ok || lo != uintptr(p) || hi != lo+size || got != tag {
			t.Errorf("owner: %#x to %#x, %v", lo, hi, ok)
		}
		u := pool.AllocUninitialized(size, tag)
		if b := *(*byte)(u); b == 0 {
			t.Errorf("%d bytes of AllocUninitialized look cleared", size)
		}
		pool.Free(u, tag)
		pool.Free(p, tag)
	}
	if s := stat(tag); s.Allocs != 16 || s.Frees != 16 || s.Bytes != 0 || s.Peak != 80000 {
		t.Errorf("account %+v", s)
	}
}

// rule: pool-nonpaged-limit
func TestAtDispatch(t *testing.T) {
	tag := pool.TagOf("Tst2")
	var p [8]unsafe.Pointer
	kit.At(irql.Dispatch, func() {
		for i := range p {
			p[i] = pool.Alloc(1<<i, tag)
		}
		for i := range p {
			pool.Free(p[i], tag)
		}
	})
	if s := stat(tag); s.Allocs != 8 || s.Bytes != 0 {
		t.Errorf("account %+v", s)
	}
}

// rule: pool-null-on-failure
func TestExhaustion(t *testing.T) {
	tag := pool.TagOf("Tst3")
	if p := pool.Alloc(1<<40, tag); p != nil {
		t.Fatal("a terabyte")
	}
	type block struct{ next *block }
	var first *block
	n := 0
	for {
		b := (*block)(pool.AllocUninitialized(1<<20, tag))
		if b == nil {
			break
		}
		b.next = first
		first = b
		n++
	}
	if n == 0 || n > 4096 {
		t.Errorf("%d MiB", n)
	}
	for first != nil {
		b := first
		first = b.next
		pool.Free(unsafe.Pointer(b), tag)
	}
	if s := stat(tag); s.Bytes != 0 {
		t.Errorf("account %+v", s)
	}
}

// churn is what a DPC allocates and frees.
type churn struct {
	calls, failed uint32
	again         int32
	kept          [16]unsafe.Pointer
	d             dpc.Object
}

const churnTag pool.Tag = 'C' | 'h'<<8 | 'r'<<16 | 'n'<<24

// A large allocation comes cleared and goes whole.
func TestLarge(t *testing.T) {
	tag := pool.TagOf("TstL")
	for range 3 {
		size := paging.Memory().Free / 3 * arch.PageSize
		p := pool.Alloc(size, tag)
		if p == nil {
			t.Fatalf("no %d bytes though three times as many are free", size)
		}
		words := unsafe.Slice((*uint64)(p), size/8)
		for i := range words {
			if words[i] != 0 {
				t.Fatalf("word %d of %d is %#x", i, len(words), words[i])
			}
			words[i] = ^uint64(0)
		}
		pool.Free(p, tag)
	}
	if s := stat(tag); s.Bytes != 0 {
		t.Errorf("account after freeing all: %+v", s)
	}
}

func turn(d *dpc.Object, context, _, _ unsafe.Pointer) {
	c := (*churn)(context)
	n := c.calls
	c.calls++
	slot := &c.kept[n*7%16]
	if *slot != nil {
		pool.Free(*slot, churnTag)
	}
	if *slot = pool.Alloc(uintptr(n%3000+1), churnTag); *slot == nil {
		c.failed++
	}
	if c.again--; c.again > 0 {
		d.Insert(nil, nil)
	}
}

// TestContention allocates from threads and DPCs on all processors.
func TestContention(t *testing.T) {
	tag := pool.TagOf("Tst4")
	pages := pool.Pages()
	var all []*churn
	for cpu := range kit.CPUs() {
		c := kit.New[churn](t)
		c.again = 2000
		c.d.Init(turn, unsafe.Pointer(c))
		c.d.SetTarget(cpu)
		c.d.SetImportance(dpc.High)
		all = append(all, c)
	}
	var bad atomic.Int32
	var threads []*kit.Thread
	for k := range 3 {
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			var kept [32]*[2]uintptr
			for n := range 3000 {
				slot := &kept[(n*13+k)%32]
				if *slot != nil {
					if (*slot)[0] != uintptr(unsafe.Pointer(*slot)) || (*slot)[1] != uintptr(k) {
						bad.Add(1)
					}
					pool.Free(unsafe.Pointer(*slot), tag)
				}
				*slot = (*[2]uintptr)(pool.Alloc(uintptr(16+n%600), tag))
				**slot = [2]uintptr{uintptr(unsafe.Pointer(*slot)), uintptr(k)}
			}
			for _, b := range kept {
				pool.Free(unsafe.Pointer(b), tag)
			}
			return ntstatus.Success
		}))
	}
	for _, c := range all {
		c.d.Insert(nil, nil)
	}
	for _, c := range all {
		kit.Until(t, "the DPCs", func() bool { return atomic.LoadInt32(&c.again) <= 0 })
	}
	sync.FlushDPCs()
	for _, c := range all {
		if c.calls != 2000 || c.failed != 0 {
			t.Errorf("%d calls, %d without memory", c.calls, c.failed)
		}
		for _, p := range c.kept {
			if p != nil {
				pool.Free(p, churnTag)
			}
		}
	}
	for _, th := range threads {
		th.Join(t)
	}
	if s := stat(tag); bad.Load() != 0 || s.Bytes != 0 {
		t.Errorf("%d blocks changed, account %+v", bad.Load(), s)
	}
	if s := stat(churnTag); s.Bytes != 0 {
		t.Errorf("account of the DPCs %+v", s)
	}
	if now := pool.Pages(); now > pages+16 {
		t.Errorf("%d pages before, %d after", pages, now)
	}
}
