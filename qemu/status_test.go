package qemu

import "testing"

func TestExitByte(t *testing.T) {
	if got := ExitByte(0); got != 33 {
		t.Errorf("success is QEMU status %d, want 33", got)
	}
	seen := map[byte]int{}
	for status := range MaxStatus + 1 {
		b := ExitByte(status)
		if other, ok := seen[b]; ok {
			t.Errorf("statuses %d and %d both become %d", status, other, b)
		}
		seen[b] = status
		if got, ok := guestStatus(int(b)); !ok || got != status {
			t.Errorf("status %d comes back as %d, %v", status, got, ok)
		}
	}
}

func TestVerdict(t *testing.T) {
	tests := []struct {
		name       string
		code, line int
		want       int // -1: an error
	}{
		{"success", 33, 0, 0},
		{"failure", int(ExitByte(3)), 3, 3},
		{"bug check", int(ExitByte(66)), 66, 66},
		{"status 16 shares QEMU's 1", 1, 16, 16},
		{"QEMU's own failure", 1, -1, -1},
		{"QEMU's own failure after a guest line", 1, 0, -1},
		{"triple fault", 0, -1, -1},
		{"triple fault after success was announced", 0, 0, -1},
		{"no exit line", 33, -1, -1},
		{"disagreement", 33, 1, -1},
		{"even status", 34, 0, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := verdict(tt.code, tt.line)
			if err != nil {
				got = -1
			}
			if got != tt.want {
				t.Errorf("verdict(%d, %d) = %d, %v; want %d", tt.code, tt.line, got, err, tt.want)
			}
		})
	}
}
