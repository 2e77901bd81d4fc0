//go:build irqlab

package bench

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	gosync "sync"
	"syscall"
	"testing"
	"unsafe"

	_ "irqlab"
	"irqlab/arch"
	"irqlab/bench/probe"
	"irqlab/entry"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/pool"
	"irqlab/sync"
	"irqlab/sync/spin"
	"irqlab/thread"
)

// results are the counts by operation.
var results = map[string]float64{}

func TestMain(m *testing.M) {
	results["ResetToMain"] = float64(arch.Counter() * instructionsPerTick)
	results["EntryToMain"] = float64((arch.Counter() - entry.Counter) * instructionsPerTick)
	debug.SetGCPercent(-1)
	code := m.Run()
	if len(results) > 1 { // some benchmark ran
		checks := "off"
		if spin.Checked {
			checks = "on"
		}
		fmt.Printf("guest instructions, checks %s; the aim is an upper bound:\n", checks)
		WriteTable(os.Stdout, runtime.GOARCH, results)
	}
	os.Exit(code)
}

// report gives the result per operation, of which each of the n iterations
// makes per.
func report(b *testing.B, rounds, baseline []uint64, n, per int) {
	v := (median(rounds) - median(baseline)) / float64(n*per)
	results[b.Name()[len("Benchmark"):]] = v
	b.ReportMetric(v, "insns/op")
	b.ReportMetric(0, "ns/op")
}

func median(v []uint64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	return float64(s[len(s)/2])
}

// inKernel measures an operation in a kernel thread.
func inKernel(b *testing.B, op, baseline *probe.Op, n, per int) {
	rounds, ok := probe.Measure(op, n)
	base, ok2 := probe.Measure(baseline, n)
	if !ok || !ok2 {
		b.Fatal("no memory for a thread")
	}
	report(b, rounds[:], base[:], n, per)
}

// inGo measures an operation in Go code of a thread; f is the loop.
func inGo(b *testing.B, n, per int, f func(n int)) {
	var rounds, base [probe.Rounds]uint64
	f(1)
	for i := range rounds {
		t := arch.Cycles()
		f(n)
		rounds[i] = arch.Cycles() - t
		t = arch.Cycles()
		loop(n)
		base[i] = arch.Cycles() - t
	}
	report(b, rounds[:], base[:], n, per)
}

func loop(n int) {
	for range n {
	}
}

const tag pool.Tag = 'B' | 'n'<<8 | 'c'<<16 | 'h'<<24

// object allocates a kernel object until the benchmark ends.
func object[T any](b *testing.B) *T {
	p := pool.Alloc(unsafe.Sizeof(*new(T)), tag)
	if p == nil {
		b.Fatal("no pool")
	}
	b.Cleanup(func() { pool.Free(p, tag) })
	return (*T)(p)
}

// lock makes the benchmark's goroutine own its thread, as a system thread does.
func lock(b *testing.B) {
	thread.Lock("")
	b.Cleanup(thread.Unlock)
}

// system starts a system thread; the function returned waits for its end.
func system(b *testing.B, fn func()) (join func()) {
	t, ok := thread.Start("bench", fn)
	if !ok {
		b.Fatal("no system thread")
	}
	return func() {
		sync.Wait(&t.Header, nil, false, kernel.KernelMode)
		t.Dereference()
	}
}

func BenchmarkRaiseLowerIRQL(b *testing.B) {
	b.Run("kernel", func(b *testing.B) { inKernel(b, &probe.RaiseLower, &probe.Loop, 1000, 1) })
	b.Run("Go", func(b *testing.B) {
		inGo(b, 1000, 1, func(n int) {
			for range n {
				irql.Lower(irql.Raise(irql.Dispatch))
			}
		})
	})
}

func BenchmarkSpinLock(b *testing.B) { inKernel(b, &probe.SpinLock, &probe.Loop, 1000, 1) }

func BenchmarkMutex(b *testing.B) {
	b.Run("kernel", func(b *testing.B) { inKernel(b, &probe.Mutex, &probe.Loop, 1000, 1) })
	b.Run("Go", func(b *testing.B) {
		lock(b)
		m := object[sync.Mutex](b)
		m.Init()
		inGo(b, 1000, 1, func(n int) {
			for range n {
				m.Wait(nil, false, kernel.KernelMode)
				m.Release()
			}
		})
	})
}

func BenchmarkFastMutex(b *testing.B) {
	b.Run("kernel", func(b *testing.B) { inKernel(b, &probe.FastMutex, &probe.Loop, 1000, 1) })
	b.Run("Go", func(b *testing.B) {
		lock(b)
		m := object[sync.FastMutex](b)
		m.Init()
		inGo(b, 1000, 1, func(n int) {
			for range n {
				m.Acquire()
				m.Release()
			}
		})
	})
}

func BenchmarkGuardedMutex(b *testing.B) {
	b.Run("kernel", func(b *testing.B) { inKernel(b, &probe.GuardedMutex, &probe.Loop, 1000, 1) })
	b.Run("Go", func(b *testing.B) {
		lock(b)
		m := object[sync.GuardedMutex](b)
		m.Init()
		inGo(b, 1000, 1, func(n int) {
			for range n {
				m.Acquire()
				m.Release()
			}
		})
	})
}

