package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFresh fails when a header no longer says what the Go structs say.
func TestFresh(t *testing.T) {
	for _, goarch := range architectures {
		want, err := header("..", goarch)
		if err != nil {
			t.Errorf("%s: %v", goarch, err)
			continue
		}
		have, err := os.ReadFile(filepath.Join("..", headerName(goarch)))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s is out of date: run go generate ./arch", headerName(goarch))
		}
	}
}

// TestFrameLayout checks what the vectors of ARM64 take for granted: pairs that
// one instruction stores, and the word below the interrupted stack pointer.
func TestFrameLayout(t *testing.T) {
	text, err := header("..", "arm64")
	if err != nil {
		t.Fatal(err)
	}
	offset := make(map[string]int)
	for line := range strings.Lines(string(text)) {
		var name string
		var n int
		if _, err := fmt.Sscanf(line, "#define %s %d", &name, &n); err == nil {
			offset[name] = n
		}
	}
	offset["Frame_X30"] = offset["Frame_X"] + 30*8
	for _, pair := range [][2]string{
		{"Frame_X30", "Frame_StackPointer"},
		{"Frame_Chain", "Frame_IP"},
		{"Frame_PState", "Frame_Level"},
		{"Frame_Kind", "Frame_Syndrome"},
		{"Frame_FaultReg", "Frame_FPSaved"},
		{"Frame_FPSR", "Frame_FPCR"},
	} {
		if offset[pair[1]] != offset[pair[0]]+8 {
			t.Errorf("%v are not a pair", pair)
		}
	}
	size := offset["Frame__size"]
	if size%16 != 0 || size > 0xfff {
		t.Errorf("a frame of %d bytes does not fit the stack's alignment or ADD's immediate", size)
	}
	if end := offset["Frame_V"] + 512; size-end < 8 {
		t.Error("the frame reaches the word below the interrupted stack pointer")
	}
}
