//go:build !irqlab

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// kdLook are commands about a machine that stands still.
const kdLook = "~; !irql; k; !stacks 1; !process; !thread; !running -ti; !ready; !dpcs; !timer; !idt; !pcr; !prcb; " +
	"!apc; !locks; !qlocks; !deadlock; !poolused; !pool @$thread; !handle; !object @$thread; !vm; !irpfind; " +
	"!pte @$csp; dt kernel.Thread @$thread; dq @$csp L4; r; .bugcheck; !analyze -v"

// kdRefused are commands that make no sense on a machine that stands still, kdTypes
// some about types and variables.
const (
	kdRefused = "g 0; !pool 0; !object 1234567"
	kdTypes   = "dt linux.keys; dt linux.console.ring.head; dt kernel.Thread.WaitStatus @$thread; !process 0 0; !process 0 4"
)

// A machine is stopped at a breakpoint, breaks a rule, and is looked into; then
// its dump is, and shows the same.
func TestKD(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	eachArch(t, func(t *testing.T, arch string) {
		file, image := filepath.Join(t.TempDir(), "MEMORY.DMP"), buildImage(t, arch, "../../tests/stops")
		out, errs, status := irqlab(t, "", "kd", "-arch", arch, "-timeout", limit.String(), image,
			"-c", "!process; bp main.main; g; k; !irql; u L1; p; t; bl; bc 0; "+kdRefused+"; "+kdTypes+"; g; .echo LOOK; "+kdLook+"; .echo DUMP; .dump "+file,
			"--", "spin-recursion")
		if status != 1 {
			t.Fatalf("status %d, want 1, for the kernel had not started at the first command\n%s%s", status, out, errs)
		}
		_, rest, _ := strings.Cut(out, "Breakpoint 0 hit\n")
		start, rest, _ := strings.Cut(rest, "LOOK\n")
		live, _, found := strings.Cut(rest, "DUMP\n")
		if !found {
			t.Fatalf("no breakpoint, or no stop:\n%s%s", out, errs)
		}
		contains(t, "before", out, `!process: the kernel has not started yet`)
		contains(t, "at the breakpoint", start,
			`(?m)^main\.main \[stops/main\.go @ \d+\]:$`, `(?m)^01 .* runtime\.main\+0x`, `CPU [01]: IRQL 0 \(PASSIVE_LEVEL\)`,
			`main\.main\+0x`, ` 0 e .* main\.main`,
			`g: 0\S+ is not in the program's code`, `!pool: 0\S+ is not in the pool`, `!object: no object at 0\S+1234567`,
			`(?m)^struct \{\.\.\.\}, 0x\w+ bytes\n   \+0x000 pressed +: 0$`, `(?m)^uint32: 0$`, `(?m)^irqlab/ntstatus\.Status: 0 Success$`,
			`(?m)^PROCESS System: the only one; \d+ threads\nPROCESS`, `Fatal System Error: 0x0000000f SPIN_LOCK_ALREADY_OWNED`)
		contains(t, "after the stop", live,
			`(?m)^`+map[string]string{"amd64": "0x1f +1 APC_LEVEL", "arm64": "0x1 +1 APC_LEVEL"}[arch]+` `,
			`(?m)^`+map[string]string{"amd64": "0xd1", "arm64": "0x1b"}[arch]+` +13 CLOCK_LEVEL `,
			`CPU 0: IRQL 2 \(DISPATCH_LEVEL\), saved at the stop`,
			`(?m)^ *\d+ .* running +test +irqlab/bugcheck\.`, `threaded DPC +irqlab/kernel\.threadDPCs`,
			`DISPATCH_LEVEL +software interrupt`, `irqlab/linux\.consoleInterrupt \(line \d+, level\)`,
			`KPCR of CPU 1 at 0x`, `(?m)^Test +1 +0 +1 +8 +8$`, `(?m)^\*.*\(Allocated\)  Thre$`, `Type: Thread`,
			`there are no IRPs`, `physical address`, `State            : 2 StateRunning`,
			`Bugcheck code 0000000F SPIN_LOCK_ALREADY_OWNED`,
			`FAULTING_FUNCTION:  main\.init\.func\d+`, `(?m)^> +\d+: .*"spin-recursion"`,
			`CALLED_ROUTINE:  irqlab/sync/spin\.\(\*Lock\)\.Acquire`, `KeAcquireSpinLock \(wdm\.h\), documented IRQL: <= DISPATCH_LEVEL`,
			`spin-recursive-deadlock: `, `"Bug Check 0xF: SPIN_LOCK_ALREADY_OWNED"`)

		dumped, errs, status := irqlab(t, kdLook+"\n", "kd", "-z", file, image)
		_, dumped, _ = strings.Cut(dumped, "\n")
		if status != 0 || dumped != live {
			t.Errorf("the dump differs: status %d %s\n--- machine\n%s\n--- dump\n%s", status, errs, live, dumped)
		}
		out, errs, status = irqlab(t, "", "kd", "-z", file, buildImage(t, arch, "./testdata/hello"))
		if status != statusFailure || !strings.Contains(errs, "not the program that the dump is of") {
			t.Errorf("another program: status %d\n%s%s", status, out, errs)
		}
		withstandsDamage(t, image, file)
	})
}

