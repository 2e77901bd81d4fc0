// Command soak puts every service of the kernel and of the Go runtime above it
// under load at once: threads, timers, DPCs, interrupts, calls between
// processors, waits of all kinds, pool, garbage collection, signals. Everything
// is counted, and in the end all counts must add up. A watchdog stops the
// machine if a part no longer gets on.
//
// Its argument is how long it runs: "make soak TIME=8h".
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	_ "irqlab"
	"irqlab/arch"
	"irqlab/linux"
	"irqlab/soak/load"
)

// defaultTime is how long a soak without an argument takes.
const defaultTime = time.Minute

// report is how often a soak says that it is alive.
const report = 10 * time.Second

func main() {
	d := defaultTime
	if len(os.Args) > 1 {
		var err error
		if d, err = time.ParseDuration(os.Args[1]); err != nil || d <= 0 || len(os.Args) > 2 {
			fmt.Fprintln(os.Stderr, "usage: soak [time, such as 90s or 8h]")
			os.Exit(2)
		}
	}
	err := soak(d)
	if err != nil {
		fmt.Println("soak: FAIL:", err)
		fmt.Println("soak: repeat with:", repeat(d))
		os.Exit(1)
	}
	fmt.Println("soak: PASS")
}

// repeat is the command that does the same again.
func repeat(d time.Duration) string {
	s := ""
	if seed, ok := linux.Option("seed"); ok {
		s = " -seed " + seed
	}
	return fmt.Sprintf("irqlab run -arch %s -cpus %d%s ./soak -- %v", runtime.GOARCH, arch.NumCPUs, s, d)
}

// soak runs the load for a time and checks what it counted.
func soak(d time.Duration) error {
	fmt.Println("soak:", repeat(d))
	seed := uint64(0)
	if s, ok := linux.Option("seed"); ok {
		fmt.Sscan(s, &seed)
	} else {
		seed = arch.Counter()
	}

	load.Init()
	programs := startPrograms(seed)
	if !load.Start(seed) {
		return errors.New("no memory for the workers")
	}
	start := time.Now()
	for left := d; left > 0; left = d - time.Since(start) {
		time.Sleep(min(left, report))
		progress(time.Since(start))
	}
	programs.stop()
	load.Stop()

	bad := 0
	check := func(s load.Sum) {
		if !s.Holds() {
			bad++
			fmt.Printf("soak: %s: %d, should be %d\n", s.Name, s.Got, s.Want)
		}
	}
	load.Sums(check)
	programs.sums(check)
	if bad != 0 {
		return fmt.Errorf("%d counts are wrong", bad)
	}
	return nil
}

// progress prints one line of what was done.
func progress(t time.Duration) {
	var names []string
	steps := map[string]uint64{}
	load.Workers(func(w *load.Worker) {
		if _, ok := steps[w.Name]; !ok {
			names = append(names, w.Name)
		}
		steps[w.Name] += w.Steps()
	})
	fmt.Printf("soak: %v:", t.Round(time.Second))
	for _, n := range names {
		fmt.Printf(" %s %d", n, steps[n])
	}
	fmt.Println()
}
