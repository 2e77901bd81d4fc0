//go:build !irqlab

package main

import (
	"fmt"
	"strings"
	"testing"
)

// seeded boots a program under a seed on two processors and returns its
// console.
func seeded(t *testing.T, arch, debugger, program string, seed int, args ...string) string {
	t.Helper()
	words := []string{"run", "-arch", arch, "-cpus", "2", "-kd=" + debugger, "-seed", fmt.Sprint(seed), "-timeout", limit.String(), program}
	if len(args) > 0 {
		words = append(append(words, "--"), args...)
	}
	out, errs, status := irqlab(t, "", words...)
	if status != 0 {
		t.Fatalf("irqlab %s: status %d\n%s%s", strings.Join(words, " "), status, out, errs)
	}
	return out
}

// A seed fixes all of a run: its console is the same to the byte, also with the
// kernel debugger on it.
func TestSameSeed(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	eachArch(t, func(t *testing.T, arch string) {
		for _, tt := range []struct {
			program string
			seed    int
			args    []string
			again   string
		}{
			{"./testdata/hello", 7, []string{"a", "b"}, off},
			{"./testdata/clock", 8, nil, on},
			{"../../demos/dpc", 3, nil, off},
			{"../../soak", 1, []string{"200ms"}, on},
		} {
			first := seeded(t, arch, off, tt.program, tt.seed, tt.args...)
			if again := seeded(t, arch, tt.again, tt.program, tt.seed, tt.args...); again != first {
				t.Errorf("%s, seed %d: two runs differ:\n%s\n%s", tt.program, tt.seed, first, again)
			}
		}
	})
}

// Seeds differ in how threads interleave: a race loses another number of updates,
// each repeatably.
func TestDifferentSeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	eachArch(t, func(t *testing.T, arch string) {
		race := func(seed int) string {
			return seeded(t, arch, off, "../../demos/mutex-race", seed)
		}
		seeds := map[string]int{}
		last := ""
		for seed := 2; seed <= 4; seed++ {
			last = race(seed)
			if other, ok := seeds[last]; ok {
				t.Errorf("seeds %d and %d give the same:\n%s", other, seed, last)
			}
			seeds[last] = seed
		}
		if again := race(4); again != last {
			t.Errorf("seed 4 gives another result the second time:\n%s\n%s", last, again)
		}
	})
}
