package linux

import (
	"math/bits"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"irqlab/tests/kit"
)

const (
	futexWait = 128 // private
	futexWake = 129
)

func waitFutex(p *uint32, val uint32, timeout *syscall.Timespec) syscall.Errno {
	_, e := sys(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(p)), futexWait, uintptr(val), uintptr(unsafe.Pointer(timeout)))
	return e
}

func wakeFutex(p *uint32, n int) int {
	r, _ := sys(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(p)), futexWake, uintptr(n))
	return int(r)
}

func TestFutexValue(t *testing.T) {
	p := new(uint32)
	if e := waitFutex(p, 1, nil); e != syscall.EAGAIN {
		t.Errorf("another value: %v", e)
	}
	if _, e := sys(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(p))+1, futexWait); e != syscall.EINVAL {
		t.Errorf("odd address: %v", e)
	}
	if n := wakeFutex(p, 1); n != 0 {
		t.Errorf("woke %d of none", n)
	}
}

// A timeout is never early, not by a nanosecond.
func TestFutexTimeout(t *testing.T) {
	p := new(uint32)
	for _, ns := range []int64{0, 1, 99, 101, 12_345, 1_000_001, 7_777_777} {
		for range 5 {
			timeout := syscall.NsecToTimespec(ns)
			start := time.Now()
			e := waitFutex(p, 0, &timeout)
			// A signal of the runtime may end it.
			if d := time.Since(start); e == syscall.ETIMEDOUT && d < time.Duration(ns) {
				t.Errorf("%d ns took %v", ns, d)
			} else if e != syscall.ETIMEDOUT && e != syscall.EINTR {
				t.Errorf("%d ns: %v", ns, e)
			}
		}
	}
	if e := waitFutex(p, 0, &syscall.Timespec{Nsec: 1e9}); e != syscall.EINVAL {
		t.Errorf("a second's worth of ns: %v", e)
	}
}

func TestFutexWakeCount(t *testing.T) {
	p := new(uint32)
	var woken atomic.Int32
	const threads = 6
	for range threads {
		go func() {
			for waitFutex(p, 0, nil) == syscall.EINTR {
			}
			woken.Add(1)
		}()
	}
	total := 0
	kit.Until(t, "two threads woken", func() bool {
		total += wakeFutex(p, 2-total)
		return total == 2
	})
	kit.Until(t, "two threads running", func() bool { return woken.Load() == 2 })
	kit.Until(t, "all threads woken", func() bool {
		total += wakeFutex(p, 1<<30)
		return total == threads
	})
	kit.Until(t, "all threads running", func() bool { return woken.Load() == threads })
}

