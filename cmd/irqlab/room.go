package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// room is the host's room for machines that run beside each other, in processors:
// a directory with a file for each, which belongs to whoever has locked it, and a
// door. A process that dies leaves its room to others.
type room string

// hostRoom is more than the host has, for machines wait often.
var hostRoom = 3 * runtime.NumCPU()

// enter waits until there is room for a machine of that many CPUs, or until it has
// all. Machines enter one after the other, or a large one would wait for ever.
func (r room) enter(ctx context.Context, cpus int) (leave func(), err error) {
	door, err := r.lock(ctx, "door")
	if err != nil {
		return nil, err
	}
	defer door.Close()
	var mine []*os.File
	leave = func() {
		for _, f := range mine {
			f.Close()
		}
	}
	for i := 0; len(mine) < min(cpus, hostRoom); i = (i + 1) % hostRoom {
		f, err := r.try(fmt.Sprint(i))
		if err == nil && f != nil {
			mine = append(mine, f)
		}
		if err == nil && i == hostRoom-1 {
			err = pause(ctx)
		}
		if err != nil {
			leave()
			return nil, err
		}
	}
	return leave, nil
}

// lock waits for a file.
func (r room) lock(ctx context.Context, name string) (*os.File, error) {
	for {
		if f, err := r.try(name); f != nil || err != nil {
			return f, err
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}

// try locks a file, or returns nil if somebody else has it.
func (r room) try(name string) (*os.File, error) {
	f, err := os.Create(filepath.Join(string(r), name))
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, fmt.Errorf("waiting for the host's processors: %w", err)
}

// pause is the time between two looks at what others hold.
func pause(ctx context.Context) error {
	select {
	case <-time.After(10 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