// Another processor than the first one stops the machine; the debugger's commands
// are about that one, on the machine and in the dump.
func TestKDSecond(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	eachArch(t, func(t *testing.T, arch string) {
		file, image := filepath.Join(t.TempDir(), "MEMORY.DMP"), buildImage(t, arch, "../../tests/stops")
		out, errs, status := irqlab(t, "", "kd", "-arch", arch, "-cpus", "2", "-timeout", limit.String(), image,
			"-c", "g; .echo LOOK; "+kdLook+"; .echo DUMP; .dump "+file, "--", "second-processor")
		_, rest, _ := strings.Cut(out, "LOOK\n")
		live, _, found := strings.Cut(rest, "DUMP\n")
		if status != 0 || !found {
			t.Fatalf("status %d\n%s%s", status, out, errs)
		}
		contains(t, "after the stop", live, `(?m)^\.  1  \S+ irqlab/bugcheck\.leave`, `(?m)^THREAD .* "test": `, `(?m)^FAULTING_FUNCTION:  main\.touch$`)
		dumped, errs, status := irqlab(t, "", "kd", "-z", file, "-c", kdLook, image)
		if status != 0 || dumped != live {
			t.Errorf("the dump differs: status %d %s\n--- machine\n%s\n--- dump\n%s", status, errs, live, dumped)
		}
	})
}

func buildImage(t *testing.T, arch, pkg string) string {
	t.Helper()
	image := filepath.Join(t.TempDir(), "program.img")
	if _, errs, status := irqlab(t, "", "build", "-arch", arch, "-o", image, pkg); status != 0 {
		t.Fatal(errs)
	}
	return image
}

func contains(t *testing.T, what, text string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(text) {
			t.Errorf("%s: nothing fits %s in\n%s", what, p, text)
		}
	}
}

