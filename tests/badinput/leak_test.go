package badinput

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"irqlab/pool"
	"irqlab/tests/kit"
)

// balance is how much memory of pool, nonpaged and paged, each tag has.
type balance [2]map[string]uintptr

// comesAndGoes are tags that others use meanwhile: threads of the Go runtime, and
// the handle table, which stays as large as it once was.
const comesAndGoes = "Thre Obtb"

func takeBalance() (b balance) {
	for i, stats := range [...]func(int) (pool.Stat, bool){pool.Stats, pool.PagedStats} {
		b[i] = map[string]uintptr{}
		for n := 0; ; n++ {
			s, more := stats(n)
			if !more {
				break
			}
			if tag := s.Tag.Chars(); !strings.Contains(comesAndGoes, string(tag[:])) {
				b[i][string(tag[:])] = s.Bytes
			}
		}
	}
	return b
}

// grown says what has grown since then.
func (before *balance) grown() string {
	var s strings.Builder
	for i, now := range takeBalance() {
		for tag, bytes := range now {
			if bytes > before[i][tag] {
				fmt.Fprintf(&s, "%q has %d bytes more; ", tag, bytes-before[i][tag])
			}
		}
	}
	return s.String()
}

// noLeaks checks at the end of the test that nothing of what calls have created is
// left: no object, handle or reference, and no memory.
func noLeaks(t *testing.T) {
	kit.NoLeaks(t)
	before := takeBalance()
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		for end := time.Now().Add(kit.Patience); ; time.Sleep(time.Millisecond) {
			left := before.grown()
			if left == "" {
				return
			}
			if time.Now().After(end) {
				t.Fatal(left)
			}
		}
	})
}
