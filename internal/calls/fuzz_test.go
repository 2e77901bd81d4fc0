//go:build amd64 && !irqlab

package calls

import (
	"testing"

	"irqlab/internal/explore"
	"irqlab/sync"
)

func init() { sync.Checked = false } // there is no pool to ask

// run runs a program on simulated processors, as its own bytes schedule it.
func run(data []byte) error {
	p, o := Decode(data), new(Objects)
	o.Init()
	e := &explore.Program{}
	var players []*Player
	for i, calls := range p.Threads {
		player := &Player{Objects: o, Thread: i}
		players = append(players, player)
		e.Threads = append(e.Threads, func(r *explore.Run) {
			player.Now = r.Now
			player.Play(calls)
		})
	}
	e.Check = func() error {
		var history []Call
		for _, p := range players {
			history = append(history, p.History...)
		}
		return Judge(history)
	}
	return explore.Try(e, p.Choices)
}

func FuzzCalls(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := run(data); err != nil {
			t.Error(err)
		}
	})
}
