package demos

import (
	"fmt"
	"io"
	"unsafe"

	"irqlab/kernel"
	. "irqlab/wdk"
)

// pushLock shows readers and writers of a push lock.
func pushLock(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	fmt.Fprint(w, "A push lock is one word: readers share it, a writer has it alone, and those who wait are\n"+
		"strung on the word by blocks on their own stacks, to be let in as they came.\n")
	l, free := allocate[EX_PUSH_LOCK]()
	defer free()
	ExInitializePushLock(l)
	var v visits
	read := func(name string) *visitor {
		return v.visit(name, "", func() { ExAcquirePushLockShared(l) }, func() { ExReleasePushLockShared(l) })
	}
	word := func() string { return fmt.Sprintf("%#x", *(*uintptr)(unsafe.Pointer(l))) }
	idle := word()
	first, second := read("first reader"), read("second reader")
	ok := v.inside(first) && v.inside(second)
	shared := word()
	writer := v.visit("writer", "", func() { ExAcquirePushLockExclusive(l) }, func() { ExReleasePushLockExclusive(l) })
	ok = waitsOnStack(writer.thread) && ok
	queued := word()
	late := read("late reader")
	ok = waitsOnStack(late.thread) && ok

	v.dismiss(first)
	sleep(5)
	stillOut := !v.has("+writer")
	v.dismiss(second)
	ok = v.inside(writer) && ok
	readerOut := !v.has("+late reader")
	v.dismiss(writer)
	ok = v.inside(late) && ok
	v.dismiss(late)

	fmt.Fprintf(w, "The word: %s when free, %s with two readers, %s with a writer waiting.\n", idle, shared, queued)
	fmt.Fprint(w, "In (+) and out (-):\n")
	for _, n := range v.log {
		fmt.Fprintf(w, "  %s\n", n)
	}
	ok = ok && stillOut && readerOut && idle == "0x0" && word() == "0x0"
	return verdict(w, ok, "two readers shared the lock, the writer waited for both, and the late reader for the writer")
}

// waitsOnStack waits until the thread waits for something on its own kernel
// stack, as only those do who wait for a push lock.
func waitsOnStack(t PETHREAD) bool {
	return until(func() bool {
		var buf [256]kernel.ThreadInfo
		for _, i := range buf[:min(kernel.Threads(buf[:]), len(buf))] {
			if i.Address == uintptr(unsafe.Pointer(t)) && i.WaitCount == 1 {
				o := i.Waits[0].Object
				return o >= i.StackLow && o < i.StackHigh
			}
		}
		return false
	})
}
