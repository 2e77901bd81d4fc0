package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Machines never take more than there is, and a large one gets its turn among
// small ones.
func TestRoom(t *testing.T) {
	t.Parallel()
	r := room(t.TempDir())
	var taken, large atomic.Int32
	var machines sync.WaitGroup
	for i := range 4 * hostRoom {
		cpus := 1 + i%2
		if i == hostRoom {
			cpus = hostRoom + 3
		}
		machines.Go(func() {
			leave, err := r.enter(t.Context(), cpus)
			if err != nil {
				t.Error(err)
				return
			}
			size := int32(min(cpus, hostRoom))
			if n := taken.Add(size); n > int32(hostRoom) {
				t.Errorf("%d processors taken, of %d", n, hostRoom)
			}
			time.Sleep(time.Millisecond) // meet others
			if cpus > 2 {
				large.Add(1)
			}
			taken.Add(-size)
			leave()
		})
	}
	machines.Wait()
	if large.Load() != 1 {
		t.Error("the large machine did not run")
	}
}

// Who waits for room can leave.
func TestRoomLeave(t *testing.T) {
	t.Parallel()
	r := room(t.TempDir())
	leave, err := r.enter(t.Context(), hostRoom)
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.enter(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("entered: %v", err)
	}
}
