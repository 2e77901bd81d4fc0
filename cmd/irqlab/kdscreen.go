package main

import (
	"bytes"
	"io"
	"sync"

	"irqlab/qemu"
)

// screen is what the machine's console and the debugger's words are on: a terminal
// or a file.
type screen struct {
	dst  io.Writer
	raw  bool       // it needs carriage returns
	pipe *qemu.Pipe // that brings the console; nil if there is none

	mu    sync.Mutex
	line  []byte // the console's last line, if it has not ended
	taken bool   // the debugger has begun another one
}

// maxLine bounds what is kept of a line.
const maxLine = 4096

// Write implements io.Writer for the machine's console.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := bytes.LastIndexByte(p, '\n'); n >= 0 {
		s.line, s.taken = append(s.line[:0], p[n+1:]...), false
	} else {
		s.line = append(s.line, p...)
	}
	if len(s.line) > maxLine {
		s.line = s.line[len(s.line)-maxLine:]
	}
	return s.dst.Write(p)
}

// take gives the screen to the debugger, at the beginning of a line and after all
// that the machine has written.
func (s *screen) take() {
	if s.pipe != nil {
		s.pipe.Drain()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.line) > 0 && !s.taken {
		s.taken = true
		s.newLine()
	}
}

// giveBack shows the machine's unfinished line again, because it goes on.
func (s *screen) giveBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken {
		s.taken = false
		s.dst.Write(s.line)
	}
}

func (s *screen) newLine() {
	if s.raw {
		io.WriteString(s.dst, "\r")
	}
	io.WriteString(s.dst, "\n")
}
