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
	routine := addUnderMutex
	if len(args) > 0 && args[0] == "each" {
		routine, args = addUnderMutexEach, args[1:]
		fmt.Fprintln(w, "Two system threads add 1 to a number again and again, and take a KMUTEX for each\naddition.")
	} else {
		fmt.Fprintln(w, "Two system threads add 1 to a number again and again. Each holds a KMUTEX while it\ndoes, so one waits for the other.")
	}
	return count(w, args, routine, func(sum, want int64) error {
		return verdict(w, sum == want, "g_number = %d, expected %d", sum, want)
	})
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
func count(w io.Writer, args []string, routine PKSTART_ROUTINE, judge func(sum, want int64) error) error {
	n := int64(10_000_000)
	if len(args) > 0 {
		v, err := strconv.ParseInt(args[0], 10, 32)
		if err != nil || v < 1 || len(args) > 1 {
			return ErrUsage
		}
		n = v
	}
	c, free := allocate[counter]()
	defer free()
	KeInitializeMutex(&c.mutex, 0)

	var handle [2]HANDLE
	var thread [2]PVOID
	for i := range handle {
		context := &adder{w, i + 1, n, c}
		status := PsCreateSystemThread(&handle[i], THREAD_ALL_ACCESS, nil, 0, nil, routine, PVOID(context))
		if !NT_SUCCESS(status) {
			return fmt.Errorf("PsCreateSystemThread: %v", status)
		}
		status = ObReferenceObjectByHandle(handle[i], SYNCHRONIZE, PsThreadType, KernelMode, &thread[i], nil)
		if !NT_SUCCESS(status) {
			return fmt.Errorf("ObReferenceObjectByHandle: %v", status)
		}
	}
	status := KeWaitForMultipleObjects(2, thread[:], WaitAll, Executive, KernelMode, false, nil, nil)
	for i := range handle {
		ObDereferenceObject(thread[i])
		ZwClose(handle[i])
	}
	if status != STATUS_SUCCESS {
		return fmt.Errorf("KeWaitForMultipleObjects: %v", status)
	}

	interval := LARGE_INTEGER(-20_000_000) // two seconds from now
	KeDelayExecutionThread(KernelMode, false, &interval)
	fmt.Fprintln(w, "Goodbye, driver")
	return judge(c.number, 2*n)
}
