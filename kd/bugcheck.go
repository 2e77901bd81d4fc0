package kd

import (
	"fmt"
	"strings"
)

// BugCheck is what is known of a stop.
type BugCheck struct {
	Code       uint32
	CPU        int
	Parameters [4]uint64
	Text       string // what happened, if the code alone does not say
	Thread     string // that ran, if the target knows
}

// Stopped is a Target that knows of a stop by itself, as a dump does.
type Stopped interface {
	BugCheck() (BugCheck, bool)
}

// bugCheck returns the stop that the machine is in.
func (d *Debugger) bugCheck() (BugCheck, bool) {
	if s, ok := d.target.(Stopped); ok {
		return s.BugCheck()
	}
	var b BugCheck
	stopped := false
	err := guard(func() {
		if stopped = d.variable("bugcheck.owner").bool(); !stopped {
			return
		}
		r := d.variable("bugcheck.LastStop")
		b.Code, b.CPU = uint32(r.field("Code").uint()), int(r.field("CPU").uint())
		for i := range b.Parameters {
			b.Parameters[i] = r.field("Parameters").elem(i).uint()
		}
		if r.hasField("Text") {
			b.Text = r.field("Text").str()
		}
	})
	return b, stopped && err == nil
}

// stopFrame returns the address of the trap frame that a stop found or froze a
// processor with, or 0.
func (d *Debugger) stopFrame(cpu int) uint64 {
	if _, stopped := d.bugCheck(); !stopped {
		return 0
	}
	frames := d.variable("bugcheck.LastStop").field("Frames")
	if cpu >= frames.len() {
		return 0
	}
	return frames.elem(cpu).uint()
}

// stopLevel returns the IRQL that a processor was at when the machine was
// stopped.
func (d *Debugger) stopLevel(cpu int) (level int, ok bool) {
	if _, stopped := d.bugCheck(); !stopped {
		return 0, false
	}
	r := d.variable("bugcheck.LastStop")
	if r.hasField("Levels") && r.field("Answered").uint()>>cpu&1 != 0 {
		return int(r.field("Levels").elem(cpu).uint()), true
	}
	if frame := d.stopFrame(cpu); frame != 0 {
		return int(d.at(frame, "arch.Frame").field("Level").uint()), true
	}
	return 0, false
}

// description is a bugcheck.Description: the image knows the codes it raises.
type description struct {
	name, meaning string
	parameters    [4]string
	kind          string // what this value of the first parameter means
}

// describe looks a stop up in the image's own tables, as they were linked: a dump
// need not hold them, and nothing changes them.
func (d *Debugger) describe(b BugCheck) description {
	if b.Code == liveSystemDump {
		return description{name: "LIVE_SYSTEM_DUMP", meaning: "a debugger wrote this dump; no rule was broken"}
	}
	var found description
	guard(func() {
		linked := New(d.image, linkedImage{d.image}, d.out)
		table := linked.variable("bugcheck.Descriptions")
		for n := range table.len() {
			e := table.elem(n)
			if uint32(e.field("Code").uint()) != b.Code {
				continue
			}
			found.name, found.meaning = e.field("Name").str(), e.field("Meaning").str()
			for i := range found.parameters {
				found.parameters[i] = e.field("Parameters").elem(i).str()
			}
			break
		}
		kinds := linked.variable("bugcheck.Kinds")
		for n := range kinds.len() {
			e := kinds.elem(n)
			if uint32(e.field("Code").uint()) != b.Code || e.field("Value").uint() != b.Parameters[0] {
				continue
			}
			found.kind = e.field("Meaning").str()
			for i := range e.field("Parameters").len() {
				if p := e.field("Parameters").elem(i).str(); p != "" {
					found.parameters[1+i] = p
				}
			}
			return
		}
	})
	return found
}

// linkedImage is the memory of an image before it runs.
type linkedImage struct{ image *Image }

func (linkedImage) CPUs() int                        { return 0 }
func (linkedImage) Registers(int) (Registers, error) { return nil, fmt.Errorf("not running") }
func (l linkedImage) ReadMemory(addr uint64, b []byte) error {
	if !l.image.read(addr, b) {
		return fmt.Errorf("not in the image")
	}
	return nil
}

var errNoStop = fmt.Errorf("the machine was not stopped by a bug check")

// bugCheckCommand is .bugcheck.
func (d *Debugger) bugCheckCommand(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	b, ok := d.bugCheck()
	if !ok {
		return errNoStop
	}
	name := d.describe(b).name
	d.printf("Bugcheck code %08X %s\n", b.Code, name)
	d.printf("Arguments %s %s %s %s\n", address(b.Parameters[0]), address(b.Parameters[1]), address(b.Parameters[2]), address(b.Parameters[3]))
	return nil
}

// announce says that the machine has stopped.
func (d *Debugger) announce() {
	b, ok := d.bugCheck()
	if !ok {
		return
	}
	d.cpu = b.CPU
	d.printf("\n*** Fatal System Error: 0x%08x", b.Code)
	if name := d.describe(b).name; name != "" {
		d.printf(" %s", name)
	}
	d.printf("\n                       (0x%s,0x%s,0x%s,0x%s)\n", hex(b.Parameters[0], 16), hex(b.Parameters[1], 16), hex(b.Parameters[2], 16), hex(b.Parameters[3], 16))
	d.printf("CPU %d has stopped the machine. Use !analyze -v for what is known.\n", b.CPU)
}

// misuse says what resident code did that it must not do, from the functions of
// the Go distribution that a stack begins with, by the image's own table: see
// bugcheck.Trace.Misuse.
func (d *Debugger) misuse(frames []frame) string {
	linked := New(d.image, linkedImage{d.image}, d.out)
	type entry struct{ function, text string }
	var table []entry
	if guard(func() {
		t := linked.variable("bugcheck.misuses")
		for n := range t.len() {
			table = append(table, entry{t.elem(n).field("function").str(), t.elem(n).field("text").str()})
		}
	}) != nil {
		return ""
	}
	text := ""
	for _, f := range frames {
		for _, p := range d.image.Positions(f.site()) {
			if !distributed(p.Function) {
				return text
			}
			for _, e := range table {
				if strings.HasPrefix(p.Function, e.function) {
					text = fmt.Sprintf("%s (%s)", e.text, p.Function)
					break
				}
			}
		}
	}
	return text
}
