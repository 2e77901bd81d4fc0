package stops

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"irqlab/disk/layout"
	"irqlab/dump"
	"irqlab/dump/load"
	"irqlab/internal/diskimage"
	"irqlab/kd"
	"irqlab/qemu"
)

// stopped is a machine with a disk that is stopped, again and again.
type stopped struct {
	image string
	qemu.Machine
}

const diskSize = 160 << 20 // room for a complete dump of 64 MiB

func newStopped(t *testing.T, arch qemu.Arch, image string, size int64) *stopped {
	t.Helper()
	s := &stopped{image, machine(arch, 2, filepath.Join(t.TempDir(), "disk"))}
	if err := diskimage.Make(s.Disk, size); err != nil {
		t.Fatal(err)
	}
	return s
}

// boot runs the program with an argument and options, and returns the console.
func (s *stopped) boot(t *testing.T, argument string, options ...string) string {
	t.Helper()
	line, err := qemu.Cmdline{Options: options, Args: []string{argument}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	status, err := s.Run(context.Background(), s.image, line, qemu.Console{Out: &out, Err: &errs}, 5*time.Minute)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, &errs, &out)
	}
	if status != qemu.StopStatus && argument != "" {
		t.Fatalf("status %d\n%s", status, &out)
	}
	return out.String()
}

// fetch fetches the dump and returns it open.
func (s *stopped) fetch(t *testing.T) (d *load.Dump, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "MEMORY.DMP")
	if _, err := diskimage.Fetch(s.Disk, file); err != nil {
		t.Fatal(err)
	}
	d, err := load.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, file
}

func (s *stopped) symbol(t *testing.T, name string) uint64 {
	t.Helper()
	f, err := elf.Open(s.image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if s.Name == name {
			return s.Value
		}
	}
	t.Fatalf("no symbol %s", name)
	return 0
}

// want says something that the console must say.
func want(t *testing.T, console, say string) {
	t.Helper()
	if !strings.Contains(console, say) {
		t.Errorf("the console does not say %q\n%s", say, console)
	}
}

