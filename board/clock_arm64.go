package board

import (
	"sync/atomic"

	"irqlab/arch"
)

// The clock is the virtual timer of each processor (Arm ARM DDI 0487, D11.2.4),
// private peripheral interrupt 11.
const vectorClock Vector = 16 + 11

const timerEnable = 1

// Calibrate has nothing to measure: the counter's frequency is architectural.
func Calibrate() {}

// CounterHz returns the frequency of arch.Counter in Hz.
func CounterHz() uint64 { return arch.CounterFrequency() }

// SetTimer makes the clock interrupt (level CLOCK) happen on this processor
// when arch.Counter reaches deadline, or at once if that has passed. The
// interrupt is level-sensitive: it stays pending until the deadline moves.
//
// Under QEMU -icount, writing the timer ends the processor's turn. So never
// call it with the dispatcher lock held: the others would find the lock taken
// in every one of their turns.
func SetTimer(deadline uint64) { arch.SetTimerCompare(deadline) }

// initTimer arms the timer, far in the future, and leaves it on: a timer that
// is off costs a second register write to arm.
func initTimer() {
	arch.SetTimerCompare(^uint64(0))
	arch.SetTimerControl(timerEnable)
}

// WallClock returns the PL031's data register: seconds since 1970, UTC (Arm
// DDI 0224, 3.3.1).
func WallClock() int64 { return int64(read32(rtcBase)) }

// Entropy returns a word that differs from boot to boot: the loader's seed in
// the device tree, stirred with the counter (splitmix64).
func Entropy() uint64 {
	z := atomic.AddUint64(&entropy, 0x9E3779B97F4A7C15+arch.Counter())
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

var entropy uint64
