package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"irqlab/paging"
	"irqlab/pool"
)

func (sh *shell) pool(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	w := sh.console
	nonpaged, paged := tags(pool.Stats), tags(pool.PagedStats)
	account(w, nonpaged)
	fmt.Fprintf(w, "nonpaged pool: %s\n", count(pool.Pages(), "page"))
	if len(paged) > 0 {
		account(w, paged)
	}
	if p := paging.ReadStats(); p.Allocated != 0 {
		fmt.Fprintf(w, "paged pool: %d pages, %d of them in memory, %d in the page file, %d locked\n", p.Allocated, p.Resident, p.Away, p.Locked)
	}
	m := paging.Memory()
	fmt.Fprintf(w, "memory: %d MiB, %d MiB free\n", megabytes(m.Total), megabytes(m.Free))
	return nil
}

// tags returns the accounts of a pool, the largest first.
func tags(nth func(n int) (pool.Stat, bool)) (all []pool.Stat) {
	for n := 0; ; n++ {
		s, ok := nth(n)
		if !ok {
			break
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b pool.Stat) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Tag, b.Tag))
	})
	return all
}

func account(w io.Writer, tags []pool.Stat) {
	fmt.Fprintf(w, "%-5s %10s %10s %8s %10s %10s\n", "TAG", "ALLOCS", "FREES", "DIFF", "BYTES", "PEAK")
	for _, s := range tags {
		c := s.Tag.Chars()
		fmt.Fprintf(w, "%-5s %10d %10d %8d %10d %10d\n", c[:], s.Allocs, s.Frees, s.Allocs-s.Frees, s.Bytes, s.Peak)
	}
}
