package kd

import (
	"fmt"
	"strconv"
	"strings"
)

// thread is a kernel.Thread.
type thread struct {
	value
	id   uint64
	idle bool
}

// booted fails a command about the kernel before there is one.
func (d *Debugger) booted() {
	if !d.variable("kernel.processors").elem(0).field("idle").bool() {
		failf("the kernel has not started yet; go on with g, or set a breakpoint such as bp main.main")
	}
}

// processorsOnline returns the number of processors that the kernel runs on.
func (d *Debugger) processorsOnline() int {
	d.booted()
	return min(int(d.variable("arch.NumCPUs").uint()), d.target.CPUs())
}

// processor returns the dispatcher's state of a processor.
func (d *Debugger) processor(cpu int) value {
	d.booted()
	return d.variable("kernel.processors").elem(cpu)
}

// current returns the thread that runs on a processor.
func (d *Debugger) current(cpu int) thread {
	p := d.processor(cpu)
	t := p.field("current")
	if !t.bool() {
		failf("CPU %d has not started yet", cpu)
	}
	return d.threadAt(t.uint(), t.uint() == p.field("idle").uint())
}

func (d *Debugger) threadAt(addr uint64, idle bool) thread {
	v := d.at(addr, "kernel.Thread")
	return thread{v, v.field("ID").uint(), idle}
}

// allThreads returns the live threads, the processors' idle threads first.
func (d *Debugger) allThreads() []thread {
	if d.threads != nil {
		return d.threads
	}
	var all []thread
	for cpu := range d.processorsOnline() {
		if idle := d.processor(cpu).field("idle").uint(); idle != 0 {
			all = append(all, d.threadAt(idle, true))
		}
	}
	slots := d.variable("kernel.threads")
	words := slots.bytes()
	for n := range slots.len() {
		if addr := little(words[8*n : 8*n+8]); addr != 0 {
			all = append(all, d.threadAt(addr, false))
		}
	}
	d.threads = all
	return all
}

// findThread finds a thread by its ID in decimal, or by its address.
func (d *Debugger) findThread(text string) thread {
	all := d.allThreads()
	if id, err := strconv.ParseUint(text, 10, 64); err == nil {
		for _, t := range all {
			if !t.idle && t.id == id {
				return t
			}
		}
	}
	if addr, ok := number(text); ok || strings.HasPrefix(text, "@") {
		if !ok {
			addr = d.eval(text)
		}
		for _, t := range all {
			if t.addr == addr {
				return t
			}
		}
	}
	failf("no thread %s; !stacks 0 lists them", shorten(text, 40))
	panic("unreachable")
}

func (t thread) name() string { return t.field("Name").str() }

// state names the thread's state: StateRunning is running.
func (t thread) state() string {
	name, ok := strings.CutPrefix(t.field("State").constantName(), "State")
	if !ok {
		return fmt.Sprintf("state %d", t.field("State").uint())
	}
	return strings.ToLower(name)
}

// Values of kernel.State.
const (
	stateReady   = 1
	stateRunning = 2
	stateWaiting = 5
)

func (t thread) is(state uint64) bool { return t.field("State").uint() == state }

// running returns the processor that the thread runs on, or -1.
func (t thread) running() int {
	for cpu := range t.d.processorsOnline() {
		if t.d.processor(cpu).field("current").uint() == t.addr {
			return cpu
		}
	}
	return -1
}

// stack returns the thread's stack. One that does not run left its frame pointer
// where its stack pointer is: see arch.Switch.
func (t thread) stack() []frame {
	if cpu := t.running(); cpu >= 0 {
		return t.d.stackOf(cpu)
	}
	return t.d.stackFrom(t.field("Context.SP").uint())
}

// idText is the thread's number, as the shell prints it.
func (t thread) idText() string {
	if t.idle {
		return "-"
	}
	return fmt.Sprint(t.id)
}

// seconds turns counter ticks into seconds.
func (d *Debugger) seconds(ticks uint64) float64 {
	return float64(ticks) * float64(d.variable("kernel.nsPerTick").uint()) / (1 << 32) / 1e9
}

// now returns the interrupt time of the last thing that any processor accounted
// for: the counter itself cannot be read from outside.
func (d *Debugger) now() uint64 {
	last := uint64(0)
	for cpu := range d.processorsOnline() {
		last = max(last, d.processor(cpu).field("times.account.Last").uint())
	}
	ticks := last - d.variable("kernel.counterBase").uint()
	return uint64(float64(ticks) * float64(d.variable("kernel.perTick").uint()) / (1 << 32))
}

// perSecond is the number of units of interrupt time in a second.
const perSecond = 10_000_000

// until returns the seconds from now to an interrupt time.
func (d *Debugger) until(due uint64) float64 {
	return max(0, float64(int64(due-d.now()))/perSecond)
}

