package linux

import (
	"math"
	"testing"
)

func TestTimespec(t *testing.T) {
	for _, c := range []struct {
		t     timespec
		valid bool
		ns    int64
	}{
		{timespec{0, 0}, true, 0},
		{timespec{1, 5}, true, 1_000_000_005},
		{timespec{0, 999_999_999}, true, 999_999_999},
		{timespec{0, 1_000_000_000}, false, 0},
		{timespec{0, -1}, false, 0},
		{timespec{-1, 0}, false, 0},
		{timespec{math.MaxInt64, 0}, true, math.MaxInt64},
		{timespec{maxSeconds, 999_999_999}, true, maxSeconds*1_000_000_000 + 999_999_999},
	} {
		if c.t.valid() != c.valid {
			t.Errorf("%v valid: %v", c.t, !c.valid)
		}
		if c.valid && c.t.ns() != c.ns {
			t.Errorf("%v is %d ns, want %d", c.t, c.t.ns(), c.ns)
		}
	}
	var ts timespec
	ts.set(12_345_678_901)
	if (ts != timespec{12, 345_678_901}) {
		t.Errorf("set: %v", ts)
	}
}

func TestLowest(t *testing.T) {
	for set, want := range map[uint64]uint{1: 1, 1 << 22: 23, 1<<63 | 1<<10: 11, 1 << 63: 64} {
		if got := lowest(set); got != want {
			t.Errorf("%#x: %d, want %d", set, got, want)
		}
	}
}
