package qemu

import "testing"

func TestExitByte(t *testing.T) {
	if got := ExitByte(0); got != 33 {
		t.Errorf("success is QEMU status %d, want 33", got)
	}
	for status := range MaxStatus + 1 {
		code := int(ExitByte(status))
		if got, err := verdict(code, status); err != nil || got != status {
			t.Errorf("status %d comes back as %d, %v", status, got, err)
		}
		for other := range MaxStatus + 1 {
			if _, err := verdict(code, other); err == nil && other&0x7f != status&0x7f {
				t.Errorf("QEMU's %d for status %d agrees with %d", code, status, other)
			}
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
		{"the byte of success, and no success", 33, 128, 128},
		{"the largest", int(ExitByte(127)), 255, 255},
		{"too large", 33, 256, -1},
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
