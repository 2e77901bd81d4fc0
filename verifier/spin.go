package verifier

import (
	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/sync/spin"
)

// maxHeld bounds the locks that a processor or a thread holds at once.
const maxHeld = 12

// held is a lock that is held.
type held struct {
	lock  uintptr
	class uint16
	kind  kind
	since uint64 // arch.Counter
	ticks uint64 // kernel.BusyTicks
	at    site
}

// processor has the spin locks that a processor holds. They change with interrupts
// disabled: a service routine looks at them and adds its own.
type processor struct {
	n            int
	held         [maxHeld]held
	acquisitions uint64
	missed       uint64
}

func thisProcessor() *processor { return &state.cpus[arch.ThisCPU().ID%arch.MaxCPUs] }

// spinLock is told of every step of every spin lock.
func spinLock(l uintptr, op spin.Op) {
	switch op {
	case spin.Initialized:
		s := step{lock: l, kind: kindSpin, op: spin.Initialized}
		s.enter()
	case spin.Acquiring:
		if p := thisProcessor(); rules&Order != 0 && p.n != 0 {
			c := classOf(l, kindSpin)
			for i := min(p.n, maxHeld) - 1; i >= 0 && c != 0; i-- {
				ordered(&p.held[i], l, c)
			}
		}
	case spin.Acquired:
		thisProcessor().push(l)
	case spin.Releasing:
		thisProcessor().pop(l)
	}
}

func (p *processor) push(l uintptr) {
	h := held{lock: l, kind: kindSpin, since: arch.Counter(), ticks: kernel.BusyTicks()}
	h.at.quickly()
	if rules&Order != 0 {
		h.class = classOf(l, kindSpin)
	}
	on := arch.DisableInterrupts()
	p.acquisitions++
	if p.n < maxHeld {
		p.held[p.n] = h
	} else {
		p.missed++
	}
	p.n++
	if on {
		arch.EnableInterrupts()
	}
	if h.class == 0 {
		return
	}
	c := &state.classes[h.class]
	level, cpu := irql.Current(), arch.ThisCPU()
	inISR := cpu.KernelG == &cpu.Interrupt.G
	if level < c.low || inISR && level > c.high {
		c.usedAt(level, inISR)
	}
}

func (p *processor) pop(l uintptr) {
	if h := p.remove(l); h.lock != 0 && rules&Hold != 0 {
		h.checkTime()
	}
}

func (p *processor) remove(l uintptr) (h held) {
	on := arch.DisableInterrupts()
	i := min(p.n, maxHeld) - 1
	for i >= 0 && p.held[i].lock != l {
		i--
	}
	switch {
	case i >= 0:
		h = p.held[i]
		p.n--
		for ; i < min(p.n, maxHeld-1); i++ {
			p.held[i] = p.held[i+1]
		}
	case p.n > maxHeld:
		p.n-- // there was no room for it
	}
	if on {
		arch.EnableInterrupts()
	}
	return h
}

// usedAt notes a level at which a lock of the class is held, and checks what
// follows from it.
func (c *class) usedAt(level irql.Level, inISR bool) {
	var at site
	at.quickly()
	on := acquire()
	if c.first[0] == 0 {
		c.first = at
	}
	if !on {
		level = irql.High
	}
	if level < c.low {
		c.low, c.lowAt = level, at
	}
	if inISR && level > c.high {
		c.high, c.highAt = level, at
	}
	bad := checkLevels()
	release(on)
	if bad {
		stopLevels()
	}
}

// HoldLimit is how long a spin lock may be held, in ticks of arch.Counter. The
// documentation asks for 25 microseconds; a processor under emulation may stand
// still for a hundred thousand times that. So the time counts if the processor has
// seen as many clock ticks meanwhile, which it does below CLOCK_LEVEL.
var HoldLimit uint64

func (h *held) checkTime() {
	t := arch.Counter() - h.since
	if HoldLimit == 0 || t <= HoldLimit {
		return
	}
	const tick = 100 * kernel.TimeIncrement // ns
	if kernel.BusyTicks()-h.ticks >= uint64(kernel.DurationOf(HoldLimit))/tick {
		stopHold(h, t)
	}
}
