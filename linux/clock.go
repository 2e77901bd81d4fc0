package linux

import (
	"math/bits"
	"sync/atomic"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/irql"
	"irqlab/kernel"
)

// Clocks (clock_gettime(2)).
const (
	clockRealtime       = 0
	clockMonotonic      = 1
	clockProcessCPU     = 2
	clockThreadCPU      = 3
	clockMonotonicRaw   = 4
	clockRealtimeCoarse = 5
	clockCoarse         = 6
	clockBoottime       = 7
)

func clockGettime(clock, p uintptr) uintptr {
	var ns uint64
	switch clock {
	case clockRealtime, clockRealtimeCoarse:
		ns = uint64(kernel.UnixTime())
	case clockMonotonic, clockMonotonicRaw, clockCoarse, clockBoottime:
		ns = kernel.Nanotime()
	case clockThreadCPU:
		ns = cpuTime(kernel.Current().Cycles)
	case clockProcessCPU:
		ns = processTime()
	default:
		return eINVAL.result()
	}
	return writeTimespec(p, ns)
}

// cpuTime turns ticks of arch.Counter into ns. Time since a thread was last
// switched to is not in its count yet.
func cpuTime(ticks uint64) uint64 {
	_, mult := kernel.TimeScale()
	hi, lo := bits.Mul64(ticks, mult)
	return hi<<32 | lo>>32
}

// processTime returns what all threads of Go have used, those that have ended
// excepted.
func processTime() uint64 {
	sum := uint64(0)
	old := kernel.LockDispatcher()
	kernel.EachThread(func(t *kernel.Thread) bool {
		if stateOf(t) != nil {
			sum += t.Cycles
		}
		return true
	})
	kernel.UnlockDispatcher(old)
	return cpuTime(sum)
}

func clockGetres(clock, p uintptr) uintptr {
	if clock > clockBoottime {
		return eINVAL.result()
	}
	if p == 0 {
		return 0
	}
	return writeTimespec(p, 1)
}

func nanosleep(f *arch.Frame, s *state, request, remain uintptr) uintptr {
	t, e := readTimespec(request)
	if e != 0 {
		return e.result()
	}
	mayWait(f, irql.Current())
	return s.sleepThrough(after(t.ns()), remain)
}

// timerAbsolute is TIMER_ABSTIME of clock_nanosleep(2).
const timerAbsolute = 1

func clockNanosleep(f *arch.Frame, s *state, clock, flags, request, remain uintptr) uintptr {
	t, e := readTimespec(request)
	if e != 0 {
		return e.result()
	}
	mayWait(f, irql.Current())
	ns := t.ns()
	if flags&timerAbsolute != 0 {
		remain = 0
		switch clock {
		case clockRealtime:
			ns -= kernel.UnixTime()
		case clockMonotonic:
			ns -= int64(kernel.Nanotime())
		default:
			return eINVAL.result()
		}
	}
	return s.sleepThrough(after(ns), remain)
}

// sleepThrough waits for the deadline or a signal; what is left is stored at
// remain in that case.
func (s *state) sleepThrough(until deadline, remain uintptr) uintptr {
	for !until.passed() {
		if s.interrupted() {
			if remain != 0 {
				left := uint64(until) - min(uint64(until), kernel.InterruptTime())
				if r := writeTimespec(remain, left*100); r != 0 {
					return r
				}
			}
			return eINTR.result()
		}
		s.sleep(until)
	}
	return 0
}

// yieldTime is how long a thread that yields stays away, in ns. The runtime
// yields where it waits for another thread to take a few steps, say to notice a
// signal. At the tail of the ready queue it would wait for a quantum of every
// thread in front.
const yieldTime = 50_000

// schedYield passes the processor on, if anyone wants it. It does nothing at a
// raised level: there the runtime yields while it spins for a lock whose holder
// runs elsewhere.
func schedYield(s *state) uintptr {
	if irql.Current() < irql.Dispatch && kernel.AnyReady() {
		s.sleep(after(yieldTime))
	}
	return 0
}

// random is the state of getrandom's generator. It is SplitMix64 (Steele, Lea,
// Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014): good
// statistics, one atomic addition, and no secret worth keeping on this machine.
// With a seed on the command line it is all the entropy there is, so that runs
// repeat.
var (
	random uint64
	seeded bool
)

const golden = 0x9E3779B97F4A7C15

func initRandom() {
	if seed, ok := Option("seed"); ok {
		seeded = true
		for i := 0; i < len(seed); i++ {
			random = random*31 + uint64(seed[i])
		}
		return
	}
	random = board.Entropy()
}

func nextRandom() uint64 {
	z := atomic.AddUint64(&random, golden)
	if !seeded {
		z ^= board.Entropy()
	}
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// fillRandom fills b.
func fillRandom(b []byte) {
	var word uint64
	for i := range b {
		if i%8 == 0 {
			word = nextRandom()
		}
		b[i] = byte(word >> (i % 8 * 8))
	}
}

func getrandom(p, n uintptr) uintptr {
	const most = 256 // a longer request may be served in part
	n = min(n, most)
	if !writable(p, n) {
		return eFAULT.result()
	}
	fillRandom(bytesAt(p, n))
	return n
}
