package pool

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"

	"irqlab/bugcheck"
)

// arena hands out pages of arenaMemory, each run followed by a page that is never
// used, as package mm does.
type arena struct {
	base   uintptr
	next   int // page to search from
	used   [arenaPages]bool
	mapped map[uintptr]int
}

// theArena serves the heap under test: its page functions carry no state.
var theArena *arena

const arenaPages = 4096

// arenaMemory is no memory of the Go runtime, whose garbage collector would stumble
// over a heap's pointers to what the heap knows by its address only.
var arenaMemory = func() []byte {
	m, err := syscall.Mmap(-1, 0, arenaPages*pageSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	return m
}()

func newHeap(t testing.TB, checked bool) *heap {
	clear(arenaMemory)
	a := &arena{base: uintptr(unsafe.Pointer(&arenaMemory[0])), mapped: map[uintptr]int{}}
	theArena = a
	stop = func(code bugcheck.Code, p1, p2, p3, p4 uintptr) {
		panic(stopped{code, [4]uintptr{p1, p2, p3, p4}})
	}
	return &heap{mapPages: mapTest, unmapPages: unmapTest, checked: checked}
}

type stopped struct {
	code bugcheck.Code
	p    [4]uintptr
}

func (s stopped) String() string { return fmt.Sprintf("%#x %#x", s.code, s.p) }

func mapTest(n int) (uintptr, bool) {
	a := theArena
	for range 2 {
		for run := 0; a.next < arenaPages; {
			if a.used[a.next] {
				run = 0
			} else {
				run++
			}
			if a.next++; run == n+1 {
				at := a.next - run
				for i := range run {
					a.used[at+i] = true
				}
				va := a.base + uintptr(at)*pageSize
				a.mapped[va] = n
				return va, true
			}
		}
		a.next = 0
	}
	return 0, false
}

func unmapTest(va uintptr, n int) {
	if theArena.mapped[va] != n {
		panic(fmt.Sprintf("unmap of %#x, %d pages: mapped were %d", va, n, theArena.mapped[va]))
	}
	delete(theArena.mapped, va)
	for i := range n + 1 {
		theArena.used[int(va-theArena.base)/pageSize+i] = false
	}
	fill(va, uintptr(n)*pageSize, 0xEE)
}

// expect runs f and returns the stop it ends in.
func expect(t *testing.T, what string, code bugcheck.Code, p1 uintptr, f func()) (p [4]uintptr) {
	t.Helper()
	defer func() {
		t.Helper()
		s, ok := recover().(stopped)
		if !ok || s.code != code || s.p[0] != p1 {
			t.Errorf("%s: stop %v, want code %#x, parameter 1 %#x", what, s, code, p1)
		}
		p = s.p
	}()
	f()
	return
}

func mustAlloc(t testing.TB, h *heap, size uintptr, tag Tag) uintptr {
	t.Helper()
	p, _ := h.alloc(size, tag, 0)
	if p == 0 {
		t.Fatalf("alloc(%d) failed", size)
	}
	return p
}

const testTag Tag = 'T' | 'e'<<8 | 's'<<16 | 't'<<24

// rule: pool-alignment
func TestAlignment(t *testing.T) {
	for _, checked := range []bool{true, false} {
		h := newHeap(t, checked)
		for size := uintptr(1); size <= 3*pageSize; size++ {
			p := mustAlloc(t, h, size, testTag)
			want := uintptr(unit)
			if size >= pageSize {
				want = pageSize
			}
			if p%want != 0 {
				t.Fatalf("alloc(%d) = %#x, not aligned to %d", size, p, want)
			}
			h.free(p, testTag)
		}
		if h.pages != h.spares {
			t.Errorf("%d pages held, %d of them spare", h.pages, h.spares)
		}
	}
}

// rule: pool-null-on-failure
func TestExhaustion(t *testing.T) {
	h := newHeap(t, true)
	var all []uintptr
	for {
		p, _ := h.alloc(3000, testTag, 0)
		if p == 0 {
			break
		}
		all = append(all, p)
	}
	if len(all) < arenaPages/3 {
		t.Fatalf("only %d allocations before the end", len(all))
	}
	if p, _ := h.alloc(^uintptr(0)-100, testTag, 0); p != 0 {
		t.Errorf("an absurd size succeeded")
	}
	for _, p := range all {
		h.free(p, testTag)
	}
	if s, _ := h.tags.nth(0); s.Bytes != 0 || s.Allocs != s.Frees || s.Peak != uintptr(len(all))*3000 {
		t.Errorf("account after freeing all: %+v", s)
	}
}

// rule: pool-double-free
// A request that cannot be met takes nothing, not even for the table of pages.
func TestTooLarge(t *testing.T) {
	h := newHeap(t, true)
	for _, pages := range []uintptr{arenaPages, maxPages, maxPages + 1} {
		if p, _ := h.alloc(pages*pageSize, testTag, 0); p != 0 || len(theArena.mapped) != 0 {
			t.Errorf("%d pages: at %#x, with %d runs of pages mapped", pages, p, len(theArena.mapped))
		}
	}
}

func TestDoubleFree(t *testing.T) {
	for _, checked := range []bool{true, false} {
		// Alone in the page, between neighbours in use, between free ones.
		for _, neighbours := range []string{"", "uu", "ff", "uf", "fu"} {
			h := newHeap(t, checked)
			mustAlloc(t, h, 40, testTag)
			var front, back uintptr
			if neighbours != "" {
				front = mustAlloc(t, h, 100, testTag)
			}
			p := mustAlloc(t, h, 64, testTag)
			if neighbours != "" {
				back = mustAlloc(t, h, 100, testTag)
				mustAlloc(t, h, 40, testTag)
				if neighbours[0] == 'f' {
					h.free(front, 0)
				}
				if neighbours[1] == 'f' {
					h.free(back, 0)
				}
			}
			h.free(p, 0)
			expect(t, "double free, neighbours "+neighbours, bugcheck.BadPoolCaller, alreadyFreed, func() { h.free(p, 0) })
		}
		h := newHeap(t, checked)
		p := mustAlloc(t, h, 64, testTag)
		h.free(p, 0)
		expect(t, "double free of a page's last block", bugcheck.BadPoolCaller, alreadyFreed, func() { h.free(p, 0) })
		q := mustAlloc(t, h, 2*pageSize, testTag)
		h.free(q, 0)
		expect(t, "double free of whole pages", bugcheck.BadPoolCaller, badAddress, func() { h.free(q, 0) })
	}
}

// rule: pool-wrong-tag-free
func TestWrongTag(t *testing.T) {
	h := newHeap(t, true)
	for _, size := range []uintptr{64, 2 * pageSize} {
		p := mustAlloc(t, h, size, testTag)
		got := expect(t, "wrong tag", bugcheck.BadPoolCaller, wrongTag, func() { h.free(p, testTag+1) })
		if got != [4]uintptr{wrongTag, p, uintptr(testTag), uintptr(testTag + 1)} {
			t.Errorf("parameters %#x", got)
		}
		h.free(p, testTag)
	}
}

// rule: pool-bad-free
func TestBadAddress(t *testing.T) {
	h := newHeap(t, true)
	p := mustAlloc(t, h, 640, testTag)
	big := mustAlloc(t, h, 3*pageSize, testTag)
	var local [64]byte
	for _, bad := range []uintptr{0, 8, p + 8, p + 32, big + pageSize, big + 16, uintptr(unsafe.Pointer(&local)) &^ 15} {
		expect(t, fmt.Sprintf("free(%#x)", bad), bugcheck.BadPoolCaller, badAddress, func() { h.free(bad, 0) })
	}
}

func TestOverrun(t *testing.T) {
	h := newHeap(t, true)
	for _, size := range []uintptr{1, 15, 16, 40, 64, 4000, 4040, 4095, pageSize + 1, 2*pageSize - 1} {
		p := mustAlloc(t, h, size, testTag)
		*(*byte)(unsafe.Pointer(p + size)) = 7
		got := expect(t, "overrun", bugcheck.BadPoolHeader, overrun, func() { h.free(p, 0) })
		if got != [4]uintptr{overrun, p, size, 7} {
			t.Errorf("size %d: parameters %#x", size, got)
		}
	}
}

func TestUseAfterFree(t *testing.T) {
	h := newHeap(t, true)
	p := mustAlloc(t, h, 100, testTag)
	mustAlloc(t, h, 100, testTag)
	h.free(p, 0)
	*(*byte)(unsafe.Pointer(p + 50)) = 0
	expect(t, "write after free", bugcheck.BadPoolHeader, patternFailed, func() { h.alloc(100, testTag, 0) })
}

func TestDamagedLinks(t *testing.T) {
	h := newHeap(t, true)
	p := mustAlloc(t, h, 100, testTag)
	mustAlloc(t, h, 100, testTag)
	h.free(p, 0)
	*(*uintptr)(unsafe.Pointer(p)) = p + 0x100000000
	expect(t, "damaged link", bugcheck.BadPoolHeader, badLinks, func() { h.alloc(100, testTag, 0) })
}

func TestDamagedHeader(t *testing.T) {
	h := newHeap(t, true)
	p := mustAlloc(t, h, 100, testTag)
	q := mustAlloc(t, h, 100, testTag)
	mustAlloc(t, h, 100, testTag)
	*(*byte)(unsafe.Pointer(q - headerSize + 2))++
	got := expect(t, "damaged header", bugcheck.BadPoolHeader, badHeader, func() { h.free(q, 0) })
	if got[1] != q-headerSize {
		t.Errorf("parameter 2 is %#x, want the header %#x", got[1], q-headerSize)
	}
	expect(t, "free next to a damaged header", bugcheck.BadPoolHeader, badHeader, func() { h.free(p, 0) })
}

func TestOwner(t *testing.T) {
	h := newHeap(t, true)
	for _, size := range []uintptr{1, 64, 100, 4000, pageSize, 3*pageSize - 5} {
		p := mustAlloc(t, h, size, testTag)
		for _, a := range []uintptr{p, p + size/2, p + size - 1} {
			lo, hi, tag, ok := h.owner(a)
			if !ok || lo != p || hi != p+size || tag != testTag {
				t.Errorf("size %d: owner(%#x) = %#x %#x %v %v", size, a, lo, hi, tag, ok)
			}
		}
		if _, _, _, ok := h.owner(p + size); ok {
			t.Errorf("size %d: the byte behind has an owner", size)
		}
		h.free(p, 0)
		if _, _, _, ok := h.owner(p); ok {
			t.Errorf("size %d: a freed address has an owner", size)
		}
	}
}

func TestTags(t *testing.T) {
	h := newHeap(t, true)
	for i := range Tag(2 * maxTags) {
		mustAlloc(t, h, 16, 0x41414141+i*0x01010101)
	}
	total, n := uintptr(0), 0
	for ; ; n++ {
		s, ok := h.tags.nth(n)
		if !ok {
			break
		}
		total += s.Bytes
	}
	if total != 2*maxTags*16 || n != maxTags+1 {
		t.Errorf("%d accounts hold %d bytes", n, total)
	}
	if TagOf("Ab") != 'A'|'b'<<8|' '<<16|' '<<24 {
		t.Errorf("TagOf pads wrongly")
	}
}

// block is what the model knows of an allocation.
type block struct {
	p, size uintptr
	tag     Tag
	mark    byte
}

// drive runs allocations and frees that script says against a model.
func drive(t testing.TB, h *heap, script func() (op, size uint32, ok bool)) {
	var live []block
	bytes := uintptr(0)
	for {
		op, n, ok := script()
		if !ok {
			break
		}
		if op%2 == 0 || len(live) == 0 {
			size := uintptr(n%300) + 1
			switch {
			case n%97 == 0:
				size = uintptr(n % (6 * pageSize))
			case n%13 == 0:
				size = uintptr(n % pageSize)
			}
			size = max(size, 1)
			b := block{size: size, tag: testTag + Tag(n%7), mark: byte(n)}
			b.p, _ = h.alloc(size, b.tag, 0)
			if b.p == 0 {
				continue
			}
			fill(b.p, size, b.mark)
			live = append(live, b)
			bytes += size
			continue
		}
		i := int(n) % len(live)
		b := live[i]
		if bad := filled(b.p, b.size, b.mark); bad != 0 {
			t.Fatalf("block %#x of %d bytes was changed at %#x", b.p, b.size, bad)
		}
		h.free(b.p, b.tag)
		bytes -= b.size
		live[i] = live[len(live)-1]
		live = live[:len(live)-1]
	}
	sum := uintptr(0)
	for i := 0; ; i++ {
		s, ok := h.tags.nth(i)
		if !ok {
			break
		}
		sum += s.Bytes
	}
	if sum != bytes {
		t.Fatalf("accounts say %d bytes, the model %d", sum, bytes)
	}
	for _, b := range live {
		if lo, hi, tag, ok := h.owner(b.p + b.size - 1); !ok || lo != b.p || hi != b.p+b.size || tag != b.tag {
			t.Fatalf("owner of %#x+%d: %#x %#x", b.p, b.size, lo, hi)
		}
		h.free(b.p, b.tag)
	}
	if h.pages != h.spares || h.spans.used != h.spares {
		t.Fatalf("after all is freed: %d pages, %d spare, %d spans", h.pages, h.spares, h.spans.used)
	}
}

func TestRandom(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		steps := 20000
		drive(t, newHeap(t, seed%2 == 0), func() (uint32, uint32, bool) {
			steps--
			op := r.Uint32()
			if steps%2000 < 1000 { // waves, so that pages fill and empty
				op &= r.Uint32()
			}
			return op, r.Uint32(), steps > 0
		})
	}
}

