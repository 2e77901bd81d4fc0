package demos

import (
	"fmt"
	"io"

	. "irqlab/wdk"
)

// mutexRace is mutex without the mutex.
func mutexRace(w io.Writer, args []string) error {
	n, err := additions(args)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "Two system threads add 1 to a number again and again, and nothing keeps one from\n"+
		"writing between the moments at which the other reads and writes.")
	// A host that runs one virtual processor at a time runs one thread at a time.
	const tries = 5
	for try := 1; ; try++ {
		again := false
		err := count(w, n, addUnprotected, func(sum, want int64) error {
			lost := want - sum
			if again = lost == 0 && processors() > 1 && try < tries; again {
				fmt.Fprintln(w, "The threads did not meet. Once more.")
				return nil
			}
			// On one processor an update is lost only if a quantum ends at the
			// wrong instruction, which may not happen.
			ok := lost > 0 || lost == 0 && processors() == 1
			return verdict(w, ok, "%d of %d updates are lost", lost, want)
		})
		if err != nil || !again {
			return err
		}
	}
}

// addUnprotected reads, adds and writes in three steps, as most processors do;
// x86-64 has an instruction that does all, but not at one moment either.
func addUnprotected(StartContext PVOID) {
	a := (*adder)(StartContext)
	c := a.counter
	for range a.count {
		n := c.number
		n = plusOne(n)
		c.number = n
	}
	a.report(c.number)
	PsTerminateSystemThread(STATUS_SUCCESS)
}

//go:noinline
func plusOne(n int64) int64 { return n + 1 }
