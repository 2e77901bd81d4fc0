package spec

import "testing"

func TestParseLevels(t *testing.T) {
	for line, want := range map[string]Levels{
		"any":               {0, 15},
		"PASSIVE_LEVEL":     {0, 0},
		"< IPI_LEVEL":       {0, 13},
		">= DISPATCH_LEVEL": {2, 15},
		"<= APC_LEVEL; <= DISPATCH_LEVEL with a zero timeout": {0, 2},
		"the interrupt's SynchronizeIrql":                     {3, 12},
	} {
		if got, err := ParseLevels(line); err != nil || got != want {
			t.Errorf("%q: %v, %v", line, got, err)
		}
	}
	for _, line := range []string{"", "low", "<= LOW_LEVEL"} {
		if got, err := ParseLevels(line); err == nil {
			t.Errorf("%q: %v", line, got)
		}
	}
}