// A program has something to show to every command, a deadlock among it.
func TestKDObjects(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	eachArch(t, func(t *testing.T, arch string) {
		file := filepath.Join(t.TempDir(), "MEMORY.DMP")
		out, errs, status := irqlab(t, "", "kd", "-arch", arch, "-timeout", limit.String(), "./testdata/kd",
			"-c", "g main.standstill; .dump "+file+"; ~; !irql; !stacks 2 main.own; !process; !locks; !deadlock; !ready; !dpcs; !timer; !apc; !handle; "+
				"!object; !object \\; !pte poi(main.paged); !pte poi(main.paged)+1000; !vm; !qlocks; !object poi(main.never); !pool poi(main.never); dt irqlab/dpc.Object poi(main.dpcs)+40; !poolused; "+
				"!pool poi(main.paged); dt main.ratios; dt main.ratios[1]; dt kernel.threads[2000]; dt kernel.Thread.Name @$thread; dt kernel.processors[0].idle; dt *.Thread; dt arch.CPUs; r @$ip; .echo WRONG; !pte 8000000000001000; ln main.standstill")
		if status != 1 {
			t.Fatalf("status %d, want that of a wrong address\n%s%s", status, out, errs)
		}
		const thread = `thread \d+ \S+`
		contains(t, "at standstill", out,
			`(?m)^float64: -2$`, `(?m)^\[16\]uint8 "main"$`, `(?m)^\*irqlab/kernel\.Thread: \(null\)$`, `(?m)^\*irqlab/kernel\.Thread: \S+ irqlab/kernel\.idleThreads`,
			`waiting .* mutant and mutant\n`, `WRONG\n!pte: 80000000.00001000 is no virtual address`, `(?m)^(rip|pc)=`,
			`(?m)^ +\+0x000 \[0\] +: 0\.5\n +\+0x008 \[1\] +: -2\n +\+0x010 \[2\] +: 0\n`, `(?m)^ +\+0x\w+ \[7\] +: irqlab/arch\.CPU$`, `(?m)^  irqlab/kernel\.Thread$`,
			`(?m)^Kdbg +1 +0 +1 +8192 +8192\npaged pool: 2 pages$`, `(?m)^Pool page \S+, paged pool: part of one allocation\n\*.* Kdbg$`,
			`(?m)^\.  \d  \S+ main\.standstill  IRQL 2 \(DISPATCH_LEVEL\), thread \d+ main$`,
			`(?m)^ *\d+ \S+ waiting .* irqlab/\S+\n( +\S+\n)* +irqlab/wdk\.KeWaitForSingleObject\+\S+\n( +\S+\n)* +main\.own\+`,
			`(?m)^Resource @ 0x\w+ +owned exclusively by 1 thread, contended 1 times\n    owner `+thread+`\n    waiting: 1 for shared access`,
			`(?m)^Deadlock of 2 threads:\n  (`+thread+`) waits for mutant 0x\w+: (`+thread+`) has it\n  `+thread+` waits for mutant`,
			`(?m)^CPU 0: 1 thread ready$`, `(?m)^CPU 0: 1 queued; .*\n  KDPC 0x\w+ ordinary, medium: main\.deferred\(`,
			`(?m)^  KTIMER 0x\w+ in \d+\.\d+ s, every 1000 ms: synchronization timer, queues KDPC 0x\w+ main\.deferred$`,
			` user +\S+ kernel main\.ignore, normal main\.`, `(?m)^0xffffffff80000004: object 0x\w+, Thread, access `,
			`(?m)^Thread +\d\d$`, `not present: paged pool, (on standby|at place)`, `not present: a page of paged pool that was never touched`,
			`(?m)^paged pool +2 pages`, `(?m)^ +\S+ Directory  BaseNamedObjects$`,
			`(?m)^main\.lock .* held by thread \d+ main$`, `Dispatcher object: \S+  Type: notification event, state 0, 1 waiting thread`,
			`(?m)^\*.* Kdbg$`, `Routine +: \S+ -> main\.deferred`, `(?m)^Kdbg +\d+ `)

		// A dump of a machine that has done nothing wrong accuses nobody.
		out, errs, status = irqlab(t, "", "kd", "-z", file, "-c", "!analyze -v; .echo MORE; k; !deadlock; !ready")
		if status != 0 {
			t.Fatalf("status %d\n%s%s", status, out, errs)
		}
		analysis, _, _ := strings.Cut(out, "MORE\n")
		contains(t, "the dump", out, `(?m)^LIVE_SYSTEM_DUMP \(161\)$`, ` main\.standstill\+0x0`, `(?m)^Deadlock of 2 threads:$`, `(?m)^CPU 0: 1 thread ready$`)
		if strings.Contains(analysis, "caused") {
			t.Errorf("an analysis of nothing:\n%s", analysis)
		}
	})
}

// The verifier stops the machine for a deadlock before it is complete; its data say
// who would wait for whom.
func TestKDVerifier(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	out, errs, status := irqlab(t, "", "kd", "-opt", "verifier=deadlock", "-timeout", limit.String(), "./testdata/kd", "-c", "g; !deadlock; !verifier; !analyze -v")
	if status != 0 {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	contains(t, "after the stop", out, `Fatal System Error: 0x000000c4`,
		`(?m)^Deadlock of 2 threads:\n  (thread \d+ \S+) waits for mutant 0x\w+: (thread \d+ \S+) has it\n  thread \d+ \S+ waits for mutant`,
		`(?m)^rules        deadlock$`, `holds resource 0x\w+, acquired in main\.own \[kd/main\.go @ \d+\]`,
		`FAULTING_FUNCTION:  main\.(wait|main\.func)`, `CALLED_ROUTINE:  irqlab/wdk\.KeWaitFor(Single|Multiple)Object`)
}

// Of the places where a dump's program was built, the module that the user is in
// comes first, not the last one.
func TestKDProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a machine")
	}
	first, second := userModule(t), userModule(t)
	file := filepath.Join(t.TempDir(), "MEMORY.DMP")
	for _, dir := range []string{first, second} {
		t.Chdir(dir)
		if out, err := exec.Command("go", "get", "irqlab/entry").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		buildImage(t, "amd64", "./mydriver")
	}
	if out, errs, status := irqlab(t, "", "kd", "-arch", "amd64", "-timeout", limit.String(), "-c", "g main.main; .dump "+file, "./mydriver"); status != 0 {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	for _, dir := range []string{first, second} {
		t.Chdir(filepath.Join(dir, "mydriver"))
		out, errs, _ := irqlab(t, "", "kd", "-z", file, "-c", "ln main.main")
		if !strings.HasPrefix(out, dir+"/mydriver/main.go(") {
			t.Errorf("in %s\n%s%s", dir, out, errs)
		}
	}
}

