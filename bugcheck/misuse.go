package bugcheck

// misuses name what kernel code must not do by the runtime function that it
// ends up in. All kernel g's have a poisoned m, so the function faults; the
// entry for the outermost known one is what the programmer wrote.
var misuses = [...]struct{ function, text string }{
	{"runtime.mallocgc", "heap allocation in resident code"},
	{"runtime.newobject", "heap allocation in resident code"},
	{"runtime.makeslice", "heap allocation in resident code"},
	{"runtime.growslice", "heap allocation in resident code: append"},
	{"runtime.makemap", "heap allocation in resident code: map"},
	{"runtime.makechan", "heap allocation in resident code: channel"},
	{"runtime.concatstrings", "heap allocation in resident code: string concatenation"},
	{"runtime.slicebytetostring", "heap allocation in resident code: string conversion"},
	{"runtime.stringtoslicebyte", "heap allocation in resident code: string conversion"},
	{"runtime.convT", "heap allocation in resident code: conversion to an interface"},
	{"runtime.convT64", "heap allocation in resident code: conversion to an interface"},
	{"runtime.convTstring", "heap allocation in resident code: conversion to an interface"},
	{"runtime.mapassign", "map write in resident code"},
	{"runtime.mapdelete", "map write in resident code"},
	{"gcWriteBarrier", "Go-heap pointer stored by resident code while the collector runs"},
	{"runtime.wbBufFlush", "Go-heap pointer stored by resident code while the collector runs"},
	{"runtime.typedmemmove", "Go-heap pointer copied by resident code while the collector runs"},
	{"runtime.bulkBarrierPreWrite", "Go-heap pointer copied by resident code while the collector runs"},
	{"runtime.morestack", "kernel stack overflow"},
	{"runtime.newstack", "kernel stack overflow"},
	{"runtime.goPanicIndex", "index out of range in resident code"},
	{"runtime.goPanicSlice", "slice bounds out of range in resident code"},
	{"runtime.panicBounds", "index or slice bounds out of range in resident code"},
	{"runtime.panicdivide", "division by zero in resident code"},
	{"runtime.panicshift", "negative shift in resident code"},
	{"runtime.panicdottype", "failed type assertion in resident code"},
	{"runtime.gopanic", "panic in resident code"},
	{"runtime.throw", "fatal error of the Go runtime in resident code"},
	{"runtime.fatal", "fatal error of the Go runtime in resident code"},
	{"runtime.newproc", "go statement in resident code"},
	{"runtime.deferproc", "defer in a loop in resident code"},
	{"runtime.deferreturn", "defer in resident code"},
	{"runtime.chansend", "channel operation in resident code"},
	{"runtime.chanrecv", "channel operation in resident code"},
	{"runtime.closechan", "channel operation in resident code"},
	{"runtime.selectgo", "channel operation in resident code"},
	{"runtime.selectnb", "channel operation in resident code"},
	{"runtime.print", "print in resident code"},
	{"runtime.gopark", "Go-level wait in resident code"},
	{"runtime.lock2", "lock of the Go runtime taken in resident code"},
	{"runtime.semacquire", "Go-level lock in resident code"},
	{"sync.(*Mutex).lockSlow", "Go-level lock in resident code"},
	{"runtime.entersyscall", "blocking call of the Go runtime in resident code"},
	{"syscall.Syscall", "system call in resident code"},
	{"syscall.RawSyscall", "system call in resident code"},
	{"internal/runtime/syscall.Syscall6", "system call in resident code"},
	{"internal/runtime/syscall/linux.Syscall6", "system call in resident code"},
	{"runtime.futex", "system call in resident code"},
	{"runtime.write1", "print in resident code"},
	{"time.Sleep", "Go-level wait in resident code"},
	{"fmt.", "package fmt used in resident code, which allocates"},
	{"log.", "package log used in resident code, which allocates"},
	{"os.", "package os used in resident code, which makes system calls"},
}

// Misuse returns what kernel code did that it must not do, and the function of
// the Go distribution that shows it, or empty strings. The trace is read
// outwards as long as it stays in the distribution; the last match is what
// resident code called.
func (t *Trace) Misuse() (text, function string) {
	for i := 0; i < t.N; i++ {
		var p positions
		if !p.find(t.Site(i)) {
			return text, function
		}
		var at Position
		for p.next(&at) {
			if m := misuse(at.Function); m != "" {
				text, function = m, at.Function
			} else if !distributed(at.Function) {
				return text, function
			}
		}
	}
	return text, function
}

// misuse finds the entry for a function: its name, or a longer one that only
// adds a suffix (mapassign_fast64, chansend1, morestack_noctxt).
func misuse(function string) string {
	for i := range misuses {
		if hasPrefix(function, misuses[i].function) {
			return misuses[i].text
		}
	}
	return ""
}

// distributed reports whether a function is one of the Go distribution, as far
// as that can be on the way to trouble, or assembly without a package: a
// runtime's helper, or the stub that refuses system calls.
func distributed(function string) bool {
	for _, r := range &roots {
		if hasPrefix(function, r) && len(function) > len(r) && (function[len(r)] == '.' || function[len(r)] == '/') {
			return true
		}
	}
	for i := range len(function) {
		if function[i] == '.' {
			return false
		}
	}
	return true
}

var roots = [...]string{
	"runtime", "internal", "sync", "syscall", "time", "fmt", "log", "os", "io", "bufio", "bytes", "strings",
	"strconv", "unicode", "errors", "reflect", "context", "sort", "slices", "maps", "math", "testing",
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }
