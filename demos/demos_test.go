//go:build irqlab

package demos

import (
	"strings"
	"testing"

	"irqlab"
	"irqlab/pool"
	"irqlab/registry"
	"irqlab/tests/kit"
)

// Every demo ends with its verdict, and leaves nothing behind.
func TestDemos(t *testing.T) {
	irqlab.LockThread()
	defer irqlab.UnlockThread()
	for _, d := range All {
		t.Run(d.Name, func(t *testing.T) {
			kit.NoLeaks(t)
			irqlab.LockThread()
			if testing.Short() && d.Name == "priority" {
				t.Skip("takes seconds")
			}
			var out strings.Builder
			if err := d.Load(&out, nil); err != nil {
				t.Errorf("%v\n%s", err, out.String())
			}
			if !strings.Contains(out.String(), "verdict: ok") {
				t.Errorf("no verdict\n%s", out.String())
			}
			if s := inUse(pool.Tag(tag)); s != 0 {
				t.Errorf("%d bytes of pool are left", s)
			}
			if n := registry.Held(); n != 0 {
				t.Errorf("%d objects still hold something on the Go heap", n)
			}
			if d.Load(&out, []string{"nonsense"}) != ErrUsage {
				t.Error("wrong arguments are accepted")
			}
		})
	}
}

func inUse(tag pool.Tag) uintptr {
	for n := 0; ; n++ {
		s, ok := pool.Stats(n)
		if !ok {
			return 0
		}
		if s.Tag == tag {
			return s.Bytes
		}
	}
}
