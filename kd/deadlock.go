package kd

import (
	"fmt"
	"slices"
	"strings"
)

// edge leads from a thread that waits to the one that it waits for.
type edge struct {
	owner  uint64
	object string
}

// deadlock is !deadlock: cycles of threads that wait for what the next one
// has, and, if the verifier runs, the locks that are held.
func (d *Debugger) deadlock(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	all := d.allThreads()
	graph := d.waitGraph(all)
	found := 0
	seen := map[string]bool{}
	for _, t := range all {
		cycle := cycleFrom(t.addr, graph)
		if cycle == nil || seen[members(cycle)] {
			continue
		}
		seen[members(cycle)] = true
		found++
		d.printf("Deadlock of %s:\n", count(int64(len(cycle)), "thread"))
		for n, e := range cycle {
			waiter := cycle[(n+len(cycle)-1)%len(cycle)].owner
			d.printf("  %s waits for %s: %s has it\n", d.threadText(waiter), e.object, d.threadText(e.owner))
		}
	}
	if found == 0 {
		d.printf("no threads wait for each other; waiting for what another has: %s\n", count(int64(len(graph)), "thread"))
	}
	if d.verifying() {
		d.heldLocks()
	}
	return nil
}

// waitGraph returns who waits for whom: of a thread that waits for all of several
// objects, everybody who has one. A wait that any of several can end is for nobody
// in particular.
func (d *Debugger) waitGraph(all []thread) map[uint64][]edge {
	graph := map[uint64][]edge{}
	waited := d.resourceWaits()
	for _, t := range all {
		waits := t.waits()
		if len(waits) > 1 && !t.waitsForAll() {
			continue
		}
		for _, b := range waits {
			h := b.field("Object").deref()
			var e edge
			switch h.field("Type").uint() {
			case typeMutant:
				e = edge{d.at(h.addr, "kernel.Mutant").field("Owner").uint(), fmt.Sprintf("mutant %#x", h.addr)}
			case typeThread:
				e = edge{h.addr, fmt.Sprintf("thread %#x", h.addr)}
			default:
				e = waited[h.addr]
			}
			if e.owner != 0 && e.owner != t.addr { // its own mutant it would get again
				graph[t.addr] = append(graph[t.addr], e)
			}
		}
	}
	if d.verifying() {
		d.verifierWaits(graph)
	}
	return graph
}

// resourceWaits finds who must release a resource for a wait for one of its
// objects to end.
func (d *Debugger) resourceWaits() map[uint64]edge {
	waits := map[uint64]edge{}
	for _, r := range d.resources() {
		owners := d.resourceOwners(r)
		if len(owners) != 1 {
			continue // any of several may be the one
		}
		e := edge{owners[0], fmt.Sprintf("resource %#x", r.addr)}
		for _, object := range []string{"SharedWaiters", "ExclusiveWaiters"} {
			if o := r.field(object).uint(); o != 0 {
				waits[o] = e
			}
		}
	}
	return waits
}

// cycleFrom returns a way along which a thread waits for itself, or nil.
func cycleFrom(start uint64, graph map[uint64][]edge) []edge {
	been := map[uint64]bool{}
	var follow func(at uint64) []edge
	follow = func(at uint64) []edge {
		if been[at] {
			return nil
		}
		been[at] = true
		for _, e := range graph[at] {
			if e.owner == start {
				return []edge{e}
			}
			if rest := follow(e.owner); rest != nil {
				return append([]edge{e}, rest...)
			}
		}
		return nil
	}
	return follow(start)
}

// members tells cycles apart by who is in them.
func members(cycle []edge) string {
	var threads []uint64
	for _, e := range cycle {
		threads = append(threads, e.owner)
	}
	slices.Sort(threads)
	return fmt.Sprint(threads)
}

// verifying reports whether the verifier has data.
func (d *Debugger) verifying() bool {
	return d.has("verifier.state") && d.variable("verifier.state").bool()
}