// A step over a call ends in the thread that made it, wherever that is by then.
func TestKDStep(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	eachArch(t, func(t *testing.T, arch string) {
		out, errs, status := irqlab(t, "", "kd", "-arch", arch, "-cpus", "2", "-timeout", limit.String(), "./testdata/step",
			"-c", "bp main.steps; g; bc *; !thread"+strings.Repeat("; p", 14)+"; !thread; q")
		if status != 0 {
			t.Fatalf("status %d\n%s%s", status, out, errs)
		}
		contains(t, "steps", out,
			`(call|bl) main\.move.*\nmain\.steps\+`, `(call|bl) main\.grow.*\nmain\.steps\+`, `(?m)^  state +running on CPU 1`)
		ids := regexp.MustCompile(`(?m)^THREAD \S+ +ID \d+`).FindAllString(out, -1)
		if len(ids) != 2 || ids[0] != ids[1] {
			t.Errorf("not two looks at one thread: %q\n%s", ids, out)
		}
	})
}

// A debugger attaches to a machine that was started for another one.
func TestKDAttach(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	eachArch(t, func(t *testing.T, arch string) {
		address, err := loopback(0)
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := strings.Cut(address, ":")
		image := buildImage(t, arch, "./testdata/hello")
		machine := exec.CommandContext(t.Context(), tool, "debug", "-attach", "-port", port, "-arch", arch, "-timeout", limit.String(), "./testdata/hello")
		var console strings.Builder
		machine.Stdout = &console
		if err := machine.Start(); err != nil {
			t.Fatal(err)
		}
		if !soon(func() bool { return runs(t, "tcp:"+address) }) {
			t.Fatal("no machine was started")
		}
		out, errs, status := irqlab(t, "", "kd", "-timeout", limit.String(), "-attach", ":"+port, image, "-c", "g board.Exit; k; q")
		err = machine.Wait() // it runs on once the debugger has left
		if status != 0 || err != nil || !strings.Contains(console.String(), "irqlab: exit 0") {
			t.Errorf("status %d, %v\n%s%s%s", status, err, out, errs, console.String())
		}
		contains(t, "at the end", out, `irqlab/board\.Exit`, `TrapFrame @`, `runtime\.exit`)
	})
}

// A debugger attaches to a machine that runs, which goes on when it has left.
func TestKDAttachRunning(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	eachArch(t, func(t *testing.T, arch string) {
		address, err := loopback(0)
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := strings.Cut(address, ":")
		image := buildImage(t, arch, "../../shell")
		machine := exec.CommandContext(t.Context(), tool, "run", "-arch", arch, "-timeout", limit.String(),
			"-qemu", "-gdb", "-qemu", "tcp:"+address, "../../shell")
		keys, err := machine.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		console, err := machine.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := machine.Start(); err != nil {
			t.Fatal(err)
		}
		booted, err := bufio.NewReader(console).ReadString('>') // of the prompt
		out, errs, status := irqlab(t, "", "kd", "-timeout", limit.String(), "-attach", ":"+port, image, "-c", "!irql; q")
		if status != 0 {
			t.Errorf("status %d\n%s%s%s, %v", status, out, errs, booted, err)
		}
		contains(t, "attached", out, `(?m)^.*PASSIVE_LEVEL|DISPATCH_LEVEL`)
		fmt.Fprintln(keys, "exit")
		io.Copy(io.Discard, console)
		if err := machine.Wait(); err != nil {
			t.Errorf("the machine after the debugger has left: %v", err)
		}
	})
}

func TestKDMistakes(t *testing.T) {
	nothing := filepath.Join(t.TempDir(), "nothing")
	if err := os.WriteFile(nothing, []byte("nothing"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   []string
		status int
		say    string
	}{
		{nil, statusUsage, "name the main package"},
		{[]string{"-z", nothing}, statusFailure, "not a crash dump"},
		{[]string{"-z", nothing + ".DMP"}, statusFailure, "no such file"},
		{[]string{"-z", nothing, "-attach", "1"}, statusUsage, "different machines"},
		{[]string{"-attach", "192.0.2.1:1234", nothing}, statusUsage, "only this host's"},
		{[]string{"-attach", "1", nothing}, statusFailure, "image " + nothing},
		{[]string{nothing}, statusFailure, "image " + nothing},
	} {
		out, errs, status := irqlab(t, "", append([]string{"kd"}, tt.args...)...)
		if status != tt.status || !strings.Contains(errs, tt.say) || out != "" {
			t.Errorf("irqlab kd %s: status %d, want %d and %q:\n%s%s", fmt.Sprint(tt.args), status, tt.status, tt.say, out, errs)
		}
	}
}
