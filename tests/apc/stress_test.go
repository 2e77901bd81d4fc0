package apc

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"runtime"
	"runtime/debug"
	"strconv"
	gosync "sync"
	"sync/atomic"
	"testing"
	"time"

	"irqlab/apc"
	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/tests/kit"
)

type tree struct{ left, right *tree }

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{}
	}
	return &tree{grow(depth - 1), grow(depth - 1)}
}

func (t *tree) count() int {
	if t == nil {
		return 0
	}
	return 1 + t.left.count() + t.right.count()
}

// deep makes the goroutine's stack grow.
func deep(n int) byte {
	var frame [300]byte
	frame[n%300] = byte(n)
	if n == 0 {
		return frame[0]
	}
	return deep(n-1) | frame[n%300]
}

// everything uses the runtime in many ways and reports whether all came out
// right.
func everything() error {
	m := map[int]string{}
	for i := range 100 {
		m[i] = strconv.Itoa(i)
	}
	for k, v := range m {
		if strconv.Itoa(k) != v {
			return fmt.Errorf("map: %d is %s", k, v)
		}
	}
	if n := grow(8).count(); n != 511 {
		return fmt.Errorf("tree of %d", n)
	}
	c := make(chan int, 3)
	go func() {
		for i := range 50 {
			c <- i
		}
		close(c)
	}()
	var mu gosync.Mutex
	sum := 0
	for v := range c {
		mu.Lock()
		sum += v
		mu.Unlock()
	}
	if sum != 1225 {
		return fmt.Errorf("channel: %d", sum)
	}
	data := make([]byte, 2000)
	for i := range data {
		data[i] = byte(i)
	}
	if sha256.Sum256(data) != hash {
		return fmt.Errorf("hash of %x...", data[:8])
	}
	if err := dereference(nil); err == nil {
		return fmt.Errorf("no panic")
	}
	var x, y big.Int
	x.Exp(big.NewInt(3), big.NewInt(300), nil)
	if y.Mod(&x, big.NewInt(3)).Sign() != 0 {
		return fmt.Errorf("power of 3: %v", &x)
	}
	return nil
}

var hash = func() [32]byte {
	data := make([]byte, 2000)
	for i := range data {
		data[i] = byte(i)
	}
	return sha256.Sum256(data)
}()

func dereference(p *tree) (err any) {
	defer func() { err = recover() }()
	p.left = p
	return nil
}

// TestStress interrupts a thread that does everything with APCs that do so too,
// under a busy garbage collector.
func TestStress(t *testing.T) {
	const calls = 15
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	var stop atomic.Bool
	var n, rounds atomic.Int32
	var keep [][]byte
	th := kit.Go(t, func() ntstatus.Status {
		for !stop.Load() {
			if err := everything(); err != nil {
				t.Errorf("interrupted: %v", err)
				return 0
			}
			rounds.Add(1)
		}
		return 0
	})
	for range 2 {
		go func() {
			for !stop.Load() {
				grow(10)
				time.Sleep(100 * time.Microsecond)
			}
		}()
	}
	routine := func() {
		if self() != th.Kernel {
			t.Error("on another thread")
		}
		i := n.Load()
		if keep = append(keep, make([]byte, 2000)); len(keep) > 50 {
			keep = nil
		}
		switch {
		case i%10 == 3:
			if err := everything(); err != nil {
				t.Errorf("APC: %v", err)
			}
		case i%50 == 7:
			runtime.GC()
		case i%20 == 9:
			time.Sleep(time.Millisecond)
		case i%20 == 13:
			deep(100)
		}
		n.Add(1)
	}
	for i := range int32(calls) {
		if !apc.Call(th.Kernel, kernel.KernelMode, routine) {
			t.Fatal("not queued")
		}
		kit.Until(t, fmt.Sprintf("APC %d", i), func() bool { return n.Load() > i || t.Failed() })
	}
	stop.Store(true)
	th.Join(t)
	t.Logf("%d APCs in %d rounds", n.Load(), rounds.Load())
}
