//go:build amd64 && !irqlab

package explore

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// bug is a change of a source file that the test of that name must find.
type bug struct{ name, file, test, old, new string }

var bugs = []bug{
	{"push lock: shared overtakes the line", "sync/pushlock.go", "TestPushLock",
		"case exclusive, word&pushWaiting != 0, word == pushLocked:", "case exclusive, word == pushLocked:"},
	{"push lock: shared beside exclusive", "sync/pushlock.go", "TestPushLock",
		"case exclusive, word&pushWaiting != 0, word == pushLocked:", "case exclusive, word&pushWaiting != 0:"},
	{"push lock: handed over before the last sharer left", "sync/pushlock.go", "TestPushLock",
		"w.shares--; w.shares > 0", "w.shares--; w.shares > 1"},
	{"push lock: lost wake-up", "sync/pushlock.go", "TestPushLock",
		"w.event.Header.SignalState = 1", "w.event.Header.SignalState = 0"},
	{"push lock: a batch is not counted", "sync/pushlock.go", "TestPushLock",
		"if n > 1 {\n\t\tw.shares = n", "if n > 2 {\n\t\tw.shares = n"},
	{"push lock: holders are not counted", "sync/pushlock.go", "TestPushLock",
		"n := word / pushShare; n > 1", "n := word / pushShare; n > 2"},
	{"push lock: two sharers released as one", "sync/pushlock.go", "TestPushLock",
		"if word/pushShare > 1 {", "if word/pushShare > 2 {"},
	{"push lock: exclusive in a batch of sharers", "sync/pushlock.go", "TestPushLock",
		"for ; w != nil && !w.exclusive; w = w.previous {", "for ; w != nil; w = w.previous {"},
	{"push lock: the line is cut", "sync/pushlock.go", "TestPushLock",
		"end.last, end.previous = nil, w", "end.last = nil"},
	{"fast mutex: the first waiter does not wait", "sync/fastmutex.go", "TestFastMutex",
		"atomic.AddInt32(&m.Count, -1) != 0", "atomic.AddInt32(&m.Count, -1) < -1"},
	{"fast mutex: the last waiter is forgotten", "sync/fastmutex.go", "TestFastMutex",
		"atomic.AddInt32(&m.Count, 1) <= 0", "atomic.AddInt32(&m.Count, 1) < 0"},
	{"guarded mutex: lost wake-up", "sync/guardedmutex.go", "TestGuardedMutex",
		"m.Gate.Set(eventIncrement)", "m.Gate.State()"},
	{"guarded mutex: free and handed over", "sync/guardedmutex.go", "TestGuardedMutex",
		"n, n-guardedWaiter)", "n, n-guardedWaiter|guardedFree)"},
	{"guarded mutex: not taken by who found it free", "sync/guardedmutex.go", "TestGuardedMutex",
		"!atomic.CompareAndSwapInt32(&m.Count, guardedFree, 0) {\n\t\tm.wait(t)", "atomic.LoadInt32(&m.Count) != guardedFree {\n\t\tm.wait(t)"},
	{"resource: exclusive beside sharers", "sync/eresource_acquire.go", "TestResource",
		"case how == exclusive:\n\t\treturn r.line", "case how == exclusive && owned:\n\t\treturn r.line"},
	{"resource: granted before the last sharer left", "sync/eresource_release.go", "TestResource",
		"case r.ActiveCount != 0:", "case r.ActiveCount > 1:"},
	{"resource: granted exclusively, marked shared", "sync/eresource_release.go", "TestResource",
		"r.NumberOfExclusiveWaiters--\n\t\tr.Flag |= ResourceOwnedExclusive", "r.NumberOfExclusiveWaiters--"},
	{"resource: sharers let in are not counted", "sync/eresource_release.go", "TestResource",
		"r.NumberOfSharedWaiters = 0\n\tr.activate(int(n))", "r.NumberOfSharedWaiters = 0"},
	{"resource: one of the sharers is woken", "sync/eresource_release.go", "TestResource",
		"r.SharedWaiters.Release(0, n)", "r.SharedWaiters.Release(0, min(n, 1))"},
	{"resource: exclusive is not handed to exclusive", "sync/eresource_release.go", "TestResource",
		"(!wasExclusive || r.NumberOfSharedWaiters == 0)", "!wasExclusive"},
	{"resource: a waiter stays counted", "sync/eresource_release.go", "TestResource",
		"\t\tr.NumberOfExclusiveWaiters--\n", ""},
	{"resource: entered without a wait", "sync/eresource_acquire.go", "TestResource",
		"r.ExclusiveWaiters.Header.Wait(nil, false, kernel.KernelMode)", "r.ExclusiveWaiters.State()"},
	{"queue: lost wake-up by an insert", "kernel/queue.go", "TestQueue",
		"\tq.activate()\n\treturn n\n", "\treturn n\n"},
	{"queue: lost wake-up by a thread that ends", "kernel/queue.go", "TestQueue",
		"\t\tq.leave()\n\t\tq.activate()\n\t}\n}\n\n// leave", "\t\tq.leave()\n\t}\n}\n\n// leave"},
	{"queue: a thread that goes on is not counted", "kernel/queue.go", "TestQueue",
		"if q := s.queue; q != nil {\n\t\tq.CurrentCount++", "if q := s.queue; q != nil {"},
	{"rundown: the last user does not say so", "sync/rundown.go", "TestRundown",
		"w.event.Set(0)", "w.event.State()"},
	{"rundown: one user is not waited for", "sync/rundown.go", "TestRundown",
		"if users != 0 {", "if users > 1 {"},
	{"rundown: users are let in during the wait", "sync/rundown.go", "TestRundown",
		"if word&rundownActive != 0 {\n\t\t\treturn false", "if word == rundownActive {\n\t\t\treturn false"},
	{"cache-aware rundown: the last user does not say so", "sync/rundowncache.go", "TestCacheAwareRundown",
		"atomic.AddInt64(&r.left, -int64(n)) == 0", "atomic.AddInt64(&r.left, -int64(n)) < 0"},
	{"cache-aware rundown: one user is not waited for", "sync/rundowncache.go", "TestCacheAwareRundown",
		"case left > 0:", "case left > 1:"},
	{"cache-aware rundown: who leaves meanwhile is not counted", "sync/rundowncache.go", "TestCacheAwareRundown",
		"return atomic.AddInt64(&r.left, sum)", "atomic.StoreInt64(&r.left, sum)\n\treturn sum"},
	{"run once: who waits is not woken", "sync/runonce.go", "TestRunOnce",
		"wakeOnce(word &^ onceBits)", "_ = wakeOnce"},
	{"run once: two begin", "sync/runonce.go", "TestRunOnce",
		"if atomic.CompareAndSwapUintptr(&o.word, word, next) {\n\t\t\t\treturn 0", "if atomic.CompareAndSwapUintptr(&o.word, word, next) || true {\n\t\t\t\treturn 0"},
	{"fast mutex: the level is not raised", "sync/fastmutex.go", "TestFastMutex",
		"old := irql.Raise(irql.APC)\n\tm.take(t)", "old := irql.Current()\n\tm.take(t)"},
	{"fast mutex: the level falls before it is free", "sync/fastmutex.go", "TestFastMutex",
		"\tif watched() {\n\t\tm.release()", "\tirql.Lower(old)\n\tif watched() {\n\t\tm.release()"},
	{"guarded mutex: its region is left before it is free", "sync/guardedmutex.go", "TestGuardedMutex",
		"\tm.give()\n\tkernel.LeaveGuardedRegion()", "\tkernel.LeaveGuardedRegion()\n\tm.give()"},
	{"spin lock: the level is not raised", "sync/spin/lock.go", "TestSpinLock",
		"old := irql.Raise(irql.Dispatch)\n\tl.take()", "old := irql.Current()\n\tl.take()"},
	{"spin lock: the level falls before it is free", "sync/spin/lock.go", "TestSpinLock",
		"\tatomic.StoreUintptr(&l.word, 0)\n\tirql.Lower(old)", "\tirql.Lower(old)\n\tatomic.StoreUintptr(&l.word, 0)"},
	{"spin lock: a try takes one that is held", "sync/spin/lock.go", "TestSpinLock",
		"return atomic.CompareAndSwapUintptr(&l.word, 0, taken)", "atomic.StoreUintptr(&l.word, taken)\n\t\treturn true"},
	{"interrupt spin lock: raised to DISPATCH_LEVEL only", "sync/spin/lock.go", "TestInterruptSpinLock",
		"old := irql.Raise(to)", "old := irql.Raise(irql.Dispatch)"},
	{"queued spin lock: the level is not raised", "sync/spin/queued.go", "TestQueuedSpinLock",
		"old := irql.Raise(irql.Dispatch)", "old := irql.Current()"},
	{"queued spin lock: freed while somebody gets in line", "sync/spin/queued.go", "TestQueuedSpinLock",
		"if atomic.CompareAndSwapUintptr(&q.word, uintptr(unsafe.Pointer(h)), 0) {", "if atomic.StoreUintptr(&q.word, 0); true {"},
	{"queued spin lock: not passed on", "sync/spin/queued.go", "TestQueuedSpinLock",
		"atomic.StoreUintptr(&n.lock, lock|queueOwner)", "atomic.StoreUintptr(&n.lock, lock|queueWait)"},
	{"shared spin lock: the level is not raised", "sync/spin/shared.go", "TestSharedSpinLock",
		"old := irql.Raise(irql.Dispatch)\n\tl.enterAlone()", "old := irql.Current()\n\tl.enterAlone()"},
	{"shared spin lock: a sharer passes a writer", "sync/spin/shared.go", "TestSharedSpinLock",
		"if n&writer == 0 && atomic.CompareAndSwapUint32(&l.word, n, n+1) {", "if atomic.CompareAndSwapUint32(&l.word, n, n+1) {"},
	{"shared spin lock: a writer does not wait for sharers", "sync/spin/shared.go", "TestSharedSpinLock",
		"for atomic.LoadUint32(&l.word) != writer {", "for atomic.LoadUint32(&l.word) == 0 {"},
	{"shared spin lock: one of several sharers converts", "sync/spin/shared.go", "TestSharedSpinLockConvert",
		"atomic.CompareAndSwapUint32(&l.word, 1, writer)", "atomic.CompareAndSwapUint32(&l.word, atomic.LoadUint32(&l.word), writer)"},
	{"remove lock: the last user does not say so", "sync/removelock.go", "TestRemoveLock",
		"l.RemoveEvent.Set(0)", "l.RemoveEvent.State()"},
	{"remove lock: one user is not waited for", "sync/removelock.go", "TestRemoveLock",
		"case n > 0:", "case n > 1:"},
	{"remove lock: users are let in during the wait", "sync/removelock.go", "TestRemoveLock",
		"if !l.removed() {", "if l.removed(); true {"},
	{"remove lock: the count falls before the end is known", "sync/removelock.go", "TestRemoveLock",
		"atomic.StoreUint32((*uint32)(unsafe.Pointer(&l.Removed)), 1)\n", "defer atomic.StoreUint32((*uint32)(unsafe.Pointer(&l.Removed)), 1)\n"},
	{"device queue: a device at work is taken for idle", "sync/devicequeue.go", "TestDeviceQueue",
		"\tq.Busy |= 1\n", ""},
	{"device queue: busy with nothing", "sync/devicequeue.go", "TestDeviceQueue",
		"\t\tq.Busy &^= 1\n", ""},
	{"device queue: idle too late", "sync/devicequeue.go", "TestDeviceQueue",
		"\t\tq.Busy &^= 1\n\t\tq.Lock.Release(old)\n", "\t\tq.Lock.Release(old)\n\t\tq.Busy &^= 1\n"},
	{"DPC queue: what runs already is removed", "dpc/queue.go", "TestDPCQueue",
		"if atomic.LoadUintptr(&d.Data) != q.address() {", "if q.address() == 0 {"},
	{"DPC queue: one of several is served", "dpc/dpc.go", "TestDPCQueue",
		"more = q.depth != 0", "more = false"},
	{"wait for all: one is enough", "kernel/wait.go", "TestWaitAll",
		"if !block(t.WaitBlocks, i).Object.signalled(t) {", "if i == 0 && !block(t.WaitBlocks, i).Object.signalled(t) {"},
	{"semaphore: lost wake-up", "sync/semaphore.go", "TestDispatcherObjects",
		"if !h.WaitList.Empty() {", "if h.WaitList.Empty() {"},
	{"semaphore: above its limit", "sync/semaphore.go", "FuzzCalls", "n < 0 || n > s.Limit-count", "n < 0"},
	{"event: a signal taken twice", "kernel/wait.go", "FuzzCalls", "TypeSynchronizationTimer:\n\t\th.SignalState = 0\n", "TypeSynchronizationTimer:\n"},
	{"mutex: released by anybody", "kernel/mutant.go", "FuzzCalls", "if m.Owner != t || m.Header", "if m.Header"},
}

