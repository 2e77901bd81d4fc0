// Package calls runs in the machine what the host's fuzzer found worth keeping,
// and sequences of calls made by chance; see package internal/calls.
package calls

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"irqlab/internal/calls"
	"irqlab/linux"
	"irqlab/ntstatus"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// run runs a program on system threads, spread over the processors.
func run(t *testing.T, data []byte) error {
	p, o := calls.Decode(data), kit.New[calls.Objects](t)
	o.Init()
	var now atomic.Int64
	var ready atomic.Int32
	var players []*calls.Player
	var threads []*kit.Thread
	for i, part := range p.Threads {
		player := &calls.Player{Objects: o, Thread: i, Now: func() int64 { return now.Add(1) }}
		players = append(players, player)
		threads = append(threads, kit.Go(t, func() ntstatus.Status {
			for ready.Add(1); int(ready.Load()) < len(p.Threads); {
				NtYieldExecution()
			}
			KeEnterCriticalRegion() // for the push lock
			player.Play(part)
			KeLeaveCriticalRegion()
			return STATUS_SUCCESS
		}, func() { kit.OnCPU(uint32(i) % kit.CPUs()) }))
	}
	var history []calls.Call
	for i, th := range threads {
		th.Exited(t) // it may belong to the queue
		history = append(history, players[i].History...)
	}
	return calls.Judge(history)
}

func TestCorpus(t *testing.T) {
	corpus, err := calls.Corpus()
	if err != nil {
		t.Fatal(err)
	}
	if len(corpus) < 20 {
		t.Fatalf("%d programs", len(corpus))
	}
	for _, name := range slices.Sorted(maps.Keys(corpus)) {
		t.Run(name, func(t *testing.T) {
			if err := run(t, corpus[name]); err != nil {
				t.Error(err)
			}
		})
	}
}

// Under a seed these are the same programs each time.
func TestRandom(t *testing.T) {
	seed, again := uint64(1), ""
	if text, ok := linux.Option("seed"); ok {
		seed, _ = strconv.ParseUint(text, 0, 64)
		again = fmt.Sprintf("; repeat with: irqlab test -arch %s -cpus %d -seed %d -run TestRandom ./tests/calls", runtime.GOARCH, kit.CPUs(), seed)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range 20 {
		data := make([]byte, 1+rng.IntN(20))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		if err := run(t, data); err != nil {
			t.Fatalf("program %d, %q: %v%s", i, data, err, again)
		}
	}
}
