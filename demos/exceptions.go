package demos

import (
	"fmt"
	"io"
	"slices"

	"irqlab/guard"
	. "irqlab/wdk"
)

// exceptions shows in which order filters, finally blocks and handlers run, and
// that a lock which a guard took is free afterwards.
func exceptions(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	fmt.Fprintln(w, "A driver reads a user's buffer under a fast mutex, in a __try with a __finally inside:")
	m, free := allocate[FAST_MUTEX]()
	defer free()
	ExInitializeFastMutex(m)
	good := make([]byte, 16)
	right := true
	for _, c := range []struct {
		what   string
		buffer PVOID
		length SIZE_T
		want   []string
	}{
		{"a good buffer", PVOID(&good[0]), 16, []string{"read", "finally"}},
		{"a buffer in system space", PVOID(MmUserProbeAddress + 4096), 16, []string{"filter 0xC0000005", "finally, abnormal", "handler"}},
		{"a buffer that is not there", nil, 16, []string{"filter 0xC0000005", "finally, abnormal", "handler"}},
		{"a buffer at an odd address", PVOID(&good[1]), 8, []string{"filter 0x80000002", "finally, abnormal", "handler"}},
	} {
		steps := read(m, c.buffer, c.length)
		fmt.Fprintf(w, "  %-28s", c.what)
		for i, s := range steps {
			if i > 0 {
				fmt.Fprint(w, " -> ")
			}
			fmt.Fprint(w, s)
		}
		fmt.Fprintln(w)
		// Without the guard the mutex would be held still.
		if !slices.Equal(steps, c.want) || !ExTryToAcquireFastMutex(m) {
			right = false
			continue
		}
		ExReleaseFastMutex(m)
	}
	return verdict(w, right, "the filter runs first, with the stack as it was; then finally blocks; then the handler")
}

// read reads a user's buffer, and says what happened.
func read(m *FAST_MUTEX, buffer PVOID, length SIZE_T) (steps []string) {
	step := func(s string) { steps = append(steps, s) }
	TryExcept(func() {
		TryFinally(func() {
			defer guard.FastMutex(m).Release()
			ProbeForRead(buffer, length, 8)
			copied := *(*[8]byte)(buffer)
			_ = copied
			step("read")
		}, func(abnormal BOOLEAN) {
			if abnormal {
				step("finally, abnormal")
			} else {
				step("finally")
			}
		})
	}, func(p PEXCEPTION_POINTERS) LONG {
		step(fmt.Sprintf("filter 0x%08X", uint32(p.ExceptionRecord.Code)))
		return EXCEPTION_EXECUTE_HANDLER
	}, func(NTSTATUS) { step("handler") })
	return steps
}
