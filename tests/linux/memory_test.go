// Package linux tests the system calls of package linux as a program sees them.
package linux

import (
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"

	_ "irqlab" // boots the kernel
)

const page = 4096

// sys makes a system call.
func sys(nr uintptr, a ...uintptr) (uintptr, syscall.Errno) {
	var b [6]uintptr
	copy(b[:], a)
	r, _, e := syscall.Syscall6(nr, b[0], b[1], b[2], b[3], b[4], b[5])
	return r, e
}

const (
	anonymous = syscall.MAP_PRIVATE | syscall.MAP_ANON
	readWrite = syscall.PROT_READ | syscall.PROT_WRITE
	noReplace = 0x100000 // MAP_FIXED_NOREPLACE
)

func mmap(t *testing.T, at, n uintptr, prot, flags int) uintptr {
	t.Helper()
	r, e := sys(syscall.SYS_MMAP, at, n, uintptr(prot), uintptr(flags), ^uintptr(0), 0)
	if e != 0 {
		t.Fatalf("mmap(%#x, %#x): %v", at, n, e)
	}
	t.Cleanup(func() { sys(syscall.SYS_MUNMAP, r, n) })
	return r
}

func word(p uintptr) *uint64 { return (*uint64)(*(*unsafe.Pointer)(unsafe.Pointer(&p))) }

// faults reports whether f ends in a memory fault.
func faults(f func()) (faulted bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { faulted = recover() != nil }()
	f()
	return false
}

func TestMapFresh(t *testing.T) {
	p := mmap(t, 0, 8*page, readWrite, anonymous)
	for i := uintptr(0); i < 8*page; i += 8 {
		if *word(p + i) != 0 {
			t.Fatalf("byte %d of fresh memory is not zero", i)
		}
	}
}

func TestMapErrors(t *testing.T) {
	p := mmap(t, 0, 4*page, readWrite, anonymous)
	for _, c := range []struct {
		what        string
		at, n       uintptr
		prot, flags int
		want        syscall.Errno
	}{
		{"empty", 0, 0, readWrite, anonymous, syscall.EINVAL},
		{"taken", p + page, page, readWrite, anonymous | noReplace, syscall.EEXIST},
		{"too large", 0, 1 << 48, readWrite, anonymous, syscall.ENOMEM},
		{"more than there is", 0, 1 << 40, readWrite, anonymous | syscall.MAP_FIXED, syscall.ENOMEM},
		{"odd address", p + 1, page, readWrite, anonymous | syscall.MAP_FIXED, syscall.ENOMEM},
		{"neither private nor shared", 0, page, readWrite, syscall.MAP_ANON, syscall.EINVAL},
	} {
		if _, e := sys(syscall.SYS_MMAP, c.at, c.n, uintptr(c.prot), uintptr(c.flags), ^uintptr(0), 0); e != c.want {
			t.Errorf("%s: %v, want %v", c.what, e, c.want)
		}
	}
}

// A hint is taken if the place is free, else another place is found.
func TestMapHint(t *testing.T) {
	p := mmap(t, 0, 4*page, readWrite, anonymous)
	sys(syscall.SYS_MUNMAP, p, 4*page)
	if q := mmap(t, p, 2*page, readWrite, anonymous); q != p {
		t.Errorf("hint %#x was free, got %#x", p, q)
	}
	if q := mmap(t, p, page, readWrite, anonymous); q == p {
		t.Error("a hint replaced a mapping")
	}
}

func TestMapFixedReplaces(t *testing.T) {
	p := mmap(t, 0, 3*page, readWrite, anonymous)
	for i := range uintptr(3) {
		*word(p + i*page) = 7
	}
	mmap(t, p+page, page, readWrite, anonymous|syscall.MAP_FIXED)
	if a, b, c := *word(p), *word(p + page), *word(p + 2*page); a != 7 || b != 0 || c != 7 {
		t.Errorf("words %d %d %d, want 7 0 7", a, b, c)
	}
}

func TestUnmap(t *testing.T) {
	p := mmap(t, 0, 3*page, readWrite, anonymous)
	*word(p + page) = 1
	if _, e := sys(syscall.SYS_MUNMAP, p+page, page); e != 0 {
		t.Fatal(e)
	}
	if !faults(func() { *word(p + page) = 2 }) {
		t.Error("unmapped memory can be written")
	}
	*word(p), *word(p + 2*page) = 1, 1
}

// Memory made inaccessible keeps its contents.
func TestProtect(t *testing.T) {
	p := mmap(t, 0, 2*page, readWrite, anonymous)
	*word(p) = 42
	protect := func(prot uintptr) {
		t.Helper()
		if _, e := sys(syscall.SYS_MPROTECT, p, 2*page, prot); e != 0 {
			t.Fatal(e)
		}
	}
	protect(syscall.PROT_NONE)
	if !faults(func() { _ = *word(p) }) {
		t.Error("inaccessible memory can be read")
	}
	protect(syscall.PROT_READ)
	if *word(p) != 42 {
		t.Errorf("contents are %d", *word(p))
	}
	if !faults(func() { *word(p) = 1 }) || !faults(func() { *word(p + page) = 1 }) {
		t.Error("read-only memory can be written")
	}
	protect(readWrite)
	*word(p), *word(p + page) = 43, 1
	sys(syscall.SYS_MUNMAP, p, page)
	if _, e := sys(syscall.SYS_MPROTECT, p, 2*page, readWrite); e != syscall.ENOMEM {
		t.Errorf("a hole: %v", e)
	}
}

func TestDiscard(t *testing.T) {
	p := mmap(t, 0, 200*page, readWrite, anonymous)
	for i := range uintptr(200) {
		*word(p + i*page) = 9
	}
	if _, e := sys(syscall.SYS_MADVISE, p+page, 198*page, syscall.MADV_DONTNEED); e != 0 {
		t.Fatal(e)
	}
	for i := range uintptr(200) {
		want := uint64(0)
		if i == 0 || i == 199 {
			want = 9
		}
		if *word(p + i*page) != want {
			t.Fatalf("page %d holds %d, want %d", i, *word(p + i*page), want)
		}
	}
}

func TestMincore(t *testing.T) {
	p := mmap(t, 0, 4*page, readWrite, anonymous)
	*word(p + 2*page) = 1
	var vec [4]byte
	if _, e := sys(syscall.SYS_MINCORE, p, 4*page, uintptr(unsafe.Pointer(&vec))); e != 0 {
		t.Fatal(e)
	}
	if vec != [4]byte{0, 0, 1, 0} {
		t.Errorf("present: %v", vec)
	}
}

// Pointers that lead nowhere are an error of the program, not its end.
func TestBadPointers(t *testing.T) {
	const bad = 0x123000
	for _, c := range []struct {
		what string
		nr   uintptr
		a    []uintptr
	}{
		{"write", syscall.SYS_WRITE, []uintptr{1, bad, 5}},
		{"read", syscall.SYS_READ, []uintptr{0, bad, 5}},
		{"clock_gettime", syscall.SYS_CLOCK_GETTIME, []uintptr{0, bad}},
		{"nanosleep", syscall.SYS_NANOSLEEP, []uintptr{bad, 0}},
		{"pipe2", syscall.SYS_PIPE2, []uintptr{bad, 0}},
		{"uname", syscall.SYS_UNAME, []uintptr{bad}},
		{"sigaltstack", syscall.SYS_SIGALTSTACK, []uintptr{0, bad}},
		{"getrandom", getrandom, []uintptr{bad, 8, 0}},
		{"wraps around", syscall.SYS_WRITE, []uintptr{1, ^uintptr(0) - 10, 100}},
	} {
		if _, e := sys(c.nr, c.a...); e != syscall.EFAULT {
			t.Errorf("%s: %v", c.what, e)
		}
	}
	if _, e := sys(400); e != syscall.ENOSYS {
		t.Errorf("an unknown call: %v", e)
	}
}
