package board

import (
	"math/bits"

	"irqlab/arch"

	"github.com/usbarmory/tamago/soc/intel/rtc"
)

// Counter frequencies in Hz, measured against the PIT at boot.
var (
	counterHz uint64
	lapicHz   uint64
	lapicMult uint64 // LAPIC ticks per counter tick, 32.32 fixed point
)

// CounterHz returns the frequency of arch.Counter in Hz.
func CounterHz() uint64 { return counterHz }

// pitHz is the frequency of the 8254's input clock.
const pitHz = 1193182

// pitWait waits for count periods of the PIT's channel 2, gated and read by
// port 0x61 (Intel ICH9 data sheet, 13.7.1).
func pitWait(count uint16) {
	arch.Out8(0x61, arch.In8(0x61)&^3)
	arch.Out8(0x43, 0xB0) // channel 2, both bytes, mode 0
	arch.Out8(0x42, uint8(count))
	arch.Out8(0x42, uint8(count>>8))
	arch.Out8(0x61, arch.In8(0x61)&^2|1)
	for arch.In8(0x61)&0x20 == 0 {
		arch.Pause()
	}
}

// calibrate measures both counters. A host that takes the processor away only
// ever lengthens a window, so the shortest of several is the best; two that agree
// are enough.
func calibrate() {
	const perSecond, windows = 4000, 4 // of 250 µs
	tsc, apic := ^uint64(0), ^uint64(0)
	for range windows {
		writeLocal(lapicInitial, 0xffffffff)
		t := arch.Counter()
		pitWait(pitHz / perSecond)
		took := arch.Counter() - t
		agree := round(took*perSecond) == round(tsc*perSecond)
		tsc = min(tsc, took)
		apic = min(apic, uint64(0xffffffff-readLocal(lapicCurrent)))
		writeLocal(lapicInitial, 0)
		if agree {
			break
		}
	}
	counterHz = round(tsc * perSecond)
	lapicHz = round(apic * perSecond)
	lapicMult = lapicHz << 32 / counterHz
}

// round drops the digits that the measurement cannot know.
func round(hz uint64) uint64 {
	const unit = 1e6
	return max((hz+unit/2)/unit, 1) * unit
}

// SetTimer makes the clock interrupt (level CLOCK) happen on this processor
// when arch.Counter reaches deadline, or at once if that has passed.
func SetTimer(deadline uint64) {
	n := uint64(1)
	if now := arch.Counter(); deadline > now {
		hi, lo := bits.Mul64(deadline-now, lapicMult)
		n = min(hi<<32|lo>>32+1, 0xffffffff)
	}
	writeLocal(lapicInitial, uint32(n))
	// Under QEMU -icount a deadline set in the course of a turn counts from the
	// next turn on only. This ends the turn.
	arch.Pause()
}

// cmosUpdating is set in the real-time clock's status register A for the last
// 244 µs before an update (Motorola MC146818A data sheet).
const cmosUpdating = 1 << rtc.STATUSA_UIP

// cmos reads a binary-coded decimal of the real-time clock.
func cmos(reg uint8) int64 {
	arch.Out8(rtc.CMOS_RTC_OUT, reg)
	v := int64(arch.In8(rtc.CMOS_RTC_IN))
	return v&15 + v>>4*10
}

// WallClock returns the real-time clock in seconds since 1970, UTC. It reads
// what TamaGo's driver reads, which serves Go code: the driver's way to a
// time.Time is not resident code.
func WallClock() int64 {
	for {
		arch.Out8(rtc.CMOS_RTC_OUT, rtc.STATUSA)
		if arch.In8(rtc.CMOS_RTC_IN)&cmosUpdating == 0 {
			break
		}
		arch.Pause()
	}
	days := daysFromCivil(cmos(rtc.CENTURY)*100+cmos(rtc.YEAR), cmos(rtc.MONTH), cmos(rtc.DOW))
	return days*86400 + cmos(rtc.HOURS)*3600 + cmos(rtc.MINUTES)*60 + cmos(rtc.SECONDS)
}

// daysFromCivil counts days since 1970-01-01 in the proleptic Gregorian
// calendar; years start in March, so that leap days come last.
func daysFromCivil(y, m, d int64) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468
}

// Entropy returns a word that differs from boot to boot.
func Entropy() uint64 { return arch.Counter() * 0x9E3779B97F4A7C15 }