// describeThread is what !thread prints, as the shell's command does.
func (d *Debugger) describeThread(t thread) {
	kind := "kernel thread"
	switch {
	case t.idle:
		kind = "idle thread"
	case t.field("System").bool():
		kind = "system thread"
	case t.field("Locked").bool():
		kind = "thread of the Go runtime, with a goroutine locked to it"
	case t.field("Go").bool():
		kind = "thread of the Go runtime"
	}
	d.printf("THREAD %#x  ID %d  %q: %s\n", t.addr, t.id, t.name(), kind)
	d.printf("  state       %s on CPU %d\n", t.state(), t.field("CPU").uint())
	d.printf("  priority    %d, base %d, quantum %d\n", t.field("Priority").int(), t.field("BasePriority").int(), t.field("Quantum").int())
	d.printf("  affinity    %#x, ideal CPU %d\n", t.field("Affinity").uint(), t.field("Ideal").uint())
	d.printf("  ran         %.6f s in %s\n", d.seconds(t.field("Cycles").uint()), count(t.field("Switches").uint(), "turn"))
	if t.is(stateWaiting) {
		d.describeWait(t)
	}
	d.printf("  APCs        kernel %d, special %d\n", t.field("KernelAPCs").int(), t.field("SpecialAPCs").int())
	owns := ""
	if err := guard(func() { owns = count(int64(len(d.list(t.field("MutantList")))), "mutant") }); err != nil {
		owns = err.Error()
	}
	d.printf("  owns        %s\n", owns)
	d.printf("  stack       %#x to %#x\n", t.field("Context.Stack.Lo").uint(), t.field("Context.Stack.Hi").uint())
	d.printf("  references  %d\n", d.header(t.addr).field("PointerCount").int())
}

// waits returns the wait blocks of a waiting thread.
func (t thread) waits() []value {
	n := int(t.field("WaitCount").uint())
	const most = 64 // kernel.MaximumWaitObjects
	if !t.is(stateWaiting) || n > most || !t.field("WaitBlocks").bool() {
		return nil
	}
	first := t.field("WaitBlocks").deref()
	var all []value
	for i := range n {
		b := first
		b.addr += uint64(i * first.size())
		all = append(all, b)
	}
	return all
}

// waitsForAll reports whether the thread's wait takes all of its objects.
func (t thread) waitsForAll() bool {
	const waitAny = 1 // kernel.WaitAny
	return len(t.waits()) > 0 && t.waits()[0].field("Type").uint() != waitAny
}

// due returns the interrupt time at which the thread's wait ends, or 0.
func (t thread) due() uint64 {
	if t.is(stateWaiting) && t.field("Timer.Header.Inserted").bool() {
		return t.field("Timer.DueTime").uint()
	}
	return 0
}

func (d *Debugger) describeWait(t thread) {
	mode, alertable := "kernel", "not alertable"
	if t.field("WaitMode").bool() {
		mode = "user"
	}
	if t.field("Alertable").bool() {
		alertable = "alertable"
	}
	d.printf("  waits       in %s mode, %s\n", mode, alertable)
	for _, b := range t.waits() {
		h := b.field("Object").deref()
		d.printf("              for the %s at %#x, state %d\n", d.typeName(h), h.addr, h.field("SignalState").int())
		if owner := d.ownerOf(h); owner != "" {
			d.printf("              which %s owns\n", owner)
		}
	}
	if due := t.due(); due != 0 {
		d.printf("              for %.6f s at most\n", d.until(due))
	}
}

// typeNames are those of kernel.Type, by its values.
var typeNames = map[uint64]string{
	0: "notification event", 1: "synchronization event", 2: "mutant", 3: "process", 4: "queue",
	5: "semaphore", 6: "thread", 8: "notification timer", 9: "synchronization timer",
}

const (
	typeMutant = 2
	typeThread = 6
)

// typeName names the type of a dispatcher object.
func (d *Debugger) typeName(h value) string {
	if name, ok := typeNames[h.field("Type").uint()]; ok {
		return name
	}
	return "object"
}

// ownerOf names the thread that owns a dispatcher object, if one does.
func (d *Debugger) ownerOf(h value) string {
	if h.field("Type").uint() != typeMutant {
		return ""
	}
	owner := d.at(h.addr, "kernel.Mutant").field("Owner").uint()
	if owner == 0 {
		return ""
	}
	t := d.threadAt(owner, false)
	return fmt.Sprintf("thread %d %s", t.id, t.name())
}