// usedBy are the tests of other things that would find a file's bugs.
var usedBy = map[string][]string{"sync/semaphore.go": {"TestResource"}}

// builds are bugs that are planted together: at most one for each test and file, so
// that no test finds another one's. That a spin lock does not raise the level, say,
// is nothing to a test without interrupts.
func builds() (groups [][]bug) {
	apart := func(a, b bug) bool {
		return a.test == b.test || a.file == b.file || slices.Contains(usedBy[a.file], b.test) || slices.Contains(usedBy[b.file], a.test)
	}
	for _, b := range bugs {
		i := slices.IndexFunc(groups, func(g []bug) bool {
			return g[0].pkg() == b.pkg() && !slices.ContainsFunc(g, func(other bug) bool { return apart(other, b) })
		})
		if i < 0 {
			groups, i = append(groups, nil), len(groups)
		}
		groups[i] = append(groups[i], b)
	}
	return groups
}

func (b *bug) pkg() string {
	if strings.HasPrefix(b.test, "Fuzz") {
		return "irqlab/internal/calls" // with its corpus
	}
	return "irqlab/internal/explore"
}

// A test that cannot fail proves nothing: every planted bug must be found.
func TestPlantedBugs(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the kernel again and again, with bugs")
	}
	root := output(t, "go", "list", "-m", "-f", "{{.Dir}}")
	for i, group := range builds() {
		t.Run(fmt.Sprint("build", i+1), func(t *testing.T) {
			t.Parallel()
			binary := build(t, root, group)
			for _, b := range group {
				t.Run(strings.ReplaceAll(b.name, " ", "-"), func(t *testing.T) { b.find(t, root, binary) })
			}
		})
	}
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// build builds the tests with the bugs of a group in place.
func build(t *testing.T, root string, group []bug) (binary string) {
	dir, replace := t.TempDir(), make(map[string]string)
	for _, b := range group {
		path := filepath.Join(root, b.file)
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(source), b.old); n != 1 {
			t.Fatalf("%s: the place for the bug is there %d times", b.name, n)
		}
		if replace[path] != "" {
			t.Fatalf("%s: another bug is in its file", b.name)
		}
		replace[path] = filepath.Join(dir, strings.ReplaceAll(b.file, "/", "-"))
		if err := os.WriteFile(replace[path], []byte(strings.Replace(string(source), b.old, b.new, 1)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, data, 0o666); err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, "bugs.test")
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay", list, "-o", binary, group[0].pkg()).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// find runs the bug's test.
func (b *bug) find(t *testing.T, root, binary string) {
	cmd := exec.CommandContext(t.Context(), binary, "-test.timeout", "2m", "-test.run", "^"+b.test+"$")
	cmd.Dir = filepath.Join(root, strings.TrimPrefix(b.pkg(), "irqlab/"))
	var failed *exec.ExitError
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Error("the bug was not found")
	} else if !errors.As(err, &failed) {
		t.Fatalf("%v\n%s", err, out)
	}
}
