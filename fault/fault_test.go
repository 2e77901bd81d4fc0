package fault

import "testing"

func TestArm(t *testing.T) {
	for _, tt := range []struct {
		value string
		kind  Kind
		at    []int // the occasions that go wrong, of ten
	}{
		{"pool@1", Pool, []int{1}},
		{"ipi@4", IPI, []int{4}},
		{"nested@3+2", Nested, []int{3, 4}},
		{"page@9+9", Page, []int{9, 10}},
		{"spurious@11", Spurious, nil},
	} {
		if !Arm(tt.value) {
			t.Errorf("%s: refused", tt.value)
			continue
		}
		var at []int
		for i := 1; i <= 10; i++ {
			if Now(Late) {
				t.Errorf("%s: another kind", tt.value)
			}
			if Now(tt.kind) {
				at = append(at, i)
			}
		}
		if n := Happened(); n != int64(len(at)) {
			t.Errorf("%s: happened %d times, at %v", tt.value, n, at)
		}
		if len(at) != len(tt.at) || len(at) > 0 && (at[0] != tt.at[0] || at[len(at)-1] != tt.at[len(at)-1]) {
			t.Errorf("%s: occasions %v, want %v", tt.value, at, tt.at)
		}
	}
	for _, value := range []string{"", "pool", "pool@", "pool@0", "pool@x", "pool@1x", "pool@1+", "pool@1+0", "pools@1", "@1", "5"} {
		if Arm(value) {
			t.Errorf("%q: accepted", value)
		}
	}
}