// waitsFor says in a few words what ends a thread's wait.
func (d *Debugger) waitsFor(t thread) string {
	var parts []string
	for _, b := range t.waits() {
		parts = append(parts, d.typeName(b.field("Object").deref()))
	}
	how := " or "
	if t.waitsForAll() {
		how = " and "
	}
	s := strings.Join(parts, how)
	if due := t.due(); due != 0 {
		if s != "" {
			s += ", "
		}
		s += fmt.Sprintf("%.3f s at most", d.until(due))
	}
	return s
}

// header returns the object header in front of an object's body.
func (d *Debugger) header(body uint64) value {
	h := d.at(0, "kernel.ObjectHeader")
	return d.at(body-uint64(h.size()), "kernel.ObjectHeader")
}

// threadCommand is !thread.
func (d *Debugger) threadCommand(v *invocation) error {
	words := v.fields()
	t := thread{}
	switch len(words) {
	case 0:
		t = d.current(d.cpu)
	case 1:
		t = d.findThread(words[0])
	default:
		return errUsage
	}
	d.describeThread(t)
	d.printThreadStack(t)
	return nil
}

// processCommand is !process: there is one process. The flags are WinDbg's: 0 leaves
// out the threads, 4 adds their stacks.
func (d *Debugger) processCommand(v *invocation) error {
	const withStacks = 4
	words, flags, ok := v.fields(), uint64(1), true
	if len(words) == 2 {
		flags, ok = number(words[1])
	}
	if len(words) > 2 || !ok || len(words) > 0 && words[0] != "0" {
		return errUsage
	}
	all := d.allThreads()
	d.printf("PROCESS System: the only one; %s\n", count(int64(len(all)), "thread"))
	if flags == 0 {
		return nil
	}
	d.printf("%6s %4s %4s %-10s %4s %10s %9s  %-16s %s\n", "ID", "PRI", "BASE", "STATE", "CPU", "CPU TIME", "SWITCHES", "NAME", "WAITS FOR")
	for _, t := range all {
		d.printf("%6s %4d %4d %-10s %4d %9.3fs %9d  %-16s %s\n", t.idText(),
			t.field("Priority").int(), t.field("BasePriority").int(), t.state(), t.field("CPU").uint(),
			d.seconds(t.field("Cycles").uint()), t.field("Switches").uint(), t.name(), d.waitsFor(t))
		if flags&withStacks != 0 {
			d.printThreadStack(t)
		}
	}
	return nil
}

// stacks is !stacks: 0 leaves out the idle threads, 1 has every thread with the
// function that it waits in, 2 with all of its stack.
func (d *Debugger) stacks(v *invocation) error {
	words := v.fields()
	depth := 0
	if len(words) > 0 {
		if n, err := strconv.Atoi(words[0]); err == nil {
			if n < 0 || n > 2 {
				return errUsage
			}
			depth, words = n, words[1:]
		}
	}
	if len(words) > 1 {
		return errUsage
	}
	filter := strings.Join(words, "")
	d.printf("%6s %-17s %-11s %-16s %s\n", "ID", "THREAD", "STATE", "NAME", "BLOCKED AT")
	shown := 0
	all := d.allThreads()
	for _, t := range all {
		var frames []frame
		guard(func() { frames = t.stack() }) // unless its processor did not answer
		if !d.calls(frames, filter) || depth == 0 && t.idle {
			continue
		}
		shown++
		d.printf("%6s %s %-11s %-16s %s\n", t.idText(), address(t.addr), t.state(), t.name(), d.blockedAt(frames))
		if depth == 2 {
			for _, f := range frames {
				d.printf("%26s%s\n", "", d.place(f))
			}
		}
	}
	d.printf("%s of %d\n", count(int64(shown), "thread"), len(all))
	return nil
}

// calls reports whether a function whose name contains filter is on the stack.
func (d *Debugger) calls(frames []frame, filter string) bool {
	if filter == "" {
		return true
	}
	for _, f := range frames {
		for _, p := range d.image.Positions(f.site()) {
			if strings.Contains(strings.ToLower(p.Function), strings.ToLower(filter)) {
				return true
			}
		}
	}
	return false
}

// blockedAt names the first function behind the dispatcher's own and those that
// lead into it, or the one that the stack begins with.
func (d *Debugger) blockedAt(frames []frame) string {
	first := "?"
	for _, f := range frames {
		name := d.place(f)
		if !strings.Contains(name, ".") { // assembly: stubs and gates
			continue
		}
		if !inPackage(name, "irqlab/kernel", "irqlab/arch", "irqlab/entry", "irqlab/board", "irqlab/irql") {
			return name
		}
		first = name
	}
	return first
}

// inPackage reports whether a function belongs to one of the packages, or to one
// below.
func inPackage(function string, packages ...string) bool {
	for _, p := range packages {
		if rest, ok := strings.CutPrefix(function, p); ok && rest != "" && (rest[0] == '.' || rest[0] == '/') {
			return true
		}
	}
	return false
}
