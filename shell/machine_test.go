//go:build irqlab

package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"irqlab/arch"
	"irqlab/kernel"
	"irqlab/tests/kit"
	"irqlab/thread"
)

// say runs one line and returns what it printed.
func say(t *testing.T, line string) string {
	t.Helper()
	var out bytes.Buffer
	sh := &shell{console: newScript(strings.NewReader(""), &out)}
	if err := sh.execute(line); err != nil {
		t.Errorf("%s: %v", line, err)
	}
	return out.String()
}

// Only a driver that runs knows its arguments.
func TestDemoArguments(t *testing.T) {
	dialogue{"demo irql x\n", 1, 0, "usage: demo irql"}.test(t)
	dialogue{"demo mutex 0\n", 1, 0, "usage: demo mutex"}.test(t)
}

// Every command shows what it is for.
func TestCommands(t *testing.T) {
	last := arch.NumCPUs - 1
	for line, want := range map[string]string{
		"ps":                               `(?m)^ +ID.*\n(.*idle.*\n){` + fmt.Sprint(arch.NumCPUs) + `}(.*\n)*.* main +`,
		"top -d 0.05":                      `(?m)^CPU +THREADS +IDLE +DPCs +INTERRUPTS\n( +\d+( +[\d.]+%){4}\n){` + fmt.Sprint(arch.NumCPUs) + `}`,
		"pool":                             `(?m)^Thre +\d+(.*\n)*nonpaged pool: \d+ pages`,
		"!irql":                            `(?m)^CPU 0: IRQL \d+ `,
		"!idt":                             `DISPATCH_LEVEL(.*\n)*.*consoleInterrupt(.*\n)*.*CLOCK_LEVEL(.*\n)*.*IPI_LEVEL`,
		"!running":                         `(?m)^ *\d +\d+ +\S`,
		"!running -i":                      `(?m)^ *` + fmt.Sprint(last) + ` `,
		"!running -ti":                     `(?m)^ +irqlab/shell\.\(\*shell\)\.running \(shell/processor\.go:\d+\)$`,
		"!stacks 0 BalanceSet":             `\A +ID.*\n.*balance set.*\n1 thread of \d+\n$`,
		"!stacks 1":                        `(?m)^ +- 0x\w+ +\S+ +idle`,
		"!ready":                           `CPU 0: `,
		"!dpcs":                            `CPU 0: \d+ queued`,
		"!timer":                           `ends the wait of thread`,
		"!thread":                          `state +running`,
		"!thread 4":                        `ID 4 .*: kernel thread(.*\n)* +irqlab/kernel\.\S+ \(kernel/`,
		"!stacks":                          `(?m)^ +\d+ 0x\w+ +waiting +threaded DPC +irqlab/kernel\.threadDPCs(.*\n)*.* running +\S.* +-\n`,
		"!stacks 2 BalanceSet":             `\A +ID.*\n.*balance set.*\n( +irqlab/\S+ .*\n)* +irqlab/kernel\.balanceSet .*\n(.*\n)*1 thread of \d+\n$`,
		fmt.Sprint("!pcr ", last):          `KPCR of CPU ` + fmt.Sprint(last),
		"!handle":                          `no handle is open`,
		"!object":                          `(?m)^TYPE +OBJECTS(.*\n)*^Thread +\d+(.*\n)*^Timer +0`,
		`!object \`:                        `(?m)^  0x\w+: Directory "BaseNamedObjects", .*permanent`,
		`!object \objecttypes`:             `(?m)^  0x\w+: Type "Semaphore"`,
		"!object process":                  `(?m)^0x\w+: Process, 0 handles`,
		"!object event":                    `there is no object of type Event`,
		"!object thread":                   `(?m) main +`,
		"!verifier":                        `the verifier is off|acquired +\d+ spin locks`,
		"!deadlock":                        `not verified|(?m)^class \d+: spin lock (.*\n)*\d+ classes, \d+ locks held`,
		"help":                             `!handle`,
		"demo":                             `priority`,
		"crash":                            `0xb8 +ATTEMPTED_SWITCH_FROM_DPC\n +waits in a DPC routine`,
		"help 0xa":                         `IRQL_NOT_LESS_OR_EQUAL(.*\n)* +parameter 2: IRQL(.*\n)*crash 0xa`,
		"help spin_lock_not_owned":         `0x10 SPIN_LOCK_NOT_OWNED`,
		fmt.Sprintf("!thread %#x", self()): `state +running`,
	} {
		if out := say(t, line); !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%s: want %s, got\n%s", line, want, out)
		}
	}
}

func self() uintptr {
	thread.Lock("tester")
	for _, i := range snapshot() {
		if i.ID == kernel.Current().ID {
			return i.Address
		}
	}
	return 0
}

// A thread that computes has one processor's time, and top says so.
func TestTop(t *testing.T) {
	var stop atomic.Bool
	th, _ := thread.Start("cruncher", func() {
		for !stop.Load() {
			kernel.Nanotime()
		}
	})
	defer th.Dereference()
	defer stop.Store(true)
	var out string
	var share float64
	// A host that stops the processor in an interrupt makes that look long.
	if !kit.Retry(func() bool {
		out = say(t, "top -d 0.5")
		m := regexp.MustCompile(`(?m)^ *\d+ +([\d.]+)%.*cruncher`).FindStringSubmatch(out)
		if m != nil {
			fmt.Sscan(m[1], &share)
		}
		return m != nil && share >= 50 && share <= 100.5
	}) {
		t.Errorf("a thread that computes has %.1f%% of a processor:\n%s", share, out)
	}
}

// Ctrl-C ends a top that goes on for long.
func TestInterrupt(t *testing.T) {
	keys, keyboard := io.Pipe()
	screen, out := io.Pipe()
	sh := &shell{}
	sh.console = newKeyboard(keys, out, sh.complete)
	status := make(chan int)
	go func() {
		status <- sh.run()
		out.Close()
	}()
	var shown strings.Builder
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		typed := false
		for b := make([]byte, 256); ; {
			n, err := screen.Read(b)
			shown.Write(b[:n])
			if !typed && strings.Contains(shown.String(), "INTERRUPTS") {
				typed = true
				go io.WriteString(keyboard, "\x03exit 3\r")
			}
			if err != nil {
				return
			}
		}
	}()
	io.WriteString(keyboard, "top -n 40 -d 0.25\r")
	got := <-status
	<-copied
	if n := strings.Count(shown.String(), "INTERRUPTS"); got != 3 || n == 40 {
		t.Errorf("status %d after top was shown %d times:\n%.1000s", got, n, &shown)
	}
}

// No line stops the machine.
func TestAnyLine(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	words := append(commandNames(), "0", "1", "-1", "4", "0x10", "99999999999999999999", "é", "\x00", "-n", "-d", "0.01", "nothing")
	sh := &shell{console: newScript(strings.NewReader(""), new(bytes.Buffer))}
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		line := ""
		for range random.Intn(4) + 1 {
			line += words[random.Intn(len(words))] + " "
		}
		if !strings.HasPrefix(line, "top ") && !strings.HasPrefix(line, "crash ") {
			sh.execute(line)
		}
	}
}
