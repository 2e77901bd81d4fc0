// Package bench counts the guest instructions that irqlab's operations take,
// and sets them beside what other systems need for the same work.
//
// "make bench" runs it under QEMU's -icount shift=0 on one processor, where the
// counter of package arch advances by one with each instruction: the counts are
// the same in every run and on every host. Each operation is measured several
// times, and the median counts, less the loop around it.
//
// Checked mode is off (kernel option checks=off), as in the peers' systems: what
// is measured is what a driver gets that has been checked.
//
// The table behind the benchmarks has a line for each operation of peers.go.
package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the results, by name of operation, beside the peers'
// figures for an architecture.
func WriteTable(w io.Writer, arch string, results map[string]float64) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "irqlab\taim\t%s\t\n", strings.Join(systems[:], "\t"))
	for _, p := range peers {
		ours := ""
		if v, ok := results[p.operation]; ok {
			ours = fmt.Sprintf("%.0f", v)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t  %s\n", ours, p.aim, strings.Join(p.figures(arch), "\t"), p.operation)
	}
	return t.Flush()
}

// figures returns the peers' figures on an architecture.
func (p *peer) figures(arch string) []string {
	if arch == "arm64" {
		return p.arm64[:]
	}
	return p.amd64[:]
}
