package main

import (
	"cmp"
	"fmt"
	"slices"

	"irqlab/paging"
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
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Tag, b.Tag))
	})
	w := sh.console
	fmt.Fprintf(w, "%-5s %10s %10s %8s %10s %10s\n", "TAG", "ALLOCS", "FREES", "DIFF", "BYTES", "PEAK")
	for _, s := range tags {
		c := s.Tag.Chars()
		fmt.Fprintf(w, "%-5s %10d %10d %8d %10d %10d\n", c[:], s.Allocs, s.Frees, s.Allocs-s.Frees, s.Bytes, s.Peak)
	}
	if p := paging.ReadStats(); p.Allocated != 0 {
		fmt.Fprintf(w, "paged pool: %d pages, %d of them in memory, %d in the page file, %d locked\n", p.Allocated, p.Resident, p.Away, p.Locked)
	}
	m := paging.Memory()
	fmt.Fprintf(w, "pool: %d pages; memory: %d MiB, %d MiB free\n", pool.Pages(), megabytes(m.Total), megabytes(m.Free))
	return nil
}
