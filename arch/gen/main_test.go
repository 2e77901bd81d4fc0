package main

import (
	"bytes"
	"os"
	"path/filepath"
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
