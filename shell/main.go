// Command shell is the program of make qemu: a prompt on the serial console, for
// running demos and for looking into the kernel with the commands of a kernel
// debugger.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	_ "irqlab"
	"irqlab/arch"
	"irqlab/board"
	"irqlab/linux"
	"irqlab/paging"
)

func main() {
	sh := &shell{scripted: linux.InputIsPiped()}
	if sh.scripted {
		sh.console = newScript(os.Stdin, os.Stdout)
	} else {
		sh.console = newKeyboard(os.Stdin, os.Stdout, sh.complete)
	}
	banner(sh.console)
	os.Exit(sh.run())
}

// banner says what was booted.
func banner(w io.Writer) {
	seed := ""
	if s, ok := linux.Option("seed"); ok {
		seed = ", seed " + s
	}
	fmt.Fprintf(w, "irqlab on %s with %s: %s, %d MiB of memory, %.0f MHz counter%s\n",
		runtime.GOARCH, runtime.Version(), count(runtime.NumCPU(), "CPU"), megabytes(paging.Memory().Total), float64(board.CounterHz())/1e6, seed)
	fmt.Fprintln(w, `Type "help" for the commands, "demo" for the demos.`)
}

// megabytes turns pages into MiB.
func megabytes(pages uintptr) uintptr { return pages * arch.PageSize >> 20 }

// shell is one session.
type shell struct {
	console  console
	scripted bool // input is a pipe, whose writer wants to know what failed
	failed   int  // commands and demos
}

// console is where lines come from and output goes to.
type console interface {
	io.Writer

	// ReadLine returns the next line, or io.EOF when there will be none.
	ReadLine() (string, error)

	// Interrupt has a command that takes long hear of the user's Ctrl-C until done.
	Interrupt() (typed <-chan struct{}, done func())
}

// run serves the user until they leave, and returns the exit status: 0 only if
// nothing has failed. A slip at the keyboard does not count.
func (sh *shell) run() int {
	for {
		line, err := sh.console.ReadLine()
		if err != nil && err != errTooLong {
			break
		}
		if err == nil {
			err = sh.execute(line)
		}
		var leave *exitError
		if errors.As(err, &leave) {
			if leave.given {
				return leave.status
			}
			break
		}
		if err != nil {
			fmt.Fprintln(sh.console, err)
			var bad *usageError
			if sh.scripted || !errors.As(err, &bad) && err != errTooLong {
				sh.failed++
			}
		}
	}
	if sh.failed > 0 {
		return 1
	}
	return 0
}
