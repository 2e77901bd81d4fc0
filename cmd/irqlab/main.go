// Command irqlab builds Go programs into bootable kernels and runs, tests and
// debugs them in QEMU.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/peterbourgon/ff/v3/ffcli"

	"irqlab/qemu"
)

// Exit statuses that are not a guest's. They follow timeout(1).
const (
	statusUsage   = 2
	statusTimeout = 124
	statusFailure = 125
)

// guestStatus ends the tool with the status its guest exited with, which says
// enough by itself.
type guestStatus int

func (s guestStatus) Error() string { return fmt.Sprintf("guest exited with status %d", int(s)) }

// usageError is a mistake on the command line.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string {
	if e.command == "" {
		return fmt.Sprintf("%v\nrun 'irqlab help' for usage", e.err)
	}
	return fmt.Sprintf("%s: %v\nrun 'irqlab help %s' for usage", e.command, e.err, e.command)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(),
		os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	err := dispatch(ctx, os.Args[1:])
	stop()
	os.Exit(report(err))
}

// report prints what went wrong and returns the tool's exit status.
func report(err error) int {
	var guest guestStatus
	var usage *usageError
	var timeout *qemu.TimeoutError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &guest):
		return int(guest)
	case errors.Is(err, context.Canceled):
		err = errors.New("interrupted; QEMU was ended")
	}
	fmt.Fprintln(os.Stderr, "irqlab:", err)
	switch {
	case errors.As(err, &usage):
		return statusUsage
	case errors.As(err, &timeout):
		return statusTimeout
	default:
		return statusFailure
	}
}

// subcommand is one of the tool's commands. Its arguments reach it unparsed,
// since flags may follow packages, and go test's flags are not the tool's.
type subcommand struct {
	name, usage, help, long string
	flags                   *flag.FlagSet
	run                     func(ctx context.Context, args []string) error
	internal                bool // not for users: left out of the list
}

func dispatch(ctx context.Context, args []string) error {
	root := &ffcli.Command{
		Name:       "irqlab",
		ShortUsage: "irqlab <command> [flags] [arguments]",
		LongHelp: "irqlab builds a Go program together with the kernel below it and boots both in QEMU.\n" +
			"Flags may stand before or after packages, with one dash or two.",
	}
	commands := []*subcommand{
		buildCommand(), runCommand(), testCommand(), debugCommand(), kdCommand(), dumpCommand(),
		gotestsCommand(), checkImageCommand(), execCommand(), goflagsCommand(), installCommand(),
	}
	var names []string
	for _, c := range commands {
		if !c.internal {
			names = append(names, c.name)
		}
		root.Subcommands = append(root.Subcommands, c.command())
	}
	names = append(names, "help")
	root.Subcommands = append(root.Subcommands, helpCommand(root, names))
	root.UsageFunc = func(r *ffcli.Command) string {
		shown := *r
		shown.Subcommands = nil
		for _, s := range r.Subcommands {
			if s.ShortHelp != "" {
				shown.Subcommands = append(shown.Subcommands, s)
			}
		}
		return ffcli.DefaultUsageFunc(&shown)
	}
	root.Exec = func(_ context.Context, args []string) error {
		if len(args) == 0 {
			return flag.ErrHelp
		}
		return unknownCommand(args[0], names)
	}

	// The mark keeps ffcli from parsing a subcommand's flags.
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		args = append([]string{args[0], "--"}, args[1:]...)
	}
	err := root.ParseAndRun(ctx, args)
	if errors.Is(err, flag.ErrHelp) {
		if len(args) == 0 {
			return guestStatus(statusUsage)
		}
		return nil
	}
	return err
}

func (c *subcommand) command() *ffcli.Command {
	cmd := &ffcli.Command{
		Name:       c.name,
		ShortUsage: "irqlab " + c.usage,
		LongHelp:   c.long,
		FlagSet:    c.flags,
	}
	if !c.internal {
		cmd.ShortHelp = c.help
	}
	cmd.Exec = func(ctx context.Context, args []string) error {
		err := c.run(ctx, args)
		if errors.Is(err, flag.ErrHelp) {
			return helpFor(cmd)
		}
		return err
	}
	return cmd
}

func helpCommand(root *ffcli.Command, names []string) *ffcli.Command {
	return &ffcli.Command{
		Name:       "help",
		ShortUsage: "irqlab help [command]",
		ShortHelp:  "say how the tool or one of its commands is used",
		Exec: func(_ context.Context, args []string) error {
			if len(args) == 0 {
				return helpFor(root)
			}
			for _, c := range root.Subcommands {
				if c.Name == args[0] {
					return helpFor(c)
				}
			}
			return unknownCommand(args[0], names)
		},
	}
}

// helpFor prints a command's usage where help that was asked for belongs.
func helpFor(c *ffcli.Command) error {
	usage := c.UsageFunc
	if usage == nil {
		usage = ffcli.DefaultUsageFunc
	}
	fmt.Println(usage(c))
	return nil
}

func unknownCommand(name string, names []string) error {
	err := fmt.Errorf("unknown command %q; the commands are %s", name, strings.Join(names, ", "))
	if guess, ok := closest(name, names); ok {
		err = fmt.Errorf("unknown command %q; did you mean %q?", name, guess)
	}
	return &usageError{err: err}
}

// closest finds the name that a slip of the fingers turned into word.
func closest(word string, names []string) (string, bool) {
	best, distance := "", 3
	for _, n := range names {
		if d := edits(word, n); d < distance {
			best, distance = n, d
		}
	}
	return best, best != ""
}

// edits counts the insertions, deletions and replacements between two words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
