// Package fault makes one thing go wrong in a run, at a place that luck would
// seldom choose: the kernel option fault=ipi@120 loses the 120th interrupt that
// one processor sends another, fault=pool@40+3 refuses the 40th allocation from
// pool and the two that follow. Every such run must end with a bug check, or go
// on as if nothing had happened; package internal/faults sees to that.
//
// Without the option an occasion costs one load and one branch.
//
// IRQL: any
package fault

import (
	"sync/atomic"
	"unsafe"
)

// Kind is what goes wrong.
type Kind uint8

const (
	none     Kind = iota
	Pool          // an allocation from pool gets no memory
	Page          // there is no page of memory
	IPI           // an interrupt for another processor is lost
	Spurious      // a device interrupts at a level where there is none, at a clock tick
	Late          // a clock interrupt comes late, by LateBy
	Disk          // a request to the disk fails
	Stack         // a thread that is about to wait exhausts its kernel stack
	Nested        // a page fault in a service routine
)

// names are the words of the option, by kind.
var names = [...]string{Pool: "pool", Page: "page", IPI: "ipi", Spurious: "spurious", Late: "late", Disk: "disk",
	Stack: "stack", Nested: "nested"}

// LateBy is by what fraction of a second a clock interrupt comes late.
const LateBy = 4

var (
	armed bool
	kind  Kind
	left  int64 // occasions until the first that goes wrong
	count int64 // of them in a row
)

// Arm plants what the option's value says, in place of what was planted before. It reports false, having done nothing,
// if that is no word, "@" and a number from 1 on, with or without "+" and another.
// While there are no occasions.
func Arm(value string) bool {
	k := none
	for i := Pool; int(i) < len(names); i++ {
		if n := len(names[i]); len(value) > n && value[:n] == names[i] && value[n] == '@' {
			k, value = i, value[n+1:]
			break
		}
	}
	n, rest := number(value)
	c := int64(1)
	if len(rest) > 1 && rest[0] == '+' {
		c, rest = number(rest[1:])
	}
	if k == none || n == 0 || c == 0 || rest != "" {
		return false
	}
	kind, left, count, armed = k, n, c, true
	return true
}

// number returns the number that s begins with, 0 without one, and what follows.
func number(s string) (n int64, rest string) {
	for s != "" && '0' <= s[0] && s[0] <= '9' && n < 1<<40 {
		n, s = n*10+int64(s[0]-'0'), s[1:]
	}
	return n, s
}

// Touch touches an address at which there is never anything, above what Go code
// uses and below what belongs to the kernel.
func Touch() { *(*byte)(unsafe.Pointer(uintptr(1)<<46 | 1<<12)) = 0 }

// Now reports whether this occasion for a fault of the kind is one that goes wrong.
func Now(k Kind) bool { return armed && now(k) }

// Happened returns how often something has gone wrong.
func Happened() int64 {
	if !armed {
		return 0
	}
	return min(max(1-atomic.LoadInt64(&left), 0), count)
}

func now(k Kind) bool {
	if k != kind {
		return false
	}
	n := atomic.AddInt64(&left, -1)
	return n <= 0 && n > -count
}
