package bugcheck

import (
	"sync/atomic"

	"irqlab/arch"
	"irqlab/board"
)

// Freeze keeps a processor where f found it until the machine is gone. Entry
// calls it for the interrupts that a stop sends.
func Freeze(f *arch.Frame) {
	arch.DisableInterrupts()
	level := arch.ReadIRQL()
	if f != nil {
		level = f.IRQL()
	}
	LastStop.answer(f, level)
	halt()
}

// answer notes where a processor is. A second interrupt of the same stop finds
// it here, which is of no interest.
func (r *Record) answer(f *arch.Frame, level uintptr) {
	cpu := arch.ThisCPU().ID
	bit := uint32(1) << cpu
	if atomic.LoadUint32(&r.Answered)&bit != 0 {
		return
	}
	r.Frames[cpu], r.Levels[cpu], r.Threads[cpu] = f, uint8(level), arch.ThisContext()
	atomic.OrUint32(&r.Answered, bit)
}

func halt() {
	for {
		arch.Pause()
	}
}

// freezeTime is how long to wait for the other processors' answer to each of
// the two interrupts, in fractions of a second of the counter: one that masks
// both is left behind. A virtual machine's processor may have to wait for its
// host's before it can answer.
const freezeTime = 2

// freezeOthers stops the other processors: with an interrupt at HIGH_LEVEL, and
// those that mask it with a non-maskable one, where there is such a thing.
func freezeOthers(me uint32) {
	all := uint32(1)<<atomic.LoadUint32(&arch.NumCPUs) - 1
	for _, send := range [...]func(cpu uint32){sendHigh, board.SendNMI} {
		missing := all &^ atomic.LoadUint32(&LastStop.Answered)
		if missing == 0 {
			return
		}
		for cpu := uint32(0); missing>>cpu != 0; cpu++ {
			if missing>>cpu&1 != 0 {
				send(cpu)
			}
		}
		start := arch.Counter()
		for all&^atomic.LoadUint32(&LastStop.Answered) != 0 && arch.Counter()-start < board.CounterHz()/freezeTime {
			arch.Pause()
		}
	}
}

func sendHigh(cpu uint32) { board.SendIPI(cpu, 15) }
