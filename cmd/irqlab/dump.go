package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"irqlab/internal/diskimage"
)

func dumpCommand() *subcommand {
	fs := newFlagSet("dump")
	disk := fs.String("disk", "", "`file` with the machine's disk")
	out := fs.String("o", "MEMORY.DMP", "`file` to write")
	return &subcommand{
		name:  "dump",
		usage: "dump -disk FILE [-o MEMORY.DMP]",
		help:  "fetch the crash dump from a machine's disk",
		long: "A machine that stops writes its memory to the page file of its disk; its next boot\n" +
			"moves that to the disk's dump file. The dump is an ELF core file: open it with\n" +
			"gdb and the program that ran. Fetching it makes room on the disk for the next one.",
		flags: fs,
		run: func(ctx context.Context, args []string) error {
			words, program, err := parse(fs, args)
			if err != nil {
				return err
			}
			switch {
			case len(words)+len(program) > 0:
				return &usageError{"dump", errors.New("it takes flags only")}
			case *disk == "":
				return &usageError{"dump", errors.New("name the disk (-disk)")}
			}
			return fetchDump(*disk, *out)
		},
	}
}

// fetchDump copies the oldest dump of a disk to a file, and says what it is.
func fetchDump(disk, out string) error {
	d, err := diskimage.Fetch(disk, out)
	if err != nil {
		return err
	}
	fmt.Printf("%s: stop 0x%08X at %s, %d KiB\n", out, d.Code, time.Unix(d.Time, 0).UTC().Format(time.DateTime), d.Length>>10)
	return nil
}
