package demos

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	. "irqlab/wdk"
)

// stage is the data of demo irql: three devices, four DPCs, and a log of who ran
// at which level.
type stage struct {
	device [3]PKINTERRUPT
	served [3]int32 // interrupts of each device
	dpc    [4]KDPC
	log    [32]struct {
		level KIRQL
		what  scene
	}
	entries int32
}

// scene is a moment worth drawing. The log can't hold strings: service routines
// and DPCs must not store pointers.
type scene uint8

const (
	threadBegins scene = iota
	threadRaised
	threadQueued
	deviceALow
	deviceB
	deviceAEnds
	deviceC
	threadAgain
	dpcUrgent
	dpcFirst
	dpcSecond
	dpcDevice
	threadEnds
	scenes
)

var sceneNames = [scenes]string{
	threadBegins: "the thread begins",
	threadRaised: "it raises to DISPATCH_LEVEL",
	threadQueued: "and queues DPCs: first, second, and an urgent one; none runs",
	deviceALow:   "device A interrupts; its service routine queues a DPC",
	deviceB:      "device B interrupts it",
	deviceAEnds:  "A's service routine goes on; device C must wait",
	deviceC:      "device C interrupts, now that A is done",
	threadAgain:  "the thread goes on, and lowers to PASSIVE_LEVEL",
	dpcUrgent:    "the urgent DPC, of high importance",
	dpcFirst:     "the first DPC",
	dpcSecond:    "the second DPC",
	dpcDevice:    "device A's DPC",
	threadEnds:   "KeLowerIrql returns to the thread",
}

// Levels of the devices.
const (
	levelA = KIRQL(5)
	levelB = KIRQL(9)
	levelC = KIRQL(3)
)

// script is what must happen.
var script = [...]struct {
	what  scene
	level KIRQL
}{
	{threadBegins, PASSIVE_LEVEL}, {threadRaised, DISPATCH_LEVEL}, {threadQueued, DISPATCH_LEVEL},
	{deviceALow, levelA}, {deviceB, levelB}, {deviceAEnds, levelA}, {deviceC, levelC},
	{threadAgain, DISPATCH_LEVEL}, {dpcUrgent, DISPATCH_LEVEL}, {dpcFirst, DISPATCH_LEVEL},
	{dpcSecond, DISPATCH_LEVEL}, {dpcDevice, DISPATCH_LEVEL}, {threadEnds, PASSIVE_LEVEL},
}

func levels(w io.Writer, args []string) error {
	if len(args) > 0 {
		return ErrUsage
	}
	fmt.Fprintln(w, "A thread raises IRQL and queues DPCs; three devices interrupt it. On one processor, the\n"+
		"higher level goes first, and what a level holds back runs when it falls.")
	s, free := allocate[stage]()
	defer free()
	var status NTSTATUS
	join(create(func() { status = s.play() }))
	if !NT_SUCCESS(status) {
		return fmt.Errorf("IoConnectInterrupt: %v", status)
	}
	s.draw(w)
	ok := int(s.entries) == len(script)
	for i := range min(int(s.entries), len(script)) {
		ok = ok && s.log[i].what == script[i].what && s.log[i].level == script[i].level
	}
	return verdict(w, ok, "%d events in the order and at the levels that the rules demand", s.entries)
}

// play is the thread.
func (s *stage) play() NTSTATUS {
	affinity, _ := lastProcessor()
	KeSetSystemAffinityThread(affinity)
	defer KeRevertToUserAffinityThread()
	devices := [...]struct {
		routine PKSERVICE_ROUTINE
		level   KIRQL
	}{{serveA, levelA}, {serveB, levelB}, {serveC, levelC}}
	for i, d := range devices {
		status := IoConnectInterrupt(&s.device[i], d.routine, PVOID(s), nil, SoftwareVector, d.level, d.level, Latched, false, affinity, false)
		if !NT_SUCCESS(status) {
			return status
		}
		defer IoDisconnectInterrupt(s.device[i])
	}
	for i, routine := range [...]PKDEFERRED_ROUTINE{runFirst, runSecond, runUrgent, runDevice} {
		KeInitializeDpc(&s.dpc[i], routine, PVOID(s))
	}
	KeSetImportanceDpc(&s.dpc[2], HighImportance)

	s.note(threadBegins)
	var old KIRQL
	KeRaiseIrql(DISPATCH_LEVEL, &old)
	s.note(threadRaised)
	for i := range 3 {
		KeInsertQueueDpc(&s.dpc[i], nil, nil)
	}
	s.note(threadQueued)
	s.interrupt(0)
	s.await(2) // it comes when A's service routine is done
	s.note(threadAgain)
	KeLowerIrql(old)
	s.note(threadEnds)
	return STATUS_SUCCESS
}

// note adds to the log.
func (s *stage) note(what scene) {
	i := atomic.AddInt32(&s.entries, 1) - 1
	if int(i) < len(s.log) {
		s.log[i].level = KeGetCurrentIrql()
		s.log[i].what = what
	}
}

// interrupt makes a device interrupt and waits until it has been served: the
// interrupt controller takes its time.
func (s *stage) interrupt(device int) {
	s.device[device].Request()
	s.await(device)
}

func (s *stage) await(device int) {
	for range 1_000_000 {
		if atomic.LoadInt32(&s.served[device]) != 0 {
			return
		}
		KeStallExecutionProcessor(1)
	}
}

func serveA(_ PKINTERRUPT, ServiceContext PVOID) BOOLEAN {
	s := (*stage)(ServiceContext)
	s.note(deviceALow)
	KeInsertQueueDpc(&s.dpc[3], nil, nil)
	s.interrupt(1)
	s.device[2].Request()
	KeStallExecutionProcessor(50)
	s.note(deviceAEnds)
	atomic.AddInt32(&s.served[0], 1)
	return true
}

func serveB(_ PKINTERRUPT, ServiceContext PVOID) BOOLEAN {
	s := (*stage)(ServiceContext)
	s.note(deviceB)
	atomic.AddInt32(&s.served[1], 1)
	return true
}

func serveC(_ PKINTERRUPT, ServiceContext PVOID) BOOLEAN {
	s := (*stage)(ServiceContext)
	s.note(deviceC)
	atomic.AddInt32(&s.served[2], 1)
	return true
}

func runFirst(_ PKDPC, DeferredContext, _, _ PVOID)  { (*stage)(DeferredContext).note(dpcFirst) }
func runSecond(_ PKDPC, DeferredContext, _, _ PVOID) { (*stage)(DeferredContext).note(dpcSecond) }
func runUrgent(_ PKDPC, DeferredContext, _, _ PVOID) { (*stage)(DeferredContext).note(dpcUrgent) }
func runDevice(_ PKDPC, DeferredContext, _, _ PVOID) { (*stage)(DeferredContext).note(dpcDevice) }

// draw shows the log: time goes down, the level goes right.
func (s *stage) draw(w io.Writer) {
	fmt.Fprintf(w, "  IRQL 0   2 3   5       9\n")
	for _, e := range s.log[:min(int(s.entries), len(s.log))] {
		bar := strings.Repeat("=", int(e.level)*2) + "#"
		fmt.Fprintf(w, "       %-20s %s\n", bar, sceneNames[e.what])
	}
}
