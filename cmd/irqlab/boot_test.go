//go:build linux && !irqlab

package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"irqlab/qemu"
)

var bannerLine = regexp.MustCompile(`: (\d) CPUs?, (\d+) MiB of memory`)

// The shell boots on every processor that QEMU has for us, at either exception
// level, with much or little of everything.
func TestBoot(t *testing.T) {
	for i, tt := range []struct {
		arch, flags  string
		cpus, memory int // what the banner must say; MiB, of which the image and the boot take some
	}{
		{"amd64", "-cpu qemu64 -cpus 1 -mem 32M", 1, 32},
		{"arm64", "-cpu cortex-a72 -cpus 1 -mem 32M", 1, 32},
		{"amd64", "-cpu max -cpus 8", 8, 128},
		{"arm64", "-cpu max -cpus 8", 8, 128},
		{"amd64", "-cpu Nehalem", 2, 128},
		{"arm64", "-cpu cortex-a72 -machine virt,virtualization=on", 2, 128},
		{"arm64", "-cpu max -machine virt,virtualization=on", 2, 128},
	} {
		if testing.Short() && i >= len(qemu.Archs) {
			break // one of each is enough
		}
		t.Run(tt.arch+" "+tt.flags, func(t *testing.T) {
			if _, err := qemu.Find(qemu.Arch(tt.arch)); err != nil {
				t.Skip(err)
			}
			args := append([]string{"run", "-arch", tt.arch, "-timeout", limit.String(), "../../shell"}, strings.Fields(tt.flags)...)
			out, errs, status := irqlab(t, "exit\n", args...)
			m := bannerLine.FindStringSubmatch(out)
			if status != 0 || m == nil || m[1] != strconv.Itoa(tt.cpus) {
				t.Fatalf("status %d, want a banner with %d CPUs\n%s%s", status, tt.cpus, out, errs)
			}
			const image = 12 // MiB
			if n, _ := strconv.Atoi(m[2]); n < tt.memory-image || n > tt.memory {
				t.Errorf("%d MiB of %d are there", n, tt.memory)
			}
		})
	}
}

// What a machine may take at most, of a host that has other things to do too.
const (
	promptTime = 3 * time.Second // until the shell's prompt, from QEMU's start on
	idleShare  = 0.1             // of one of the host's processors, while nothing happens
)

// The prompt comes soon, and a machine that waits for input costs next to nothing.
func TestPromptAndIdle(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	eachArch(t, func(t *testing.T, arch string) {
		// What else the host does can only add to a time: any good one will do.
		const tries = 5
		image := buildImage(t, arch, "../../shell")
		for try := 1; ; try++ {
			prompt, idle := measure(t, arch, image)
			t.Logf("prompt after %v, then %.1f%% of a processor", prompt, 100*idle)
			if prompt <= promptTime && idle <= idleShare {
				return
			}
			if try == tries {
				t.Fatalf("in %d tries never within %v and %v%%", tries, promptTime, 100*idleShare)
			}
		}
	})
}

// measure boots the shell and returns how long that takes, and what share of a
// processor it takes to wait for input.
func measure(t *testing.T, arch, image string) (prompt time.Duration, idle float64) {
	m := qemu.Machine{Arch: qemu.Arch(arch), CPUs: 2, Memory: qemu.DefaultMemory}
	in, keyboard := io.Pipe()
	screen := &watch{text: "irqlab> ", shown: make(chan struct{})}
	ended := make(chan error, 1)
	start := time.Now()
	go func() {
		_, err := m.Run(t.Context(), image, "", qemu.Console{In: in, Out: screen, Err: t.Output()}, limit)
		ended <- err
	}()
	select {
	case <-screen.shown:
	case err := <-ended:
		t.Fatalf("there was no prompt: %v", err)
	}
	prompt = time.Since(start)

	const settle, window = 200 * time.Millisecond, 2 * time.Second
	pid := processOf(t, image)
	time.Sleep(settle)
	start = time.Now()
	before := processorTime(t, pid)
	time.Sleep(window)
	idle = float64(processorTime(t, pid)-before) / float64(time.Since(start))

	io.WriteString(keyboard, "exit\n")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return prompt, idle
}

// watch is a screen on which somebody waits for a text.
type watch struct {
	strings.Builder
	text  string
	shown chan struct{}
}

func (w *watch) Write(p []byte) (int, error) {
	before := strings.Contains(w.String(), w.text)
	w.Builder.Write(p)
	if !before && strings.Contains(w.String(), w.text) {
		close(w.shown)
	}
	return len(p), nil
}

// processOf returns the QEMU that runs an image.
func processOf(t *testing.T, image string) (pid string) {
	pids := machines(t, image)
	if len(pids) != 1 {
		t.Fatalf("%s runs %d times", image, len(pids))
	}
	return pids[0]
}

// processorTime is what a process has used: fields 14 and 15 of proc(5)'s stat, in
// units that are 10 ms on every Linux that Go runs on.
func processorTime(t *testing.T, pid string) time.Duration {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may have spaces
	var ticks int
	for _, f := range strings.Fields(rest)[14-3 : 16-3] {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatalf("%s: %v", stat, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// What is typed while the processor that takes the console's interrupts does not
// come, because it masks them or the host does not run it, is not lost.
func TestLateInput(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	eachArch(t, func(t *testing.T, arch string) {
		m := qemu.Machine{Arch: qemu.Arch(arch), CPUs: 2, Memory: qemu.DefaultMemory}
		in, keyboard := io.Pipe()
		screen := &watch{text: "type now", shown: make(chan struct{})}
		go func() {
			<-screen.shown
			io.WriteString(keyboard, "hello\n")
		}()
		status, err := m.Run(t.Context(), buildImage(t, arch, "./testdata/late"), "", qemu.Console{In: in, Out: screen, Err: t.Output()}, limit)
		if status != 0 || err != nil || !strings.Contains(screen.String(), `read "hello\n", <nil>`) {
			t.Errorf("status %d, %v\n%s", status, err, screen)
		}
	})
}
