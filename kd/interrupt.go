package kd

import (
	"fmt"
	"slices"
)

// fixedInterrupts are those that are no device's.
var fixedInterrupts = []struct {
	level   int
	purpose string
}{
	{1, "software interrupt: what is pending for the thread"},
	{2, "software interrupt: timers, DPCs, thread switch"},
	{clockLevel, "clock: quantum, timers that are due"},
	{14, "other processors' requests"},
}

// idt is !idt.
func (d *Debugger) idt(v *invocation) error {
	if v.args != "" {
		return errUsage
	}
	d.booted()
	type row struct {
		vector string
		level  int
		text   string
	}
	var rows []row
	for _, f := range fixedInterrupts {
		rows = append(rows, row{fmt.Sprintf("%#x", d.vector(f.level)), f.level, f.purpose})
	}
	if d.has("intr.chains") {
		chains := d.variable("intr.chains")
		for n := range chains.len() {
			for p := chains.elem(n).field("first").uint(); p != 0; p = d.at(p, "intr.Interrupt").field("next").uint() {
				i := d.at(p, "intr.Interrupt")
				rows = append(rows, row{fmt.Sprintf("%#x", i.field("vector").uint()), int(i.field("level").uint()), d.describeInterrupt(i)})
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return a.level - b.level })
	d.printf("%-8s %-18s %s\n", "VECTOR", "IRQL", "SERVED BY")
	for _, r := range rows {
		d.printf("%-8s %2d %-15s %s\n", r.vector, r.level, levels[r.level&15], r.text)
	}
	return nil
}

// clockLevel is the level of the clock interrupt, which is not a software one.
const clockLevel = 13

// vector returns the vector of a level's own interrupt: see board.SoftVector and
// board.ClockVector.
func (d *Debugger) vector(level int) uint64 {
	if level == clockLevel {
		return uint64(d.constant("board.Vector", "board.ClockVector"))
	}
	if d.image.machine.arch == AMD64 {
		return d.variable("board.softVectors").elem(level).uint()
	}
	return uint64(level) // that of a software generated interrupt
}

func (d *Debugger) describeInterrupt(i value) string {
	source := fmt.Sprintf("line %d", i.field("line").int())
	if i.field("line").int() < 0 {
		source = "software"
	}
	if i.field("mode").bool() {
		source += ", latched"
	} else {
		source += ", level"
	}
	if i.field("shared").bool() {
		source += ", shared"
	}
	return fmt.Sprintf("%s (%s), CPU %d: %d calls, KINTERRUPT %#x",
		d.function(d.code(i.field("routine").uint())), source, i.field("cpu").uint(), i.field("count").uint(), i.addr)
}
