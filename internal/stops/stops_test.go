// Package stops boots the program tests/stops once for every rule of the kernel
// that it can break, and checks the stop that must follow.
package stops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"irqlab/qemu"
)

// stop is what the screen must say: the code, and of each parameter its value,
// or one of the kinds below.
type stop struct {
	code       uint64
	parameters [4]uint64
}

// Kinds of parameters that have no fixed value.
const (
	address uint64 = 1<<63 + iota // not zero
	any
)

var stops = map[string]stop{
	// rule: irql-raise-lower-bugcheck
	// rule: bc-09-not-greater
	"raise-to-lower": {0x09, [4]uint64{1, 2, 0, 0}},
	// rule: irql-raisetodpc-above-dispatch
	"raise-from-high": {0x09, [4]uint64{2, 15, 0, 0}},
	// rule: irql-lower-higher-fatal
	"lower-to-higher": {0x0A, [4]uint64{2, 0, 0, address}},
	// rule: irql-no-wait-at-dispatch
	// rule: wait-irql-nonzero
	"wait-at-dispatch": {0x0A, [4]uint64{0, 2, 0, address}},
	"wait-disabled":    {0x0A, [4]uint64{any, 0, 0, address}},
	"memory-from-go":   {0x09, [4]uint64{0, 0, 2, 0}},
	// rule: dpc-no-wait
	// rule: bc-b8-dpcswitch
	"wait-in-dpc":           {0xB8, [4]uint64{address, any, any, any}},
	"send-at-dispatch":      {0x0A, [4]uint64{any, 2, 0, address}},
	"receive-under-lock":    {0x0A, [4]uint64{any, 2, 0, address}},
	"recursion-at-dispatch": {0x0A, [4]uint64{any, 2, 0, address}},
	// rule: irql-pagefault-at-dispatch
	// rule: bc-d1-driver
	// rule: bc-d1-vs-a
	"touch-at-dispatch": {0xD1, [4]uint64{address, 2, 1, address}},
	"beside-high":       {0xE2, [4]uint64{0, 0, 0, 0}},
	"beside-caller":     {0xE2, [4]uint64{0, 0, 0, 0}},
	"second-processor":  {0xD1, [4]uint64{address, 2, 1, address}},
	"once":              {0xE2, [4]uint64{0, 0, 0, 0}},
	"dump-fault":        {0xE2, [4]uint64{0, 0, 0, 0}},
	// rule: bc-0a-not-less
	// rule: bc-d1-vs-a
	"touch-by-kernel": {0x0A, [4]uint64{address, 2, any, address}},
	// rule: dpc-flush-passive
	"flush-at-apc": {0x0A, [4]uint64{0, 1, 0, address}},

	// rule: bc-101-clock
	"hung-processor": {0x101, [4]uint64{64, 0, address, 1}},

	// rule: bc-7f-trap
	"stack-overflow": {0x7F, [4]uint64{8, address, address, any}},

	// rule: spin-recursive-deadlock
	// rule: bc-0f-spin-owned
	"spin-recursion": {0x0F, [4]uint64{address, address, 0, 0}},
	// rule: spin-try
	"spin-recursive-try": {0x0F, [4]uint64{address, address, 0, 0}},
	// rule: spin-release-unowned
	// rule: bc-10-spin-notowned
	"spin-free-release":    {0x10, [4]uint64{address, 0, 0, 0}},
	"spin-foreign-release": {0x10, [4]uint64{address, address, 0, 0}},
	// rule: spin-atdpc-below
	"spin-at-dpc-below":   {0x09, [4]uint64{address, 0, 0, 0}},
	"spin-from-dpc-below": {0x09, [4]uint64{address, 0, 0, 0}},
	// rule: spin-lower-while-held
	"spin-lower-held":   {0x0F, [4]uint64{address, 2, 1, 0}},
	"spin-lower-second": {0x0F, [4]uint64{address, 2, 1, 0}},
	"queued-lower-held": {0x0F, [4]uint64{address, 2, 1, 0}},
	// rule: spin-release-irql
	"spin-release-level": {0xC4, [4]uint64{0x32, 3, address, 0}},
	// rule: spin-acquire-above-dispatch
	"spin-acquire-above": {0x09, [4]uint64{2, 3, 0, 0}},
	// rule: spin-isr-sharing
	"spin-shared-with-isr": {0x0F, [4]uint64{address, address, 0, 0}},
	"queued-recursion":     {0x0F, [4]uint64{address, address, 0, 0}},
	"queued-free-release":  {0x10, [4]uint64{any, address, 0, 0}},

	// rule: irql-callback-must-restore
	// rule: bc-c8-irql
	"dpc-return-level": {0xC8, [4]uint64{3<<16 | 2<<8 | 2, address, address, 0}},
	// rule: dpc-bad-cpu
	"dpc-bad-cpu": {0xC7, [4]uint64{3, address, 8, 2}},
	// rule: dpc-storage-freed
	// rule: bc-c7-timerdpc
	"dpc-freed":         {0xC7, [4]uint64{1, address, address, address}},
	"dpc-routine-freed": {0xC7, [4]uint64{2, address, address, address}},
	// rule: dpc-apc-count
	"dpc-apc-count": {0xC7, [4]uint64{4, address, 0, 0xFFFF}},
	// rule: dpc-watchdog-single
	// rule: bc-133-dpc
	"dpc-watchdog":      {0x133, [4]uint64{0, 5, 4, 0}},
	"dpc-watchdog-idle": {0x133, [4]uint64{0, 5, 4, 0}},
	// rule: dpc-watchdog-cumulative
	"dpc-watchdog-sum": {0x133, [4]uint64{1, 4, 0, 0}},
	"isr-watchdog":     {0x133, [4]uint64{1, 4, 0, 0}},
	// rule: timer-dpc-exclusive
	"dpc-of-timer": {0xC7, [4]uint64{6, address, address, 0}},
	// rule: dpc-null-insert
	"dpc-nil": {0x0A, [4]uint64{2, 15, 0, address}},

	// rule: irql-callback-must-restore
	"isr-return-level": {0xC8, [4]uint64{13<<16 | 6<<8 | 3, address, address, 0}},
	// rule: sync-execution-too-high
	"synchronize-from-high": {0x09, [4]uint64{6, 15, 0, 0}},
	"synchronize-level":     {0xC8, [4]uint64{15<<16 | 6<<8 | 3, address, address, 0}},

	// rule: event-set-high-verifier
	"event-set-high": {0x0A, [4]uint64{0, 15, 2, address}},
	// rule: event-wait-true-max
	"event-wait-true": {0x0A, [4]uint64{0, 2, 1, address}},
	"event-elsewhere": {0xC4, [4]uint64{0xE1, address, 0, 0}},
	// rule: wait-object-reinit
	// rule: bc-139-list
	"event-reinit": {0x139, [4]uint64{3, address, address, 0}},
	"timer-reinit": {0x139, [4]uint64{3, address, address, 0}},
	// rule: sem-wait-true-passive
	"semaphore-wait-true": {0x0A, [4]uint64{0, 1, 0, address}},
	// rule: mutex-exit-held
	// rule: bc-4000008a
	"mutex-exit-held": {0x4000008A, [4]uint64{address, address, 0, 0}},
	// rule: mutex-non-owner-release
	"mutex-raise-dispatch": {0x1E, [4]uint64{0xC0000046, any, any, any}},
	"mutex-raise-kernel":   {0x1E, [4]uint64{0xC0000046, any, any, any}},
	"timer-set-high":       {0x0A, [4]uint64{0, 15, 2, address}},
	// rule: timer-freed-queued
	"timer-freed": {0xC7, [4]uint64{0, address, address, address}},
	// rule: timer-dpc-no-free
	"timer-freed-in-dpc": {0xC7, [4]uint64{0, address, address, address}},
	// rule: wait-multi-3-builtin
	// rule: bc-0c-maxwait
	"wait-four": {0x0C, [4]uint64{4, 3, 0, 0}},
	// rule: wait-multi-64-max
	"wait-65": {0x0C, [4]uint64{65, 64, 0, 0}},

	// rule: pool-zero-bytes
	"pool-zero-bytes": {0xC2, [4]uint64{0, 0, 0, address}},
	// rule: pool-tag-zero
	// rule: bc-c2-pool
	"pool-zero-tag": {0xC2, [4]uint64{0x9B, 0, 16, any}},
	// rule: pool-nonpaged-limit
	"pool-alloc-high": {0xC2, [4]uint64{0x08, 15, 0, 16}},
	"pool-free-high":  {0xC2, [4]uint64{0x09, 15, 0, address}},
	// rule: pool-wrong-tag-free
	"pool-wrong-tag": {0xC2, [4]uint64{0x0A, address, address, address}},
	// rule: pool-double-free
	"pool-double-free": {0xC2, [4]uint64{0x07, any, any, address}},
	// rule: pool-bad-free
	"pool-bad-address":    {0xC2, [4]uint64{0x46, address, 0, 0}},
	"pool-overrun":        {0x19, [4]uint64{0x21, address, 40, 1}},
	"pool-use-after-free": {0x19, [4]uint64{0x02, address, any, address}},
}

