package demos

import (
	"fmt"
	"io"

	. "irqlab/wdk"
)

const queueSize = 4

// queue is a bounded queue: one semaphore counts its free places, one what is in
// it, and a mutex guards the rest.
type queue struct {
	free, used KSEMAPHORE
	mutex      KMUTEX
	items      [queueSize]int64
	head, tail int64 // items ever put, ever got
	deepest    int64
}

func semaphore(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	const producers, consumers, each = 2, 3, 3000
	fmt.Fprintf(w, "%d threads put %d numbers each into a queue of %d places, %d threads take them out.\n"+
		"Semaphores count the places that are free and used: who finds none waits.\n", producers, each, queueSize, consumers)
	q, free := allocate[queue]()
	defer free()
	KeInitializeSemaphore(&q.free, queueSize, queueSize)
	KeInitializeSemaphore(&q.used, 0, queueSize)
	KeInitializeMutex(&q.mutex, 0)

	var threads []PETHREAD
	for p := range producers {
		threads = append(threads, create(func() {
			for i := range each {
				q.put(int64(p*each + i + 1))
			}
		}))
	}
	// Each consumer takes its share of all.
	var got, sums [consumers]int64
	for c := range consumers {
		threads = append(threads, create(func() {
			for range producers * each / consumers {
				sums[c] += q.get()
				got[c]++
			}
		}))
	}
	join(threads...)

	sum := int64(0)
	for c := range consumers {
		fmt.Fprintf(w, "  consumer %d took %d numbers\n", c+1, got[c])
		sum += sums[c]
	}
	const all = producers * each
	fmt.Fprintf(w, "  at most %d were in the queue at one time\n", q.deepest)
	ok := sum == all*(all+1)/2 && q.deepest <= queueSize && q.head == q.tail &&
		KeReadStateSemaphore(&q.free) == queueSize && KeReadStateSemaphore(&q.used) == 0
	return verdict(w, ok, "the numbers taken add up to %d, expected %d", sum, all*(all+1)/2)
}

func (q *queue) put(n int64) {
	wait(PVOID(&q.free))
	wait(PVOID(&q.mutex))
	q.items[q.head%queueSize] = n
	q.head++
	q.deepest = max(q.deepest, q.head-q.tail)
	KeReleaseMutex(&q.mutex, false)
	KeReleaseSemaphore(&q.used, IO_NO_INCREMENT, 1, false)
}

func (q *queue) get() int64 {
	wait(PVOID(&q.used))
	wait(PVOID(&q.mutex))
	n := q.items[q.tail%queueSize]
	q.tail++
	KeReleaseMutex(&q.mutex, false)
	KeReleaseSemaphore(&q.free, IO_NO_INCREMENT, 1, false)
	return n
}
