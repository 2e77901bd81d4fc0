package levels

import (
	"irqlab/bugcheck"
	"irqlab/internal/spec"
	"irqlab/irql"
	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() { add(eventProbes); add(mutexProbes); add(timerProbes); add(waitProbes) }

func event(c *caller, signalled bool) *KEVENT {
	e := kit.New[KEVENT](c)
	KeInitializeEvent(e, NotificationEvent, signalled)
	return e
}

func mutex(c *caller) *KMUTEX {
	m := kit.New[KMUTEX](c)
	KeInitializeMutex(m, 0)
	return m
}

func semaphore(c *caller, count LONG) *KSEMAPHORE {
	s := kit.New[KSEMAPHORE](c)
	KeInitializeSemaphore(s, count, 2)
	return s
}

func timer(c *caller) *KTIMER {
	m := kit.New[KTIMER](c)
	KeInitializeTimer(m)
	return m
}

// take waits for what is signalled.
func take(object PVOID) NTSTATUS {
	return KeWaitForSingleObject(object, Executive, KernelMode, false, nil)
}

// Ranges of variants.
var (
	passive    = &spec.Levels{Min: 0, Max: 0}
	atMostAPC  = &spec.Levels{Min: 0, Max: 1}
	farAway    = -1000 * Second
	noTime     = new(int64)
	shortWhile = new(int64)
)

func init() { *shortWhile = -1 }

// waitStop is what the verifier says of a wait that is not allowed.
func waitStop(atDispatch uintptr) func(irql.Level) stop {
	return func(l irql.Level) stop {
		if l > irql.Dispatch {
			return stop{bugcheck.VerifierDetectedViolation, 0x120}
		}
		return stop{bugcheck.VerifierDetectedViolation, atDispatch}
	}
}

var eventProbes = map[string]probe{
	"KeInitializeEvent": {call: func(c *caller) {
		e := kit.New[KEVENT](c)
		if c.at(func() { KeInitializeEvent(e, SynchronizationEvent, true) }) {
			c.want(KeReadStateEvent(e) != 0, "not signalled")
		}
	}},
	"KeSetEvent": {stop: verifier(0x80), call: func(c *caller) {
		e := event(c, false)
		if c.at(func() { KeSetEvent(e, 0, false) }) {
			c.want(KeReadStateEvent(e) != 0, "not signalled")
		}
	}},
	"KeSetEvent Wait": {levels: atMostAPC, stop: setBeforeWait, call: func(c *caller) {
		e := event(c, false)
		c.at(func() { KeSetEvent(e, 0, true) }, func() { take(PVOID(e)) })
	}},
	"KeResetEvent": {call: func(c *caller) {
		e := event(c, true)
		if c.at(func() { KeResetEvent(e) }) {
			c.want(KeReadStateEvent(e) == 0, "signalled")
		}
	}},
	"KeClearEvent": {call: func(c *caller) {
		e := event(c, true)
		if c.at(func() { KeClearEvent(e) }) {
			c.want(KeReadStateEvent(e) == 0, "signalled")
		}
	}},
	"KeReadStateEvent": {call: func(c *caller) {
		e, state := event(c, true), LONG(0)
		if c.at(func() { state = KeReadStateEvent(e) }) {
			c.want(state != 0, "not signalled")
		}
	}},
	"KePulseEvent": {call: func(c *caller) {
		e := event(c, true)
		if c.at(func() { KePulseEvent(e, 0, false) }) {
			c.want(KeReadStateEvent(e) == 0, "signalled")
		}
	}},
	"KePulseEvent Wait": {levels: atMostAPC, call: func(c *caller) {
		e, other := event(c, true), event(c, true)
		c.at(func() { KePulseEvent(e, 0, true) }, func() { take(PVOID(other)) })
	}},
	"KeInitializeSemaphore": {call: func(c *caller) {
		s := kit.New[KSEMAPHORE](c)
		if c.at(func() { KeInitializeSemaphore(s, 1, 2) }) {
			c.want(KeReadStateSemaphore(s) == 1, "count %d", KeReadStateSemaphore(s))
		}
	}},
	"KeReleaseSemaphore": {call: func(c *caller) {
		s := semaphore(c, 0)
		if c.at(func() { KeReleaseSemaphore(s, 0, 2, false) }) {
			c.want(KeReadStateSemaphore(s) == 2, "count %d", KeReadStateSemaphore(s))
		}
	}},
	"KeReleaseSemaphore Wait": {levels: passive, call: func(c *caller) {
		s := semaphore(c, 0)
		c.at(func() { KeReleaseSemaphore(s, 0, 2, true) }, func() { take(PVOID(s)) })
	}},
	"KeReadStateSemaphore": {call: func(c *caller) {
		s, n := semaphore(c, 1), LONG(0)
		if c.at(func() { n = KeReadStateSemaphore(s) }) {
			c.want(n == 1, "count %d", n)
		}
	}},
}

// setBeforeWait is what the verifier says of KeSetEvent with Wait: above
// DISPATCH_LEVEL it does not look at Wait.
func setBeforeWait(l irql.Level) stop {
	if l > irql.Dispatch {
		return stop{bugcheck.VerifierDetectedViolation, 0x80}
	}
	return stop{bugcheck.VerifierDetectedViolation, wrongLevel}
}

var mutexProbes = map[string]probe{
	"KeInitializeMutex": {call: func(c *caller) {
		m := kit.New[KMUTEX](c)
		if c.at(func() { KeInitializeMutex(m, 0) }) {
			c.want(KeReadStateMutex(m) == 1, "owned")
		}
	}},
	// A mutex taken at DISPATCH_LEVEL is released there, and only such a one.
	"KeReleaseMutex": {call: func(c *caller) {
		m, taken := mutex(c), min(c.level, irql.Dispatch)
		kit.At(taken, func() { KeWaitForSingleObject(PVOID(m), Executive, KernelMode, false, noTime) })
		if !c.at(func() { KeReleaseMutex(m, false) }) {
			kit.At(taken, func() { KeReleaseMutex(m, false) })
		}
		c.want(KeReadStateMutex(m) == 1, "owned")
	}},
	"KeReleaseMutex Wait": {levels: atMostAPC, call: func(c *caller) {
		m, e := mutex(c), event(c, true)
		take(PVOID(m))
		if !c.at(func() { KeReleaseMutex(m, true) }, func() { take(PVOID(e)) }) {
			KeReleaseMutex(m, false)
		}
	}},
	"KeReadStateMutex": {call: func(c *caller) {
		m, state := mutex(c), LONG(0)
		if c.at(func() { state = KeReadStateMutex(m) }) {
			c.want(state == 1, "state %d", state)
		}
	}},
	"KeInitializeMutant": {call: func(c *caller) {
		m := kit.New[KMUTANT](c)
		if c.at(func() { KeInitializeMutant(m, false) }) {
			c.want(KeReadStateMutex(m) == 1, "owned")
		}
	}},
	"KeInitializeMutant InitialOwner": {levels: &spec.Levels{Min: 0, Max: 2}, call: func(c *caller) {
		m, state := kit.New[KMUTANT](c), LONG(1)
		if c.at(func() { KeInitializeMutant(m, true) }, func() { state = KeReadStateMutex(m); KeReleaseMutex(m, false) }) {
			c.want(state == 0, "not owned")
		}
	}},
}

var timerProbes = map[string]probe{
	"KeInitializeTimer": {call: func(c *caller) {
		m := kit.New[KTIMER](c)
		if c.at(func() { KeInitializeTimer(m) }) {
			c.want(!KeReadStateTimer(m), "signalled")
		}
	}},
	"KeInitializeTimerEx": {call: func(c *caller) {
		m := kit.New[KTIMER](c)
		if c.at(func() { KeInitializeTimerEx(m, SynchronizationTimer) }) {
			c.want(!KeReadStateTimer(m), "signalled")
		}
	}},
	"KeSetTimer": {call: func(c *caller) {
		m := timer(c)
		ran := c.at(func() { KeSetTimer(m, farAway, nil) })
		c.want(KeCancelTimer(m) == ran, "set: %v", !ran)
	}},
	"KeSetTimerEx": {call: func(c *caller) {
		m := timer(c)
		ran := c.at(func() { KeSetTimerEx(m, farAway, 1, nil) })
		c.want(KeCancelTimer(m) == ran, "set: %v", !ran)
	}},
	"KeSetCoalescableTimer": {call: func(c *caller) {
		m := timer(c)
		ran := c.at(func() { KeSetCoalescableTimer(m, farAway, 0, 1, nil) })
		c.want(KeCancelTimer(m) == ran, "set: %v", !ran)
	}},
	"KeCancelTimer": {call: func(c *caller) {
		m := timer(c)
		KeSetTimer(m, farAway, nil)
		ran := c.at(func() { KeCancelTimer(m) })
		c.want(KeCancelTimer(m) != ran, "still set: %v", ran)
	}},
	"KeReadStateTimer": {call: func(c *caller) {
		m, state := timer(c), true
		if c.at(func() { state = KeReadStateTimer(m) }) {
			c.want(!state, "signalled")
		}
	}},
}

var waitProbes = map[string]probe{
	"KeWaitForSingleObject": {stop: waitStop(0), call: func(c *caller) {
		e, s := event(c, false), STATUS_SUCCESS
		if c.at(func() { s = KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, noTime) }) {
			c.want(s == STATUS_TIMEOUT, "status %v", s)
		}
	}},
	"KeWaitForSingleObject Timeout=NULL": {levels: atMostAPC, stop: waitStop(0x121), call: func(c *caller) {
		e, s := event(c, true), STATUS_TIMEOUT
		if c.at(func() { s = KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, nil) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"KeWaitForSingleObject Timeout<0": {levels: atMostAPC, stop: waitStop(0x122), call: func(c *caller) {
		e, s := event(c, false), STATUS_SUCCESS
		if c.at(func() { s = KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, shortWhile) }) {
			c.want(s == STATUS_TIMEOUT, "status %v", s)
		}
	}},
	"KeWaitForMutexObject": {stop: waitStop(0), call: func(c *caller) {
		m, s := mutex(c), STATUS_TIMEOUT
		if c.at(func() { s = KeWaitForMutexObject(PVOID(m), Executive, KernelMode, false, noTime) }, func() { KeReleaseMutex(m, false) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"KeWaitForMutexObject Timeout=NULL": {levels: atMostAPC, stop: waitStop(0x121), call: func(c *caller) {
		m, s := mutex(c), STATUS_TIMEOUT
		if c.at(func() { s = KeWaitForMutexObject(PVOID(m), Executive, KernelMode, false, nil) }, func() { KeReleaseMutex(m, false) }) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"KeWaitForMultipleObjects": {stop: waitStop(0), call: func(c *caller) {
		objects, s := []PVOID{PVOID(event(c, false)), PVOID(event(c, true))}, STATUS_TIMEOUT
		if c.at(func() {
			s = KeWaitForMultipleObjects(2, objects, WaitAny, Executive, KernelMode, false, noTime, nil)
		}) {
			c.want(s == STATUS_WAIT_1, "status %v", s)
		}
	}},
	"KeWaitForMultipleObjects Timeout=NULL": {levels: atMostAPC, stop: waitStop(0x121), call: func(c *caller) {
		objects, s := []PVOID{PVOID(event(c, true)), PVOID(event(c, true))}, STATUS_TIMEOUT
		if c.at(func() {
			s = KeWaitForMultipleObjects(2, objects, WaitAll, Executive, KernelMode, false, nil, nil)
		}) {
			c.want(s == STATUS_SUCCESS, "status %v", s)
		}
	}},
	"KeDelayExecutionThread": {call: func(c *caller) {
		c.at(func() { KeDelayExecutionThread(KernelMode, false, shortWhile) })
	}},
	"NtDelayExecution": {call: func(c *caller) { c.at(func() { NtDelayExecution(false, shortWhile) }) }},
	"NtYieldExecution": {call: func(c *caller) { c.at(func() { NtYieldExecution() }) }},
	"KeInitializeQueue": {call: func(c *caller) {
		q := kit.New[KQUEUE](c)
		c.at(func() { KeInitializeQueue(q, 1) })
	}},
	"KeInsertQueue": {call: func(c *caller) {
		q, e := queue(c)
		ran := c.at(func() { KeInsertQueue(q, e) })
		c.want(KeReadStateQueue(q) != 0 == ran, "%d entries", KeReadStateQueue(q))
		KeRundownQueue(q)
	}},
	"KeInsertHeadQueue": {call: func(c *caller) {
		q, e := queue(c)
		ran := c.at(func() { KeInsertHeadQueue(q, e) })
		c.want(KeReadStateQueue(q) != 0 == ran, "%d entries", KeReadStateQueue(q))
		KeRundownQueue(q)
	}},
	"KeRemoveQueue": {stop: waitStop(0), call: func(c *caller) {
		q, _ := queue(c)
		s := STATUS_SUCCESS
		if c.at(func() { _, s = KeRemoveQueue(q, KernelMode, noTime) }) {
			c.want(s == STATUS_TIMEOUT, "status %v", s)
		}
		KeRundownQueue(q)
	}},
	"KeRemoveQueue Timeout=NULL": {levels: atMostAPC, stop: waitStop(0x121), call: func(c *caller) {
		q, e := queue(c)
		KeInsertQueue(q, e)
		var got PLIST_ENTRY
		if c.at(func() { got, _ = KeRemoveQueue(q, KernelMode, nil) }) {
			c.want(got == e, "another entry")
		}
		KeRundownQueue(q)
	}},
	"KeReadStateQueue": {call: func(c *caller) {
		q, _ := queue(c)
		n := LONG(-1)
		if c.at(func() { n = KeReadStateQueue(q) }) {
			c.want(n == 0, "%d entries", n)
		}
	}},
	"KeRundownQueue": {call: func(c *caller) {
		q, e := queue(c)
		KeInsertQueue(q, e)
		var got PLIST_ENTRY
		if c.at(func() { got = KeRundownQueue(q) }) {
			c.want(got == e, "another entry")
		}
	}},
}

func queue(c *caller) (*KQUEUE, *LIST_ENTRY) {
	q := kit.New[KQUEUE](c)
	KeInitializeQueue(q, 0)
	return q, kit.New[LIST_ENTRY](c)
}