// Every kind of dump holds what it should, and nothing beyond.
func testKinds(t *testing.T, arch qemu.Arch, image string) {
	for kind := dump.Small; kind <= dump.Automatic; kind++ {
		s := newStopped(t, arch, image, diskSize)
		console := s.boot(t, "touch-at-dispatch", "dump="+kind.Name())
		d, file := s.fetch(t)
		written := kind
		if kind == dump.Automatic {
			written = dump.Kernel
		}
		want(t, console, "Crash dump: "+written.Name())
		want(t, console, "\n=> ")
		if d.Stop.Version != dump.Version || d.Stop.Kind != written || d.Stop.Code != 0xD1 || d.Stop.Parameters[1] != 2 {
			t.Errorf("%s: %+v", kind.Name(), d.Stop)
		}
		s.inspect(t, d)
		switch kind {
		case dump.Complete:
			checkTranslation(t, d)
		case dump.Automatic:
			withGDB(t, arch, func(t *testing.T, gdb string) { s.inspectByGDB(t, gdb, file) })
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		limit := map[dump.Kind][2]int64{dump.Small: {1 << 12, 1 << 19}, dump.Kernel: {1 << 19, 8 << 20},
			dump.Active: {1 << 20, 32 << 20}, dump.Complete: {60 << 20, 70 << 20}}[written]
		if n := info.Size(); n < limit[0] || n > limit[1] {
			t.Errorf("%s: %d bytes, want %d to %d", kind.Name(), n, limit[0], limit[1])
		}
	}
}

// inspect checks what every dump shows of the stop "touch-at-dispatch" on
// processor 0.
func (s *stopped) inspect(t *testing.T, d *load.Dump) {
	t.Helper()
	var pcs, sps []uint64
	for _, r := range d.AMD64 {
		pcs, sps = append(pcs, r.Registers.IP), append(sps, r.Registers.SP)
	}
	for _, r := range d.ARM64 {
		pcs, sps = append(pcs, r.Registers.PC), append(sps, r.Registers.SP)
	}
	if len(pcs) != 2 || d.Stop.CPUs != 2 || d.Stop.Answered != 3 {
		t.Fatalf("registers of %d processors, %+v", len(pcs), d.Stop)
	}
	if pcs[0] != d.Stop.Parameters[3] || d.Stop.Trace[0] != pcs[0] {
		t.Errorf("the fault was at %#x, the registers say %#x, the trace %#x", d.Stop.Parameters[3], pcs[0], d.Stop.Trace[0])
	}
	var word [8]byte
	for _, sp := range sps {
		if _, err := d.ReadAt(word[:], sp&^7); err != nil {
			t.Errorf("stack at %#x: %v", sp, err)
		}
	}
	if _, err := d.ReadAt(word[:4], s.symbol(t, "irqlab/bugcheck.LastStop")); err != nil || binary.LittleEndian.Uint32(word[:]) != 0xD1 {
		t.Errorf("LastStop: %x %v", word, err)
	}
	if string(bytes.TrimRight(d.Stop.ThreadName[:], "\x00")) != "test" || d.Stop.Thread == 0 {
		t.Errorf("thread %q at %#x", d.Stop.ThreadName, d.Stop.Thread)
	}
	f, err := elf.Open(s.image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if id, err := load.ImageID(f); err != nil || id != d.Stop.ImageID {
		t.Errorf("image %#x, dump %#x: %v", id, d.Stop.ImageID, err)
	}
}

// checkTranslation checks that what the program's memory holds at its virtual and
// at its physical address is the same, also where a complete dump has it once.
func checkTranslation(t *testing.T, d *load.Dump) {
	t.Helper()
	checked := 0
	for _, g := range d.Segments {
		if g.Virtual == g.Physical {
			continue
		}
		a, b := make([]byte, 64), make([]byte, 64)
		if _, err := d.ReadAt(a, g.Virtual); err != nil {
			t.Fatal(err)
		}
		if _, err := d.ReadPhysical(b, g.Physical); err != nil || !bytes.Equal(a, b) {
			t.Fatalf("%#x and %#x differ: %v", g.Virtual, g.Physical, err)
		}
		checked++
	}
	if checked < 10 {
		t.Errorf("only %d segments are mapped elsewhere than at their physical address", checked)
	}
}

// A dump is moved by the next boot; the next one waits for it to be fetched, and
// the one after that finds no room. None is lost without a word.
func testUnread(t *testing.T, arch qemu.Arch, image string) {
	s := newStopped(t, arch, image, diskSize)
	s.boot(t, "touch-at-dispatch")
	out := s.boot(t, "wdk-bugcheck")
	want(t, out, "the last run stopped with 0x000000D1")
	want(t, out, "Crash dump: kernel")
	out = s.boot(t, "stack-overflow")
	want(t, out, "nobody has fetched the one before")
	want(t, out, "No crash dump: the page file still holds the dump of an earlier stop")
	for _, code := range []uint32{0xD1, 0xE2} {
		if d, _ := s.fetch(t); d.Stop.Code != code {
			t.Errorf("fetched the dump of %#x, want %#x", d.Stop.Code, code)
		}
	}
	if _, err := diskimage.Fetch(s.Disk, filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a third dump")
	}
	want(t, s.boot(t, "stack-overflow"), "Crash dump: kernel")
	if d, _ := s.fetch(t); d.Stop.Code != 0x7F || d.Stop.Parameters[0] != 8 {
		t.Errorf("%+v", d.Stop)
	}
}

// Whatever is wrong with the disk, the machine stops with a clear word.
func testDisks(t *testing.T, arch qemu.Arch, image string) {
	small := newStopped(t, arch, image, layout.MinSize)
	want(t, small.boot(t, "wdk-bugcheck", "dump=complete"), "the page file is too small for this kind of dump")
	want(t, small.boot(t, "wdk-bugcheck"), "Crash dump: small")

	none := newStopped(t, arch, image, layout.MinSize)
	none.Disk = ""
	want(t, none.boot(t, "wdk-bugcheck"), "No crash dump: there is no disk")

	off := newStopped(t, arch, image, layout.MinSize)
	if out := off.boot(t, "wdk-bugcheck", "dump=none"); strings.Contains(out, "ump:") {
		t.Errorf("a word about a dump that nobody wants\n%s", out)
	}
	want(t, off.boot(t, "wdk-bugcheck", "dump=huge"), "there is no such kind of dump")

	foreign := newStopped(t, arch, image, layout.MinSize)
	if err := os.WriteFile(foreign.Disk, make([]byte, layout.MinSize), 0o666); err != nil {
		t.Fatal(err)
	}
	want(t, foreign.boot(t, "wdk-bugcheck"), "No crash dump: the disk is not one that irqlab made")

	failing := newStopped(t, arch, image, layout.MinSize)
	failing.Extra = append(failing.Extra, "-set", "drive.disk.read-only=on")
	want(t, failing.boot(t, "wdk-bugcheck"), "No crash dump: the disk fails: the disk reports an I/O error")

	fault := newStopped(t, arch, image, layout.MinSize)
	want(t, fault.boot(t, "dump-fault"), "while writing the dump")
}

// gdb, which knows nothing of irqlab, reads a dump: the processors are threads,
// and the fault is where the program broke the rule.
func (s *stopped) inspectByGDB(t *testing.T, gdb, file string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), gdb, "-nx", "-batch", "-ex", "info threads", "-ex", "backtrace",
		"-ex", "print/x 'irqlab/bugcheck.LastStop'.Code", s.image, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, say := range []string{"* 1 ", "  2 ", "stops/main.go", "main.main", "$1 = 0xd1"} {
		want(t, string(out), say)
	}
}

// A processor at HIGH_LEVEL is frozen too, where an interrupt is non-maskable;
// elsewhere the screen says that it was not.
func testBeside(t *testing.T, arch qemu.Arch, image string) {
	s := newStopped(t, arch, image, diskSize)
	out := s.boot(t, "beside-high", "dump=small")
	d, _ := s.fetch(t)
	if arch == qemu.ARM64 {
		want(t, out, "CPU 1 could not be frozen")
		if d.Stop.Answered != 1 || len(d.ARM64) != 1 {
			t.Errorf("registers of %d processors: %+v", len(d.ARM64), d.Stop)
		}
		const unknown = `the dump has no registers of CPU 1: it did not answer`
		debugs(t, image, d, "~; !irql", nil, `(?m)^\.  0  \S+ main\.beside`, `(?m)^   1  `+unknown, `(?m)^CPU 0: IRQL 2 `, `(?m)^CPU 1: IRQL unknown: `+unknown)
		debugs(t, image, d, "~1s; r; k; u; !thread", errors.New(unknown), `r: `+unknown, `k: `+unknown, `u: `+unknown)
		return
	}
	if d.Stop.Answered != 3 || d.Stop.Processors[1].IRQL != 15 || d.AMD64[1].Registers.IP == 0 {
		t.Errorf("%+v", d.Stop)
	}
}

// Who calls to stop the machine is found at the call, with the registers that are
// known, also where another processor was first.
func testCalled(t *testing.T, arch qemu.Arch, image string) {
	general, call := "rax", "call "
	if arch == qemu.ARM64 {
		general, call = "x0", "bl "
	}
	s := newStopped(t, arch, image, diskSize)
	s.boot(t, "beside-caller", "dump=small")
	d, file := s.fetch(t)
	if d.Stop.Answered != 3 || d.Stop.Called != 3 || len(d.AMD64)+len(d.ARM64) != 2 {
		t.Errorf("%+v", d.Stop)
	}
	for cpu, caller := range []string{`main\.besideCaller`, `main\.besideCaller\.func1`} {
		debugs(t, image, d, fmt.Sprintf("~%ds; r; u L1; k", cpu), nil, general+`=\?{16}`, `(?m)^\?: the processor called`,
			`(?m)^`+caller+`\+\S+ \[wdk/bugcheck\.go @ \d+\]:\n.*`+call+`irqlab/bugcheck\.Stop`, // which KeBugCheck was inlined into
			`(?m)^01 .* `+caller+`\+\S+ \[stops/hang\.go @ \d+\]\n02 `)
		debugs(t, image, d, fmt.Sprintf("~%ds; r %s", cpu, general), errors.New(general+" is not known"))
	}
	withGDB(t, arch, func(t *testing.T, gdb string) {
		out, err := exec.CommandContext(t.Context(), gdb, "-nx", "-batch", "-ex", "thread apply all backtrace 2", s.image, file).CombinedOutput()
		if err != nil || strings.Count(string(out), "main.besideCaller") != 2 {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// What the debugger says of a dump is about the processor that stopped the machine,
// and the smallest dump has what it says of any processor.
func testSecond(t *testing.T, arch qemu.Arch, image string) {
	s := newStopped(t, arch, image, diskSize)
	s.boot(t, "second-processor", "dump=small")
	d, _ := s.fetch(t)
	if d.Stop.CPU != 1 {
		t.Fatalf("%+v", d.Stop)
	}
	const at = `main\.init\.\d+\.func\d+` // touch is inlined
	debugs(t, image, d, "~; k; u L1; !irql; !thread; .bugcheck; r; !analyze -v", nil,
		`(?m)^\.  1  \S+ `+at+`\+\S+  IRQL 2 \(DISPATCH_LEVEL\), saved at the stop, thread \d+ test$`, `(?m)^   0  .*, thread (\d+|-) `,
		`(?m)^01 .* `+at+`\+`, `(?m)^`+at+`\+\S+ \[`, `(?m)^CPU 1: IRQL 2 `, `(?m)^THREAD 0x\w+  ID \d+  "test": `,
		`(?m)^Bugcheck code 000000D1 `, `(?m)^FAULTING_FUNCTION:  main\.touch$`, `(?m)^THREAD:  \d+ test at `)
	debugs(t, image, d, "!pcr; !prcb; !running -ti; ~0s; k; r; !thread", nil, `(?m)^KPCR of CPU 1 `, `(?m)^KPRCB of CPU 0 `,
		`(?m)^  0 .*\n( # |\d\d |   \(Trap).*\n`, `(?m)^  clock interrupts \d+, device interrupts \d+$`)
	debugs(t, image, d, "!stacks; !process; !poolused", kd.ErrNotInDump)
}

// A machine that is told to restarts after a stop, and finds the dump.
func testRestart(t *testing.T, arch qemu.Arch, image string) {
	s := newStopped(t, arch, image, diskSize)
	s.Resets = true
	line, err := qemu.Cmdline{Options: []string{"stop=restart"}, Args: []string{"once"}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	status, err := s.Run(context.Background(), s.image, line, qemu.Console{Out: &out, Err: &errs}, 5*time.Minute)
	if err != nil || status != 0 {
		t.Fatalf("status %d: %v\n%s%s", status, err, &errs, &out)
	}
	for _, say := range []string{"*** STOP 0x000000E2", "irqlab: restart", "the last run stopped with 0x000000E2", "this machine has stopped before, with 0xe2"} {
		want(t, out.String(), say)
	}
}

// Dumps of every kind come from both architectures. The quick checks take each
// part from one of them.
func TestDump(t *testing.T) {
	parts := []struct {
		name string
		arch qemu.Arch // of the quick checks
		test func(*testing.T, qemu.Arch, string)
	}{
		{"kinds", qemu.AMD64, testKinds}, {"calls", qemu.ARM64, testAtCall}, {"goroutines", qemu.AMD64, testGaveWay},
		{"disks", qemu.AMD64, testDisks}, {"hangs", qemu.ARM64, testHangs},
		{"unread", qemu.AMD64, testUnread}, {"callbacks", qemu.ARM64, testCallbacks},
		{"restart", qemu.AMD64, testRestart}, {"beside", qemu.ARM64, testBeside},
		{"called", qemu.AMD64, testCalled}, {"second", qemu.ARM64, testSecond},
	}
	each(t, func(t *testing.T, arch qemu.Arch) {
		image := program(t, arch)
		for _, p := range parts {
			t.Run(p.name, func(t *testing.T) {
				if testing.Short() && arch != p.arch {
					t.Skip("left to the other architecture")
				}
				t.Parallel()
				p.test(t, arch, image)
			})
		}
	})
}
