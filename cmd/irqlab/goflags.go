package main

import (
	"context"
	"fmt"
	"strings"

	"irqlab/internal/resident"
)

// goflagsCommand serves linters, which compile what they load: with the flags of a
// kernel, it need not be compiled again for one.
func goflagsCommand() *subcommand {
	fs := newFlagSet("goflags")
	return &subcommand{
		name:     "goflags",
		usage:    "goflags",
		long:     "goflags prints the GOFLAGS with which packages are compiled as for the machine.",
		flags:    fs,
		internal: true,
		run: func(ctx context.Context, args []string) error {
			if _, _, err := parse(fs, args); err != nil {
				return err
			}
			words := append(resident.GCFlags(), "-tags="+buildTag)
			for i, w := range words {
				words[i] = quote(w)
			}
			fmt.Println(strings.Join(words, " "))
			return nil
		},
	}
}