func BenchmarkEventSetWait(b *testing.B) {
	b.Run("kernel", func(b *testing.B) { inKernel(b, &probe.EventSetWait, &probe.Loop, 1000, 1) })
	b.Run("Go", func(b *testing.B) {
		e := object[sync.Event](b)
		e.InitSynchronization(false)
		inGo(b, 1000, 1, func(n int) {
			for range n {
				e.Set(0)
				e.Wait(nil, false, kernel.KernelMode)
			}
		})
	})
}

func BenchmarkEventPingPong(b *testing.B) {
	b.Run("kernel", func(b *testing.B) { inKernel(b, &probe.PingPong, &probe.Loop, 1000, 1) })
	b.Run("Go", func(b *testing.B) {
		lock(b)
		ping, pong := object[sync.Event](b), object[sync.Event](b)
		ping.InitSynchronization(false)
		pong.InitSynchronization(false)
		stop := false
		join := system(b, func() {
			for !stop {
				ping.Wait(nil, false, kernel.KernelMode)
				pong.Set(0)
			}
		})
		inGo(b, 200, 1, func(n int) {
			for range n {
				ping.Set(0)
				pong.Wait(nil, false, kernel.KernelMode)
			}
		})
		stop = true
		ping.Set(0)
		join()
	})
}

func BenchmarkYield(b *testing.B) { inKernel(b, &probe.Yield, &probe.Loop, 1000, 2) }

func BenchmarkInterruptToISR(b *testing.B) {
	inKernel(b, &probe.Interrupt, &probe.Clock, 1000, 1)
}

func BenchmarkISRToDPC(b *testing.B) { inKernel(b, &probe.Deferred, &probe.Clock, 1000, 1) }

func BenchmarkISRToDPCToThread(b *testing.B) { inKernel(b, &probe.Wake, &probe.Clock, 500, 1) }

func BenchmarkTimerSetCancel(b *testing.B) {
	b.Run("kernel", func(b *testing.B) { inKernel(b, &probe.TimerSetCancel, &probe.Loop, 1000, 1) })
	b.Run("Go", func(b *testing.B) {
		t := object[sync.Timer](b)
		t.InitNotification()
		inGo(b, 1000, 1, func(n int) {
			for range n {
				t.Set(-kernel.Second, 0, nil)
				t.Cancel()
			}
		})
	})
}

func BenchmarkThreadCreateJoin(b *testing.B) {
	b.Run("kernel", func(b *testing.B) { inKernel(b, &probe.Thread, &probe.Loop, 100, 1) })
	b.Run("Go", func(b *testing.B) {
		lock(b)
		inGo(b, 50, 1, func(n int) {
			for range n {
				system(b, func() {})()
			}
		})
	})
}

func BenchmarkNullKernelCall(b *testing.B) {
	inGo(b, 1000, 1, func(n int) {
		for range n {
			probe.Null()
		}
	})
}

func BenchmarkNullSystemCall(b *testing.B) {
	inGo(b, 1000, 1, func(n int) {
		for range n {
			syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
		}
	})
}

// roundTrips sends n values to another goroutine and gets them back.
func roundTrips(b *testing.B, n int, locked bool) {
	there, back := make(chan int), make(chan int)
	go func() {
		if locked {
			runtime.LockOSThread()
		}
		for v := range there {
			back <- v
		}
		close(back)
	}()
	inGo(b, n, 1, func(n int) {
		for i := range n {
			there <- i
			<-back
		}
	})
	close(there)
	<-back
}

func BenchmarkChannel(b *testing.B) { roundTrips(b, 500, false) }

func BenchmarkChannelLockedThreads(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	roundTrips(b, 200, true)
}

// BenchmarkGosched switches between two goroutines.
func BenchmarkGosched(b *testing.B) {
	stop, ended := false, make(chan bool)
	go func() {
		for !stop {
			runtime.Gosched()
		}
		close(ended)
	}()
	inGo(b, 500, 2, func(n int) {
		for range n {
			runtime.Gosched()
		}
	})
	stop = true
	<-ended
}

func BenchmarkMutexGo(b *testing.B) {
	var m gosync.Mutex
	inGo(b, 1000, 1, func(n int) {
		for range n {
			m.Lock()
			//lint:ignore SA2001 the pair is what is measured
			m.Unlock()
		}
	})
}

// BenchmarkResetToMain is from the processor's reset to TestMain. On q35 most of
// it is the firmware's, which the peers' machines do not have.
func BenchmarkResetToMain(b *testing.B) {
	b.ReportMetric(results["ResetToMain"], "insns/op")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkEntryToMain is the part of BenchmarkResetToMain that comes after the
// firmware's.
func BenchmarkEntryToMain(b *testing.B) {
	b.ReportMetric(results["EntryToMain"], "insns/op")
	b.ReportMetric(0, "ns/op")
}
