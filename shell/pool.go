package main

import (
	"fmt"
	"slices"

	"irqlab/mm"
	"irqlab/ob"
	"irqlab/pool"
)

func (sh *shell) pool(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	var tags []pool.Stat
	for n := 0; ; n++ {
		s, ok := pool.Stats(n)
		if !ok {
			break
		}
		tags = append(tags, s)
	}
	slices.SortFunc(tags, func(a, b pool.Stat) int {
		if a.Bytes != b.Bytes {
			return int(b.Bytes) - int(a.Bytes)
		}
		return int(a.Tag) - int(b.Tag)
	})
	w := sh.console
	fmt.Fprintf(w, "%-5s %10s %10s %8s %10s %10s\n", "TAG", "ALLOCS", "FREES", "DIFF", "BYTES", "PEAK")
	for _, s := range tags {
		c := s.Tag.Chars()
		fmt.Fprintf(w, "%-5s %10d %10d %8d %10d %10d\n", c[:], s.Allocs, s.Frees, s.Allocs-s.Frees, s.Bytes, s.Peak)
	}
	m := mm.ReadStats()
	fmt.Fprintf(w, "pool: %d pages; memory: %d MiB, %d MiB free\n", pool.Pages(), megabytes(m.Total), megabytes(m.Free))
	return nil
}

func (sh *shell) handles(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	buf := make([]ob.Info, 1024)
	n := ob.Handles(buf)
	if n == 0 {
		fmt.Fprintln(sh.console, "no handle is open")
		return nil
	}
	for _, h := range buf[:min(n, len(buf))] {
		fmt.Fprintf(sh.console, "%#x: object %#x, %s, access %#x, %d handles, %d references\n",
			uintptr(h.Handle), h.Object, ob.Describe(h.Type).Name, h.Access, h.Handles, h.Pointers)
	}
	return nil
}
