package demos

import (
	"fmt"
	"io"
	"unicode/utf16"

	"irqlab/ob"
	. "irqlab/wdk"
)

// The names that the two drivers of the demo agree on, and nothing else.
const (
	ringName   = `\BaseNamedObjects\Doorbell`
	answerName = `\BaseNamedObjects\Answer`
)

// party is one of the two drivers.
type party struct {
	ring, answer             PKEVENT
	ringHandle, answerHandle HANDLE
}

// arrive makes the events, or opens those that the other driver has made.
func (p *party) arrive() {
	p.ring = IoCreateSynchronizationEvent(String(ringName), &p.ringHandle)
	p.answer = IoCreateSynchronizationEvent(String(answerName), &p.answerHandle)
	if p.ring == nil || p.answer == nil {
		ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES)
	}
}

func (p *party) leave() {
	ZwClose(p.ringHandle)
	ZwClose(p.answerHandle)
}

func namedEvents(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	const rounds = 3
	fmt.Fprint(w, "Two drivers share no memory, only the names of two events. Whoever comes first makes them,\n"+
		"signalled; the other gets the same events. They go with the last handle.\n")
	fmt.Fprintf(w, "  %-44s %-10s %7s %10s\n", "", "EVENT", "HANDLES", "REFERENCES")
	nobody := tell(w, "before")

	var caller, guest party
	caller.arrive()
	first := tell(w, "the caller makes the doorbell")
	KeClearEvent(caller.ring) // created signalled: nobody has rung yet
	KeClearEvent(caller.answer)
	answered := 0
	arrived := make(chan bool)
	other := create(func() {
		guest.arrive()
		arrived <- true
		for range rounds {
			wait(PVOID(guest.ring))
			answered++
			KeSetEvent(guest.answer, EVENT_INCREMENT, false)
		}
	})
	<-arrived
	both := tell(w, "the guest asks for the same name")
	var zero LARGE_INTEGER
	early := KeWaitForSingleObject(PVOID(caller.answer), Executive, KernelMode, false, &zero)
	for range rounds {
		ZwSignalAndWaitForSingleObject(caller.ringHandle, caller.answerHandle, false, nil)
	}
	join(other)
	fmt.Fprintf(w, "  the caller rings %d times, the guest answers %d times\n", rounds, answered)

	var handle HANDLE
	var attributes OBJECT_ATTRIBUTES
	InitializeObjectAttributes(&attributes, String(`\basenamedobjects\DOORBELL`), OBJ_CASE_INSENSITIVE|OBJ_KERNEL_HANDLE, 0, nil)
	kind := ZwCreateSemaphore(&handle, SEMAPHORE_ALL_ACCESS, &attributes, 0, 1)
	fmt.Fprintf(w, "  a semaphore of that name, in other letters:  %s\n", statusName(kind))
	guest.leave()
	one := tell(w, "the guest closes its handles")
	caller.leave()
	gone := tell(w, "the caller closes its own: the name is free")
	ok := caller.ring == guest.ring && caller.answer == guest.answer && early == STATUS_TIMEOUT && answered == rounds &&
		kind == STATUS_OBJECT_NAME_COLLISION &&
		nobody == 0 && first == 1 && both == 2 && one == 1 && gone == 0
	return verdict(w, ok, "both drivers had the same two events, and %d rings got %d answers", rounds, answered)
}

// tell shows the doorbell as a debugger sees it, and returns how many handles it
// has.
func tell(w io.Writer, step string) (handles int64) {
	var o ob.ObjectInfo
	if _, s := ob.Look(utf16.Encode([]rune(ringName)), &o, nil); !NT_SUCCESS(s) {
		fmt.Fprintf(w, "  %-44s %-10s\n", step, "none")
		return 0
	}
	fmt.Fprintf(w, "  %-44s ...%06x %8d %10d\n", step, o.Object&0xFFFFFF, o.Handles, o.Pointers)
	return o.Handles
}
