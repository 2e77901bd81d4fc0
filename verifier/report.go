package verifier

import (
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
)

// Parameter 1 of bug check DRIVER_VERIFIER_DETECTED_VIOLATION ("Bug Check 0xC4").
// Parameter 2 is the lock.
const (
	deadlocked = 0x1001
	freedHeld  = 0x100B // parameter 3: the thread that holds it, or the processor plus one

	// What Windows has no number for.
	heldTooLow  = 0x10001 // parameters 3 and 4: the level of the service routine, and of the holder
	heldTooLong = 0x10002 // parameter 3: microseconds
)

func stop(text string, detail func(), rule, p2, p3, p4 uintptr) {
	bugcheck.Detail = detail
	bugcheck.StopBecause(text, bugcheck.VerifierDetectedViolation, rule, p2, p3, p4)
}

func stopOrder() {
	stop("locks are acquired in an order that can deadlock", detailOrder, deadlocked, state.search.lock, 0, 0)
}

func detailOrder() {
	s := &state.search
	bugcheck.Print("    now, this thread holds ")
	printLock(s.held.lock, s.held.class)
	printSite(&s.held.at)
	bugcheck.Print("    and acquires ")
	printLock(s.lock, s.class)
	printSite(&s.at)
	bugcheck.Print("    before, the other way round:\n")
	printPath(s.class, s.goal)
}

// printPath prints the edges of the path that a search found, from its end back:
// each says which lock was acquired while which was held.
func printPath(from, to uint16) {
	s := &state.search
	for c := to; c != from && c != 0; c = s.from[c] {
		e := between(s.from[c], c)
		if e == nil {
			return
		}
		bugcheck.Print("    thread ")
		bugcheck.PrintDecimal(uintptr(e.thread))
		bugcheck.Print(" held ")
		printClass(e.from)
		printSite(&e.heldAt)
		bugcheck.Print("    and acquired ")
		printClass(e.to)
		printSite(&e.at)
	}
}

// lockPackages are those whose functions are of no interest in a site.
var lockPackages = [...]string{"irqlab/verifier.", "irqlab/sync/spin.", "irqlab/sync."}

func printSite(at *site) { bugcheck.PrintCalls(at[:], lockPackages[:]) }

func printLock(l uintptr, class uint16) {
	bugcheck.Print(kindNames[state.classes[class].kind])
	bugcheck.Print(" ")
	bugcheck.PrintAddress(l)
	bugcheck.Print(" of class ")
	bugcheck.PrintDecimal(uintptr(class))
	bugcheck.Print("\n")
}

func printClass(number uint16) {
	c := &state.classes[number]
	bugcheck.Print("a ")
	bugcheck.Print(kindNames[c.kind])
	bugcheck.Print(" of class ")
	bugcheck.PrintDecimal(uintptr(number))
	bugcheck.Print("\n")
}

// twins are the locks of one class that stopPair reports.
var twins struct {
	held held
	lock uintptr
}

func stopPair(h *held, l uintptr) {
	twins.held, twins.lock = *h, l
	stop("two locks of one class were acquired in both orders, which can deadlock", detailPair, deadlocked, l, h.lock, 0)
}

func detailPair() {
	bugcheck.Print("    now, this thread holds ")
	printLock(twins.held.lock, twins.held.class)
	printSite(&twins.held.at)
	bugcheck.Print("    and acquires ")
	printLock(twins.lock, twins.held.class)
}

func stopLevels() {
	s := &state.search
	stop("a lock is held below the level of an interrupt whose service routine may wait for it", detailLevels,
		heldTooLow, state.classes[s.goal].lock, uintptr(state.classes[s.class].high), uintptr(state.classes[s.goal].low))
}

func detailLevels() {
	s := &state.search
	c, d := &state.classes[s.class], &state.classes[s.goal]
	bugcheck.Print("    acquired by a service routine at IRQL ")
	bugcheck.PrintDecimal(uintptr(c.high))
	bugcheck.Print(": ")
	printClass(s.class)
	printSite(&c.highAt)
	printPath(s.class, s.goal)
	bugcheck.Print("    held at IRQL ")
	bugcheck.PrintDecimal(uintptr(d.low))
	bugcheck.Print(" with interrupts enabled: ")
	printClass(s.goal)
	printSite(&d.lowAt)
}

func stopHold(h *held, ticks uint64) {
	twins.held = *h
	stop("a spin lock was held for too long", detailHold, heldTooLong, h.lock, uintptr(kernel.DurationOf(ticks)/1000), uintptr(irql.Current()))
}

func detailHold() {
	bugcheck.Print("    acquired: ")
	printLock(twins.held.lock, twins.held.class)
	printSite(&twins.held.at)
}

func stopFreed(l, holder uintptr) {
	stop("memory is freed that holds a lock that is held", nil, freedHeld, l, holder, 0)
}

func stopWaits(what uintptr) {
	stop("threads wait for each other: none of them will ever run", detailWaits, deadlocked, what, 0, 0)
}

func detailWaits() {
	for i := range chain.n {
		l := &chain.links[i]
		next := &chain.links[(i+1)%chain.n]
		bugcheck.Print("    ")
		printThread(l.thread)
		bugcheck.Print(" waits for ")
		switch {
		case l.object != nil && l.object.Type == kernel.TypeThread:
			bugcheck.Print("the end of ")
			printThread(next.thread)
			bugcheck.Print("\n")
			continue
		case l.object != nil:
			bugcheck.Print("mutex ")
		default:
			bugcheck.Print(kindNames[l.kind])
			bugcheck.Print(" ")
		}
		bugcheck.PrintAddress(l.what)
		bugcheck.Print(", which ")
		printThread(next.thread)
		bugcheck.Print(" holds\n")
		printHeld(next.thread, l.what)
	}
}

// printHeld prints where a thread acquired a lock, if that is known.
func printHeld(t *kernel.Thread, l uintptr) {
	var all heldByThread
	all.read(t)
	for i := range all.n {
		if all.held[i].lock == l {
			printSite(&all.held[i].at)
		}
	}
}

func printThread(t *kernel.Thread) {
	bugcheck.Print("thread ")
	bugcheck.PrintDecimal(uintptr(t.ID))
	for n, c := range t.Name {
		if c == 0 || n == len(t.Name)-1 {
			if n != 0 {
				bugcheck.Print(" (")
				bugcheck.PrintBytes(t.Name[:n])
				bugcheck.Print(")")
			}
			return
		}
	}
}
