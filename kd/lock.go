package kd

import (
	"debug/dwarf"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// locks is !locks.
func (d *Debugger) locks(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	d.booted()
	held := 0
	all := d.resources()
	for _, r := range all {
		active := r.field("ActiveCount").int()
		if active == 0 && !r.field("NumberOfSharedWaiters").bool() && !r.field("NumberOfExclusiveWaiters").bool() {
			continue
		}
		held++
		how := "shared"
		if r.field("Flag").uint()&resourceExclusive != 0 {
			how = "exclusively"
		}
		d.printf("Resource @ %#x    owned %s by %s, contended %d times\n", r.addr, how, count(active, "thread"), r.field("ContentionCount").uint())
		for _, o := range d.resourceOwners(r) {
			d.printf("    owner %s\n", d.threadText(o))
		}
		if n, m := r.field("NumberOfSharedWaiters").uint(), r.field("NumberOfExclusiveWaiters").uint(); n+m > 0 {
			d.printf("    waiting: %d for shared access, %d for exclusive access\n", n, m)
		}
	}
	d.printf("%s in all, %d in use\n", count(int64(len(all)), "resource"), held)
	for _, t := range d.allThreads() {
		for _, e := range d.list(t.field("MutantList")) {
			m := d.container(e, "kernel.Mutant", "Entry")
			d.printf("Mutant @ %#x    owned by thread %d %s, acquired %s, %s\n", m.addr, t.id, t.name(),
				count(1-m.field("Header.SignalState").int(), "time"), count(int64(len(d.list(m.field("Header.WaitList")))), "waiting thread"))
		}
	}
	return nil
}

// resourceExclusive is sync.ResourceOwnedExclusive.
const resourceExclusive = 0x80

// resources returns all ERESOURCEs.
func (d *Debugger) resources() []value {
	if !d.has("sync.resources") {
		return nil
	}
	var all []value
	for _, e := range d.list(d.variable("sync.resources").field("head")) {
		all = append(all, d.container(e, "sync.Resource", "Entry"))
	}
	return all
}

// resourceOwners returns the addresses of the threads that own a resource, or
// the owner pointers that stand for them.
func (d *Debugger) resourceOwners(r value) []uint64 {
	var owners []uint64
	if o := r.field("Owner.Thread").uint(); o != 0 {
		owners = append(owners, o)
	}
	if table := r.field("OwnerTable"); table.bool() {
		first := table.deref()
		const most = 1 << 12
		for n := 1; n < int(min(first.field("Count").uint(), most)); n++ {
			e := first
			e.addr += uint64(n * first.size())
			if o := e.field("Thread").uint(); o != 0 {
				owners = append(owners, o)
			}
		}
	}
	return owners
}

// threadText names the thread at an address.
func (d *Debugger) threadText(addr uint64) string {
	for _, t := range d.allThreads() {
		if t.addr == addr {
			return fmt.Sprintf("thread %d %s", t.id, t.name())
		}
	}
	return fmt.Sprintf("%#x", addr)
}

// queuedLocks is !qlocks: every spin lock among the kernel's own variables.
func (d *Debugger) queuedLocks(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	d.booted()
	names := slices.Sorted(maps.Keys(d.image.index.variables))
	held, all := 0, 0
	for _, name := range names {
		short, ok := strings.CutPrefix(name, "irqlab/")
		if !ok {
			continue
		}
		d.eachLock(short, d.variable(short), 0, func(path string, lock value) {
			all++
			word := lock.field("word").uint()
			if word == 0 {
				return
			}
			held++
			d.printf("%-32s %s  held by %s\n", path, address(lock.addr), d.holder(word))
		})
	}
	d.printf("%s, %d held\n", count(int64(all), "spin lock"), held)
	return nil
}

// eachLock calls f for the spin locks in an object.
func (d *Debugger) eachLock(path string, v value, depth int, f func(path string, lock value)) {
	const maxDepth, maxArray = 4, 64
	switch t := underlying(v.typ).(type) {
	case *dwarf.StructType:
		if t.StructName == "irqlab/sync/spin.Lock" || t.StructName == "irqlab/sync/spin.Queued" {
			f(path, v)
			return
		}
		for _, field := range t.Field {
			if depth < maxDepth {
				d.eachLock(path+"."+field.Name, value{d, field.Type, v.addr + uint64(field.ByteOffset)}, depth+1, f)
			}
		}
	case *dwarf.ArrayType:
		if _, ok := underlying(t.Type).(*dwarf.StructType); !ok || t.Count > maxArray || depth >= maxDepth {
			return
		}
		for n := range int(t.Count) {
			d.eachLock(fmt.Sprintf("%s[%d]", path, n), v.elem(n), depth+1, f)
		}
	}
}

// holder describes the word of a held lock: in checked mode the holder's context
// with bit 0 set.
func (d *Debugger) holder(word uint64) string {
	context := word &^ 1
	for _, t := range d.allThreads() {
		if t.field("Context").addr == context {
			return fmt.Sprintf("thread %s %s", t.idText(), t.name())
		}
	}
	return fmt.Sprintf("%#x", word)
}

// deadlock is !deadlock: cycles of threads that wait for what the next one owns.
func (d *Debugger) deadlock(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	graph := map[uint64]edge{}
	all := d.allThreads()
	waited := d.resourceWaits()
	for _, t := range all {
		for _, b := range t.waits() {
			h := b.field("Object").deref()
			if h.field("Type").uint() == typeMutant {
				if owner := d.at(h.addr, "kernel.Mutant").field("Owner").uint(); owner != 0 {
					graph[t.addr] = edge{owner, fmt.Sprintf("mutant %#x", h.addr)}
				}
			} else if e, ok := waited[h.addr]; ok {
				graph[t.addr] = e
			}
		}
	}
	found := 0
	seen := map[uint64]bool{}
	for _, t := range all {
		cycle := cycleFrom(t.addr, graph)
		if cycle == nil || seen[cycle[0]] {
			continue
		}
		found++
		d.printf("Deadlock of %s:\n", count(int64(len(cycle)), "thread"))
		for _, a := range cycle {
			seen[a] = true
			d.printf("  %s waits for %s, which %s owns\n", d.threadText(a), graph[a].object, d.threadText(graph[a].owner))
		}
	}
	if found == 0 {
		d.printf("no threads wait for each other; waiting for a mutant or resource that another owns: %s\n", count(int64(len(graph)), "thread"))
	}
	return nil
}

// edge leads from a thread that waits to the one that it waits for.
type edge struct {
	owner  uint64
	object string
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

// cycleFrom returns the cycle that waiting leads into, or nil.
func cycleFrom(start uint64, graph map[uint64]edge) []uint64 {
	seen := map[uint64]int{}
	var path []uint64
	for at := start; ; {
		if n, ok := seen[at]; ok {
			return path[n:]
		}
		e, ok := graph[at]
		if !ok {
			return nil
		}
		seen[at] = len(path)
		path = append(path, at)
		at = e.owner
	}
}
