package badinput

import (
	"math"
	"testing"
	"time"

	. "irqlab/wdk"
)

// extremely are the longest timeouts: relative, and until an absolute time.
var extremely = []LARGE_INTEGER{math.MinInt64, math.MinInt64 + 1, math.MaxInt64}

// waits are routines that wait with a timeout, for the event or its handle; those
// that only sleep are alerted.
var waits = map[string]func(e PKEVENT, h HANDLE, timeout PLARGE_INTEGER) NTSTATUS{
	"KeWaitForSingleObject": func(e PKEVENT, _ HANDLE, timeout PLARGE_INTEGER) NTSTATUS {
		return KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, timeout)
	},
	"KeWaitForMutexObject": func(e PKEVENT, _ HANDLE, timeout PLARGE_INTEGER) NTSTATUS {
		return KeWaitForMutexObject(PVOID(e), Executive, KernelMode, false, timeout)
	},
	"KeWaitForMultipleObjects": func(e PKEVENT, _ HANDLE, timeout PLARGE_INTEGER) NTSTATUS {
		return KeWaitForMultipleObjects(1, []PVOID{PVOID(e)}, WaitAny, Executive, KernelMode, false, timeout, nil)
	},
	"ZwWaitForSingleObject": func(_ PKEVENT, h HANDLE, timeout PLARGE_INTEGER) NTSTATUS {
		return ZwWaitForSingleObject(h, false, timeout)
	},
	"NtWaitForSingleObject": func(_ PKEVENT, h HANDLE, timeout PLARGE_INTEGER) NTSTATUS {
		return NtWaitForSingleObject(h, false, timeout)
	},
	"ZwWaitForMultipleObjects": func(_ PKEVENT, h HANDLE, timeout PLARGE_INTEGER) NTSTATUS {
		return ZwWaitForMultipleObjects(1, []HANDLE{h}, WaitAny, false, timeout)
	},
	"NtWaitForMultipleObjects": func(_ PKEVENT, h HANDLE, timeout PLARGE_INTEGER) NTSTATUS {
		return NtWaitForMultipleObjects(1, []HANDLE{h}, WaitAny, false, timeout)
	},
	"ZwSignalAndWaitForSingleObject": func(_ PKEVENT, h HANDLE, timeout PLARGE_INTEGER) NTSTATUS {
		return signalAndWait(ZwSignalAndWaitForSingleObject, h, timeout)
	},
	"NtSignalAndWaitForSingleObject": func(_ PKEVENT, h HANDLE, timeout PLARGE_INTEGER) NTSTATUS {
		return signalAndWait(NtSignalAndWaitForSingleObject, h, timeout)
	},
	"KeDelayExecutionThread": func(_ PKEVENT, _ HANDLE, interval PLARGE_INTEGER) NTSTATUS {
		return KeDelayExecutionThread(KernelMode, true, interval)
	},
	"ZwDelayExecution": func(_ PKEVENT, _ HANDLE, interval PLARGE_INTEGER) NTSTATUS { return ZwDelayExecution(true, interval) },
	"NtDelayExecution": func(_ PKEVENT, _ HANDLE, interval PLARGE_INTEGER) NTSTATUS { return NtDelayExecution(true, interval) },
	"KeRemoveQueue": func(e PKEVENT, _ HANDLE, timeout PLARGE_INTEGER) NTSTATUS {
		return removeFromEnding(e, timeout)
	},
}

// signalAndWait signals another event than it waits for.
func signalAndWait(routine func(HANDLE, HANDLE, BOOLEAN, PLARGE_INTEGER) NTSTATUS, h HANDLE, timeout PLARGE_INTEGER) NTSTATUS {
	var other HANDLE
	NtCreateEvent(&other, EVENT_ALL_ACCESS, nil, NotificationEvent, false)
	defer NtClose(other)
	return routine(other, h, false, timeout)
}

// removeFromEnding waits for an entry of a queue that is run down once the event
// is signalled.
func removeFromEnding(e PKEVENT, timeout PLARGE_INTEGER) NTSTATUS {
	q := New[KQUEUE](tag)
	defer ExFreePool(PVOID(q))
	KeInitializeQueue(q, 0)
	done := make(chan bool)
	go func() {
		KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, nil)
		KeRundownQueue(q)
		close(done)
	}()
	_, s := KeRemoveQueue(q, KernelMode, timeout)
	<-done
	if s == STATUS_ABANDONED {
		s = STATUS_SUCCESS
	}
	return s
}

// TestTimeouts has each routine wait for longer than any machine runs: it must
// neither return at once, nor miss what ends the wait.
func TestTimeouts(t *testing.T) {
	for i := range routines {
		r := &routines[i]
		for _, p := range r.params {
			if optional[p] && (p == "Timeout" || p == "TimeOut") && waits[r.name] == nil {
				t.Errorf("%s waits, and is not tested", r.name)
			}
		}
	}
	watch(t, func(step func(string)) {
		for name, wait := range waits {
			for _, timeout := range extremely {
				step(name)
				checkTimeout(t, name, wait, timeout)
			}
		}
	})
}

func checkTimeout(t *testing.T, name string, wait func(PKEVENT, HANDLE, PLARGE_INTEGER) NTSTATUS, timeout LARGE_INTEGER) {
	var h HANDLE
	if s := NtCreateEvent(&h, EVENT_ALL_ACCESS, nil, NotificationEvent, false); s != STATUS_SUCCESS {
		t.Fatal(s)
	}
	defer NtClose(h)
	var body PVOID
	if s := ObReferenceObjectByHandle(h, EVENT_ALL_ACCESS, ExEventObjectType, KernelMode, &body, nil); s != STATUS_SUCCESS {
		t.Fatal(s)
	}
	defer ObDereferenceObject(body)
	waiter := KeGetCurrentThread()
	begin := time.Now()
	const after = 5 * time.Millisecond
	ended := make(chan bool)
	time.AfterFunc(after, func() {
		defer close(ended)
		KeSetEvent(PKEVENT(body), 0, false)
		KeAlertThread(waiter, KernelMode)
		KeAlertThread(waiter, UserMode)
	})
	s := wait(PKEVENT(body), h, &timeout)
	if took := time.Since(begin); took < after || s != STATUS_SUCCESS && s != STATUS_ALERTED {
		t.Errorf("%s, timeout %d: %v after %v", name, timeout, s, took)
	}
	<-ended // or one of its alerts would end the next wait
	KeTestAlertThread(KernelMode)
	KeTestAlertThread(UserMode)
}
