package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"irqlab/arch"
	"irqlab/kernel"
)

// sample is where time has gone up to one moment.
type sample struct {
	cpus    []kernel.ProcessorInfo
	threads []kernel.ThreadInfo
}

func takeSample() sample {
	return sample{processors(), snapshot()}
}

// processors returns what all processors do at one moment.
func processors() []kernel.ProcessorInfo {
	p := make([]kernel.ProcessorInfo, arch.NumCPUs)
	kernel.Processors(p)
	return p
}

// topThreads bounds the threads that top lists.
const topThreads = 12

func (sh *shell) top(args []string) error {
	times, delay := 1, time.Second
	for len(args) > 0 {
		if len(args) < 2 {
			return errUsage
		}
		v, err := strconv.ParseFloat(args[1], 64)
		if err != nil || !(v > 0 && v <= 3600) { // not NaN either
			return errUsage
		}
		switch args[0] {
		case "-n":
			times = max(int(v), 1)
		case "-d":
			delay = time.Duration(v * float64(time.Second))
		default:
			return errUsage
		}
		args = args[2:]
	}
	interrupted, done := sh.console.Interrupt()
	defer done()
	before := takeSample()
	for range times {
		select {
		case <-interrupted:
			return nil
		case <-time.After(delay):
		}
		now := takeSample()
		sh.showTop(before, now)
		before = now
	}
	return nil
}

func (sh *shell) showTop(before, now sample) {
	w := sh.console
	fmt.Fprintf(w, "%3s %8s %8s %8s %11s\n", "CPU", "THREADS", "IDLE", "DPCs", "INTERRUPTS")
	var whole uint64 // one processor's time
	for i := range now.cpus {
		a, b := &before.cpus[i], &now.cpus[i]
		all := b.Now - a.Now
		whole = max(whole, all)
		idle, deferred, interrupts := b.IdleCycles-a.IdleCycles, b.Deferred-a.Deferred, b.Interrupt-a.Interrupt
		busy := all - min(all, idle+deferred+interrupts)
		fmt.Fprintf(w, "%3d %7.1f%% %7.1f%% %7.1f%% %10.1f%%\n", i,
			percent(busy, all), percent(idle, all), percent(deferred, all), percent(interrupts, all))
	}
	used := make(map[uint32]uint64)
	for _, t := range before.threads {
		if !t.Idle {
			used[t.ID] = t.Cycles
		}
	}
	var threads []kernel.ThreadInfo
	for _, t := range now.threads {
		if t.Idle {
			continue
		}
		if c := used[t.ID]; c <= t.Cycles { // an ID that is used again starts anew
			t.Cycles -= c
		}
		if t.Cycles > 0 {
			threads = append(threads, t)
		}
	}
	slices.SortFunc(threads, func(a, b kernel.ThreadInfo) int {
		return cmp.Or(cmp.Compare(b.Cycles, a.Cycles), cmp.Compare(a.ID, b.ID))
	})
	fmt.Fprintf(w, "%6s %8s %4s %-10s %4s  %s\n", "ID", "CPU", "PRI", "STATE", "LAST", "NAME")
	for _, t := range threads[:min(len(threads), topThreads)] {
		fmt.Fprintf(w, "%6d %7.1f%% %4d %-10s %4d  %s\n", t.ID, percent(t.Cycles, whole), t.Priority, t.State, t.CPU, name(&t))
	}
}

func percent(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
