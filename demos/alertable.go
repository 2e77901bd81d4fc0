package demos

import (
	"fmt"
	"io"

	. "irqlab/wdk"
)

// alertable wakes a thread out of its sleep.
func alertable(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	fmt.Fprint(w, "A thread means to sleep for an hour. ZwAlertThread ends that if the sleep is alertable; else\n"+
		"the alert is kept for the thread's next alertable wait.\n")
	hour, moment := -3600*Second, -20*Millisecond
	event, free := allocate[KEVENT]()
	defer free()
	KeInitializeEvent(event, NotificationEvent, false)

	var woken, deaf, kept, rest NTSTATUS
	var slept, short LARGE_INTEGER
	asleep := make(chan HANDLE)
	sleeper := create(func() {
		var handle HANDLE
		ObOpenObjectByPointer(PVOID(KeGetCurrentThread()), OBJ_KERNEL_HANDLE, nil, THREAD_ALERT, PsThreadType, KernelMode, &handle)
		asleep <- handle
		start := now()
		woken = KeDelayExecutionThread(KernelMode, true, &hour)
		slept = now() - start

		wait(PVOID(event)) // until it has been alerted again
		start = now()
		deaf = KeDelayExecutionThread(KernelMode, false, &moment)
		short = now() - start
		kept = KeDelayExecutionThread(KernelMode, true, &hour)
		rest = KeDelayExecutionThread(KernelMode, true, &moment)
	})
	handle := <-asleep
	sleep(20)
	first := ZwAlertThread(handle)
	err := settle(sleeper, PVOID(event))
	second := ZwAlertThread(handle)
	KeSetEvent(event, IO_NO_INCREMENT, false)
	join(sleeper)
	ZwClose(handle)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "  alertable, alerted after 20 ms      %-15s after %d ms\n", statusName(woken), slept/Millisecond)
	fmt.Fprintf(w, "  alerted before, not alertable       %-15s after %d ms\n", statusName(deaf), short/Millisecond)
	fmt.Fprintf(w, "  alertable, with the alert kept      %-15s at once\n", statusName(kept))
	fmt.Fprintf(w, "  alertable, with no alert left       %-15s\n", statusName(rest))
	ok := NT_SUCCESS(first) && NT_SUCCESS(second) && woken == STATUS_ALERTED && slept < 600*Second &&
		deaf == STATUS_SUCCESS && short >= 20*Millisecond && kept == STATUS_ALERTED && rest == STATUS_SUCCESS
	return verdict(w, ok, "the sleep of an hour ended with STATUS_ALERTED")
}

// now returns the system time.
func now() LARGE_INTEGER {
	var t LARGE_INTEGER
	KeQuerySystemTime(&t)
	return t
}
