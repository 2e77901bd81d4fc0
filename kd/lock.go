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

// queuedLocks is !qlocks: the dispatcher lock, and every spin lock among the
// variables of the kernel and of the program.
func (d *Debugger) queuedLocks(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	d.booted()
	names := slices.Sorted(maps.Keys(d.image.index.variables))
	held, all := 0, 1
	if d.variable("arch.DispatcherLock").bool() {
		held++
		d.printf("%-32s %s  held\n", "dispatcher lock", address(d.variable("arch.DispatcherLock").addr))
	}
	for _, name := range names {
		if distributed(name) {
			continue
		}
		d.eachLock(strings.TrimPrefix(name, "irqlab/"), d.global(name), 0, func(path string, lock value) {
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