// Two threads hand a token back and forth by futexes alone: a wake that is lost
// stops them.
func TestFutexPingPong(t *testing.T) {
	const rounds = 3000
	token := new(uint32)
	side := func(me uint32) {
		for i := range uint32(rounds) {
			turn := 2*i + me
			for {
				v := atomic.LoadUint32(token)
				if v == turn {
					break
				}
				waitFutex(token, v, nil)
			}
			atomic.AddUint32(token, 1)
			wakeFutex(token, 1)
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { side(0) })
	wg.Go(func() { side(1) })
	wg.Wait()
	if *token != 2*rounds {
		t.Errorf("token %d", *token)
	}
}

func TestSleepNeverEarly(t *testing.T) {
	for _, ns := range []int64{1, 100, 101, 55_555, 3_000_001} {
		for range 5 {
			start := time.Now()
			ts := syscall.NsecToTimespec(ns)
			if e := syscall.Nanosleep(&ts, nil); e == nil && time.Since(start) < time.Duration(ns) {
				t.Errorf("%d ns took %v", ns, time.Since(start))
			}
		}
	}
}

// The clock of system calls and that of the vDSO are one, on all processors.
func TestClocks(t *testing.T) {
	var wg sync.WaitGroup
	var last atomic.Int64
	read := func() int64 {
		var ts syscall.Timespec
		sys(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&ts)))
		return ts.Nano()
	}
	base := time.Now()
	baseNs := read()
	for range runtime.NumCPU() {
		wg.Go(func() {
			for range 20_000 {
				before := last.Load()
				now := read()
				if now < before {
					t.Errorf("the clock went back by %d ns", before-now)
					return
				}
				for !last.CompareAndSwap(before, max(now, before)) {
					before = last.Load()
				}
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
	byCall, byVDSO := read()-baseNs, time.Since(base).Nanoseconds()
	if d := byVDSO - byCall; d < -int64(time.Millisecond) || d > int64(2*time.Second) {
		t.Errorf("%d ns by system call, %d ns by vDSO", byCall, byVDSO)
	}
	var wall syscall.Timespec
	sys(syscall.SYS_CLOCK_GETTIME, 0, uintptr(unsafe.Pointer(&wall)))
	if d := time.Now().UnixNano() - wall.Nano(); d < 0 || d > int64(2*time.Second) {
		t.Errorf("wall clocks differ by %d ns", d)
	}
}

func TestIdentity(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	seen := sync.Map{}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			runtime.LockOSThread() // and end with it
			id := syscall.Gettid()
			if _, twice := seen.LoadOrStore(id, true); twice || id == syscall.Getpid() {
				t.Errorf("thread ID %d twice, or that of the process", id)
			}
			time.Sleep(time.Millisecond)
		})
	}
	wg.Wait()
	var set [16]uint64
	n, e := sys(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set)))
	if e != 0 || n%8 != 0 || bits.OnesCount64(set[0]) != runtime.NumCPU() {
		t.Errorf("affinity %x, %d bytes, %v", set[0], n, e)
	}
}

func TestSignals(t *testing.T) {
	c := make(chan os.Signal, 10)
	signal.Notify(c, syscall.SIGUSR1, syscall.SIGTERM)
	defer signal.Stop(c)
	for _, s := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM} {
		if err := syscall.Kill(syscall.Getpid(), s); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-c:
			if got != s {
				t.Errorf("got %v, want %v", got, s)
			}
		case <-time.After(kit.Patience):
			t.Fatalf("%v did not arrive", s)
		}
	}
	if err := syscall.Tgkill(syscall.Getpid(), 99999, syscall.SIGUSR1); err != syscall.ESRCH {
		t.Errorf("a thread that does not exist: %v", err)
	}
	if err := syscall.Tgkill(syscall.Getpid(), syscall.Gettid(), 99); err != syscall.EINVAL {
		t.Errorf("a signal that does not exist: %v", err)
	}
}

// compute is sensitive to any change of a register or a flag.
//
//go:noinline
func compute(n int) (float64, uint64) {
	a, b, c, d := 1.0, 0.5, 0.25, 3.0
	x, y := uint64(1), uint64(0x9E3779B97F4A7C15)
	for i := range n {
		a, b, c, d = a*1.0000001+b, b*0.999999+c, c*1.0000003-d*0.001, d*0.99999+1
		x = x*6364136223846793005 + y
		y, _ = bits.Add64(y, x, uint64(i)&1)
		if x > y {
			y ^= x >> 7
		}
	}
	return a + b + c + d, x ^ y
}

// Computations give the same result however often signals interrupt them.
func TestSignalsRestoreRegisters(t *testing.T) {
	const n = 100_000
	f, u := compute(n)
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !stop.Load() {
			runtime.GC()
		}
	})
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for range 20 {
				if g, v := compute(n); g != f || v != u {
					t.Errorf("got %v %#x, want %v %#x", g, v, f, u)
					return
				}
			}
		})
	}
	workers.Wait()
	stop.Store(true)
	wg.Wait()
}

func TestThreadsComeAndGo(t *testing.T) {
	for range 5 {
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { runtime.LockOSThread() })
		}
		wg.Wait()
	}
}
