// Package resident breaks the rules of resident code, one per function, except
// in those whose names begin with Good.
package resident

import (
	"sync"
	"sync/atomic"
)

type node struct {
	next *node
	n    int
}

var (
	list    *node
	numbers []int
	table   map[int]int
	channel chan int
	value   any
	text    string
	mutex   sync.Mutex
	count   atomic.Int64
	array   [1024]int
	dynamic = table[7]
)

// Use calls everything, so that the linker keeps it.
func Use() {
	list = New(1)
	Barrier(list)
	Append(2)
	Map(3)
	Send(4)
	Convert(5)
	Concat("6")
	Defer()
	Start()
	Lock()
	GoodIndex(7)
	GoodAtomic()
	GoodCopy()
	GoodInterface(good{})
}

//go:noinline
func New(n int) *node { return &node{n: n} }

//go:noinline
func Barrier(n *node) { list.next = n }

//go:noinline
func Append(n int) { numbers = append(numbers, n) }

//go:noinline
func Map(n int) { table[n] = n }

//go:noinline
func Send(n int) { channel <- n }

//go:noinline
func Convert(n int) { value = n }

//go:noinline
func Concat(s string) { text += s }

//go:noinline
func Defer() {
	for range 2 {
		defer GoodAtomic()
	}
}

//go:noinline
func Start() { go GoodAtomic() }

//go:noinline
func Lock() { mutex.Lock() }

//go:noinline
func GoodIndex(i int) int { return array[i] / i }

//go:noinline
func GoodAtomic() { count.Add(1) }

//go:noinline
func GoodCopy() { copy(array[:], array[1:]) }

type doer interface{ do() }

type good struct{}

func (good) do() { count.Add(1) }

//go:noinline
func GoodInterface(d doer) { d.do() }