// run boots the image with one argument and returns the console.
func run(t *testing.T, arch qemu.Arch, cpus int, image string, argument ...string) (console string, status int) {
	t.Helper()
	m := machine(arch, cpus, "")
	line, err := qemu.Cmdline{Options: options(argument), Args: argument}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	status, err = m.Run(context.Background(), image, line, qemu.Console{Out: &out, Err: &errs}, 5*time.Minute)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, &errs, &out)
	}
	return out.String(), status
}

var line = regexp.MustCompile(`\*\*\* STOP 0x([0-9A-F]{8}) \(0x([0-9A-F]{16}), 0x([0-9A-F]{16}), 0x([0-9A-F]{16}), 0x([0-9A-F]{16})\)`)

// TestStops has every rule broken on both architectures.
func TestStops(t *testing.T) {
	each(t, func(t *testing.T, arch qemu.Arch) {
		image := program(t, arch)
		out, status := run(t, arch, 1, image)
		names := strings.Fields(strings.Split(out, "irqlab: exit")[0])
		if status != 0 || len(names) != len(stops)+len(hangs) {
			t.Errorf("the program breaks %d rules, the test knows %d; status %d\n%s", len(names), len(stops), status, out)
		}
		for i, name := range names {
			if _, hangs := hangs[name]; hangs || testing.Short() && i%20 != 0 {
				continue
			}
			for _, cpus := range processors(arch, name) {
				t.Run(fmt.Sprintf("%s-%d", name, cpus), func(t *testing.T) {
					t.Parallel()
					check(t, arch, cpus, image, name)
				})
			}
		}
	})
}

