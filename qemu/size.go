package qemu

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is an amount of guest memory in bytes. As a flag it reads like QEMU's
// -m: a number of MiB, or a number with one of the suffixes K, M, G.
type Size uint64

const (
	minMemory Size = 8 << 20
	maxMemory Size = 64 << 30
)

// Set implements flag.Value.
func (s *Size) Set(text string) error {
	digits, shift := strings.ToUpper(text), 20
	if n := len(digits); n > 0 {
		if i := strings.IndexByte("KMG", digits[n-1]); i >= 0 {
			digits, shift = digits[:n-1], 10*(i+1)
		}
	}
	v, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return fmt.Errorf("not an amount of memory; write it like 128M or 1G")
	}
	n := Size(v << shift)
	if n < minMemory || n > maxMemory {
		return fmt.Errorf("memory must be between %v and %v", minMemory, maxMemory)
	}
	*s = n
	return nil
}

// String gives the size as QEMU's -m reads it.
func (s Size) String() string {
	switch {
	case s != 0 && s%(1<<30) == 0:
		return fmt.Sprintf("%dG", s>>30)
	case s%(1<<20) == 0:
		return fmt.Sprintf("%dM", s>>20)
	default:
		return fmt.Sprintf("%dK", s>>10)
	}
}
