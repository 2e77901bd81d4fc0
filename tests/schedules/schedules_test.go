// Package schedules runs every lock and every wait under many schedules, and
// checks that what the threads saw is what a correct object could have shown them:
// each history must be linearizable (Herlihy and Wing, "Linearizability: A
// Correctness Condition for Concurrent Objects", 1990).
//
// Under a seed each schedule draws its schedule points from a seed of its own, and
// the whole run repeats to the bit. Without one the processors run as they will.
package schedules

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"irqlab/chance"
	"irqlab/linux"
	"irqlab/ntstatus"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

// threads is how many threads play, on as many processors as there are.
const threads = 3

// maxSteps is how many steps of a thread are recorded in one schedule.
const maxSteps = 32

// Schedules per scenario, unless kernel option "schedules" has another number.
const (
	seededSchedules = 100
	freeSchedules   = 10
)

// scenario is an object and what threads do with it.
type scenario struct {
	// model says which histories are right; nil if the script checks all itself.
	model *porcupine.Model
	// check, if set, says what else is wrong with a history, whose steps are in
	// the order of players and time.
	check func(h []step) error
	// setup makes the object. Reset makes it as new for the next schedule, on a
	// thread that plays, and script is what each thread does: at most maxSteps
	// steps.
	setup func(t *testing.T) (reset func(), script func(p *player))
}

var scenarios = map[string]scenario{}

// add adds the scenarios of a file.
func add(more map[string]scenario) {
	for name, s := range more {
		scenarios[name] = s
	}
}

// step is one operation that a thread did, with what went in and what came out.
// It has no pointers: threads record steps at any IRQL.
type step struct {
	player, op, arg int32
	result          int32
	call, back      int64
}

// player is a thread that does steps.
type player struct {
	id    int32
	rng   uint64
	n     int
	steps [maxSteps]step

	// Room for what a script keeps from one step to the next.
	old    KIRQL
	handle *KLOCK_QUEUE_HANDLE
	depth  int32
}

// now orders the beginnings and ends of all steps.
var now atomic.Int64

// do is a step: fn does it and returns its result. It may be called at any IRQL.
func (p *player) do(op, arg int32, fn func(p *player, arg int32) int32) int32 {
	s := &p.steps[p.n]
	p.n++
	s.player, s.op, s.arg = p.id, op, arg
	s.call = now.Add(1)
	s.result = fn(p, arg)
	s.back = now.Add(1)
	return s.result
}

// draw returns a number below n, from xorshift64.
func (p *player) draw(n int) int {
	p.rng ^= p.rng << 13
	p.rng ^= p.rng >> 7
	p.rng ^= p.rng << 17
	return int(p.rng % uint64(n))
}

// rest lets other threads run, now and then.
func (p *player) rest() {
	if p.draw(4) == 0 {
		NtYieldExecution()
	}
}

// dawdle leaves the others time between two steps.
func dawdle() { KeDelayExecutionThread(KernelMode, false, moment(1)) }

// number is what a text says, or what there is instead.
func number(text string, other uint64) uint64 {
	if n, err := strconv.ParseUint(text, 0, 64); err == nil {
		return n
	}
	return other
}

// asked is how many schedules the environment asks for.
var asked = os.Getenv("SCHEDULES")

// again is the command that does the same again.
func again(t *testing.T) string {
	seed := ""
	if s, ok := linux.Option("seed"); ok {
		seed = " -seed " + s
	}
	if asked != "" {
		seed += " -env SCHEDULES=" + asked
	}
	return fmt.Sprintf("irqlab test -arch %s -cpus %d%s -run '^%s$' ./tests/schedules", runtime.GOARCH, kit.CPUs(), seed, t.Name())
}

func TestSchedules(t *testing.T) {
	n := uint64(freeSchedules)
	if chance.Enabled() {
		n = seededSchedules
	}
	n = number(asked, n)
	for _, name := range slices.Sorted(maps.Keys(scenarios)) {
		s := scenarios[name]
		t.Run(name, func(t *testing.T) {
			for i, h := range s.play(t, int(n)) {
				if err := s.judge(h); err != nil {
					t.Fatalf("schedule %d: %v; repeat with: %s\n%s", i, err, again(t), text(h))
				}
			}
		})
	}
}

// judge says what is wrong with a history: that the object could not have shown
// it, or what the scenario's own check finds.
func (s *scenario) judge(h []step) error {
	if s.check != nil {
		if err := s.check(h); err != nil {
			return err
		}
	}
	if s.model == nil {
		return nil
	}
	ops := make([]porcupine.Operation, len(h))
	for i := range h {
		ops[i] = porcupine.Operation{ClientId: int(h[i].player), Input: &h[i], Call: h[i].call, Output: h[i].result, Return: h[i].back}
	}
	if !porcupine.CheckOperations(*s.model, ops) {
		return errors.New("the history is not linearizable")
	}
	return nil
}

// text lists a history.
func text(h []step) (s string) {
	for _, x := range h {
		s += fmt.Sprintf("%3d-%3d thread %d: operation %d (%d) = %d\n", x.call, x.back, x.player, x.op, x.arg, x.result)
	}
	return s
}

// play runs n schedules and returns their histories.
func (s *scenario) play(t *testing.T, n int) [][]step {
	reset, script := s.setup(t)
	digits, _ := linux.Option("seed")
	seed := number(digits, uint64(time.Now().UnixNano()))
	var players [threads]player
	var starts [threads]chan bool
	var all [threads]*kit.Thread
	var ready atomic.Int32
	done := make(chan bool, threads)
	for i := range players {
		p := &players[i]
		p.id, p.handle = int32(i), kit.New[KLOCK_QUEUE_HANDLE](t)
		starts[i] = make(chan bool)
		all[i] = kit.Go(t, func() ntstatus.Status {
			for range starts[i] {
				if p.id == 0 {
					reset()
				}
				// All begin together.
				for ready.Add(1); ready.Load() < threads; {
					NtYieldExecution()
				}
				script(p)
				done <- true
			}
			return STATUS_SUCCESS
		}, func() { kit.OnCPU(uint32(i) % kit.CPUs()) })
	}
	var histories [][]step
	for schedule := range n {
		ready.Store(0)
		now.Store(0)
		chance.Reseed(seed<<20 + uint64(schedule))
		for i := range players {
			p := &players[i]
			p.n, p.depth = 0, 0
			p.rng = (seed<<20+uint64(schedule))*threads + uint64(i) + 1
			starts[i] <- true
		}
		for range players {
			select {
			case <-done:
			case <-time.After(kit.Patience):
				t.Fatalf("schedule %d: a thread hangs; repeat with: %s", schedule, again(t))
			}
		}
		var h []step
		for i := range players {
			h = append(h, players[i].steps[:players[i].n]...)
		}
		histories = append(histories, h)
	}
	for i, c := range starts {
		close(c)
		all[i].Exited(t) // it may belong to the object, such as a queue
	}
	return histories
}