func check(t *testing.T, arch qemu.Arch, cpus int, image, name string) {
	want, known := stops[name]
	out, status := run(t, arch, cpus, image, name)
	found := line.FindStringSubmatch(out)
	if !known || found == nil || status != qemu.StopStatus {
		t.Fatalf("known %v, status %d\n%s", known, status, out)
	}
	var got [5]uint64
	for i := range got {
		var err error
		if got[i], err = strconv.ParseUint(found[i+1], 16, 64); err != nil {
			t.Fatal(errors.Join(err, errors.New(found[0])))
		}
	}
	ok := got[0] == want.code
	for i, w := range want.parameters {
		g := got[i+1]
		ok = ok && (w == any || w == address && g != 0 || w == g)
	}
	if !ok {
		t.Errorf("want code %#x, parameters %#x\n%s", want.code, want.parameters, out)
	}
	if strings.Contains(out, " ran\n") {
		t.Errorf("something was unwound\n%s", out)
	}
	// The thread may have left the program, or its routine. An APC's, which a
	// parameter names, was called wherever the thread was.
	left := name == "mutex-exit-held" || strings.HasPrefix(name, "apc-normal-") && strings.Contains(out, " main.init.") || strings.HasPrefix(name, "work-") || strings.HasPrefix(name, "return-")
	if !strings.Contains(out, "(stops/") && !left {
		t.Errorf("the program is not in the back trace\n%s", out)
	}
}