// verifierWaits adds what the verifier knows: what locks threads wait for, and
// the cycle that it has stopped the machine for.
func (d *Debugger) verifierWaits(graph map[uint64][]edge) {
	kinds := d.variable("verifier.kindNames")
	holders := map[uint64][]uint64{}
	d.eachOwner(func(thread uint64, o value) {
		for n := range int(o.field("n").int()) {
			lock := o.field("held").elem(n).field("lock").uint()
			holders[lock] = append(holders[lock], thread)
		}
	})
	d.eachOwner(func(thread uint64, o value) {
		wants := o.field("wants").uint()
		if wants == 0 {
			return
		}
		graph[thread] = nil // what the wait is made of
		for _, holder := range holders[wants] {
			if holder != thread {
				graph[thread] = append(graph[thread], edge{holder, fmt.Sprintf("%s %#x", kinds.elem(int(o.field("kind").uint())).str(), wants)})
			}
		}
	})
	b, stopped := d.bugCheck()
	const deadlocked = 0x1001
	if !stopped || b.Code != verifierDetected || b.Parameters[0] != deadlocked {
		return
	}
	chain := d.variable("verifier.chain")
	links, number := chain.field("links"), int(chain.field("n").int())
	if number == 0 || links.elem(0).field("what").uint() != b.Parameters[1] {
		return // it was an order of locks, not threads that wait
	}
	for n := range number {
		l, next := links.elem(n), links.elem((n+1)%number)
		what := fmt.Sprintf("%s %#x", kinds.elem(int(l.field("kind").uint())).str(), l.field("what").uint())
		if o := l.field("object"); o.bool() {
			what = fmt.Sprintf("%s %#x", d.typeName(o.deref()), o.uint())
		}
		graph[l.field("thread").uint()] = []edge{{next.field("thread").uint(), what}}
	}
}

// eachOwner calls f for every thread that the verifier knows something of.
func (d *Debugger) eachOwner(f func(thread uint64, o value)) {
	threads := d.variable("verifier.state").deref().field("threads")
	for n := range threads.len() {
		o := threads.elem(n)
		if t := o.field("thread").uint(); t != 0 && (o.field("n").bool() || o.field("wants").bool()) {
			f(t, o)
		}
	}
}

// heldLocks lists the locks that processors and threads hold.
func (d *Debugger) heldLocks() {
	kinds := d.variable("verifier.kindNames")
	held := func(who string, h value) {
		d.printf("%s holds %s %#x", who, kinds.elem(int(h.field("kind").uint())).str(), h.field("lock").uint())
		if at := d.acquiredAt(h.field("at")); at != "" {
			d.printf(", acquired in %s", at)
		}
		d.printf("\n")
	}
	cpus := d.variable("verifier.state").deref().field("cpus")
	for cpu := range d.processorsOnline() {
		p := cpus.elem(cpu)
		for n := range min(int(p.field("n").int()), p.field("held").len()) {
			held(fmt.Sprintf("CPU %d", cpu), p.field("held").elem(n))
		}
	}
	d.eachOwner(func(thread uint64, o value) {
		for n := range int(o.field("n").int()) {
			held(d.threadText(thread), o.field("held").elem(n))
		}
	})
}

// acquiredAt names the place of the user's code among the return addresses of an
// acquisition, or the innermost.
func (d *Debugger) acquiredAt(site value) string {
	var all []Position
	for n := range site.len() {
		if pc := site.elem(n).uint(); pc != 0 {
			all = append(all, d.image.Positions(pc-1)...)
		}
	}
	if len(all) == 0 {
		return ""
	}
	n := max(0, slices.IndexFunc(all, func(p Position) bool { return users(p.Function) }))
	return fmt.Sprintf("%s [%s @ %d]", all[n].Function, tail(all[n].File), all[n].Line)
}

// verifier is !verifier.
func (d *Debugger) verifier(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	d.booted()
	if !d.verifying() {
		d.printf("the verifier is off; the kernel option verifier=on turns it on\n")
		return nil
	}
	names := d.variable("verifier.ruleNames")
	var on []string
	for n := range names.len() {
		if d.variable("verifier.rules").uint()>>n&1 != 0 {
			on = append(on, names.elem(n).str())
		}
	}
	state := d.variable("verifier.state").deref()
	stats := state.field("stats")
	spin, missed := uint64(0), stats.field("Missed").uint()
	for cpu := range state.field("cpus").len() {
		p := state.field("cpus").elem(cpu)
		spin += p.field("acquisitions").uint()
		missed += p.field("missed").uint()
	}
	d.printf("rules        %s\n", strings.Join(on, ", "))
	d.printf("acquired     %d spin locks; %d fast and guarded mutexes, push locks and resources\n", spin, stats.field("ThreadAcquisitions").uint())
	d.printf("locks        %d, of %d classes; %d orders between classes\n", stats.field("Locks").int(), stats.field("Classes").int(), stats.field("Edges").int())
	d.printf("waits        %d followed from thread to thread\n", stats.field("Waits").uint())
	d.printf("not watched  %d, for lack of room\n", missed)
	return nil
}
