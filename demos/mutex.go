package demos

import (
	"fmt"
	"io"
	"strconv"

	. "irqlab/wdk"
)

// counter is what the threads of mutex and mutex-race share: a driver's global
// variables. It lies in nonpaged pool, as a kernel object must.
type counter struct {
	mutex  KMUTEX
	number int64
}

// adder is a thread's context.
type adder struct {
	w       io.Writer
	thread  int
	count   int64
	counter *counter
}

// mutex is the sample driver that the others vary.
func mutex(w io.Writer, args []string) error {
	about := "Two system threads add 1 to a number again and again. Each holds a KMUTEX while it\ndoes, so one waits for the other."
	routine := addUnderMutex
	if len(args) > 0 && args[0] == "each" {
		about = "Two system threads add 1 to a number again and again, and take a KMUTEX for each\naddition."
		routine, args = addUnderMutexEach, args[1:]
	}
	n, err := additions(args)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, about)
	return count(w, n, routine, func(sum, want int64) error {
		return verdict(w, sum == want, "g_number = %d, expected %d", sum, want)
	})
}

// additions returns how many additions each thread makes: the one argument, or
// ten million.
func additions(args []string) (int64, error) {
	switch len(args) {
	case 0:
		return 10_000_000, nil
	case 1:
		if n, err := strconv.ParseInt(args[0], 10, 32); err == nil && n > 0 {
			return n, nil
		}
	}
	return 0, ErrUsage
}

// addUnderMutex is a thread: it waits for the mutex, counts, and releases it.
func addUnderMutex(StartContext PVOID) {
	a := (*adder)(StartContext)
	c := a.counter
	KeWaitForSingleObject(PVOID(&c.mutex), Executive, KernelMode, false, nil)
	for range a.count {
		c.number++
	}
	number := c.number
	KeReleaseMutex(&c.mutex, false)
	a.report(number)
	PsTerminateSystemThread(STATUS_SUCCESS)
}

// addUnderMutexEach does the same with a mutex that is held as short as can be.
func addUnderMutexEach(StartContext PVOID) {
	a := (*adder)(StartContext)
	c := a.counter
	var number int64
	for range a.count {
		KeWaitForSingleObject(PVOID(&c.mutex), Executive, KernelMode, false, nil)
		c.number++
		number = c.number
		KeReleaseMutex(&c.mutex, false)
	}
	a.report(number)
	PsTerminateSystemThread(STATUS_SUCCESS)
}

func (a *adder) report(number int64) {
	fmt.Fprintf(a.w, "Thread %d: g_number = %d\n", a.thread, number)
}

// count is the driver: it starts two threads of the given routine, waits for
// both, cleans up, and judges what they have made of the number.
func count(w io.Writer, n int64, routine PKSTART_ROUTINE, judge func(sum, want int64) error) error {
	c, free := allocate[counter]()
	defer free()
	KeInitializeMutex(&c.mutex, 0)

	var handle [2]HANDLE
	var thread []PVOID
	status := STATUS_SUCCESS
	for i := range handle {
		context := &adder{w, i + 1, n, c}
		status = PsCreateSystemThread(&handle[i], THREAD_ALL_ACCESS, nil, 0, nil, routine, PVOID(context))
		if !NT_SUCCESS(status) {
			break
		}
		var object PVOID
		ObReferenceObjectByHandle(handle[i], SYNCHRONIZE, PsThreadType, KernelMode, &object, nil)
		thread = append(thread, object)
	}
	if len(thread) == 0 {
		return fmt.Errorf("PsCreateSystemThread: %v", status)
	}
	waited := KeWaitForMultipleObjects(ULONG(len(thread)), thread, WaitAll, Executive, KernelMode, false, nil, nil)
	for _, t := range thread {
		ObDereferenceObject(t)
	}
	for _, h := range handle[:len(thread)] {
		ZwClose(h)
	}
	switch {
	case !NT_SUCCESS(status):
		return fmt.Errorf("PsCreateSystemThread: %v", status)
	case waited != STATUS_SUCCESS:
		return fmt.Errorf("KeWaitForMultipleObjects: %v", waited)
	}

	interval := LARGE_INTEGER(-20_000_000) // two seconds from now
	KeDelayExecutionThread(KernelMode, false, &interval)
	fmt.Fprintln(w, "Goodbye, driver")
	return judge(c.number, 2*n)
}