func FuzzHeap(f *testing.F) {
	f.Add([]byte("allocate, free, allocate"), true)
	f.Fuzz(func(t *testing.T, data []byte, checked bool) {
		drive(t, newHeap(t, checked), func() (uint32, uint32, bool) {
			if len(data) < 3 {
				return 0, 0, false
			}
			op, n := uint32(data[0]), uint32(data[1])|uint32(data[2])<<8
			data = data[3:]
			return op, n, true
		})
	})
}

func BenchmarkAllocFree(b *testing.B) {
	for _, checked := range []bool{true, false} {
		b.Run(fmt.Sprintf("checked=%v", checked), func(b *testing.B) {
			h := newHeap(b, checked)
			for range b.N {
				p, _ := h.alloc(64, testTag, 0)
				h.free(p, testTag)
			}
		})
	}
}

// Free memory is told from memory in use, the first words of it, which hold links,
// included; that of a page on its own too.
func TestFreed(t *testing.T) {
	h := newHeap(t, true)
	var blocks []uintptr
	for range 8 {
		p, _ := h.alloc(200, testTag, 0)
		blocks = append(blocks, p)
		fill(p, 200, 0)
	}
	check := func(p uintptr, want bool) {
		t.Helper()
		for o := uintptr(0); o < 200; o++ {
			if Freed(p+o) != want {
				t.Fatalf("byte %d of a block: freed %v", o, !want)
			}
		}
	}
	for i, p := range blocks {
		check(p, false)
		if i%3 != 0 {
			h.free(p, testTag)
			check(p, true)
		}
	}
	for i, p := range blocks {
		check(p, i%3 != 0)
	}
	for i, p := range blocks {
		if i%3 == 0 {
			h.free(p, testTag)
		}
	}
	for _, p := range blocks {
		check(p, true)
	}
}
