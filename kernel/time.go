package kernel

import (
	"math/bits"

	"irqlab/arch"
	"irqlab/board"
)

// Time is kept in three units: counter ticks (arch.Counter), 100 ns since boot
// (interrupt time), and 100 ns since 1601 (system time).
var (
	counterBase uint64 // counter at boot
	perTick     uint64 // 100 ns units per counter tick, 32.32 fixed point
	nsPerTick   uint64 // ns per counter tick, 32.32 fixed point
	ticksPer    uint64 // counter ticks per 100 ns, 32.32 fixed point
	bootTime    int64  // system time at boot
)

// Units of 100 ns.
const (
	Millisecond = 10_000
	Second      = 10_000_000
)

// TimeIncrement is the length of a clock tick (KeQueryTimeIncrement): 15.625
// ms, the documented default.
const TimeIncrement = 156_250

// unixEpoch is 1970-01-01 in system time.
const unixEpoch = 11_644_473_600 * Second

// InitTime starts the clocks. Boot processor, once.
func InitTime() {
	hz := board.CounterHz()
	counterBase = arch.Counter()
	perTick = Second << 32 / hz
	nsPerTick = 1_000_000_000 << 32 / hz
	ticksPer = hz << 32 / Second
	bootTime = board.WallClock()*Second + unixEpoch
}

func scale(n, factor uint64) uint64 {
	hi, lo := bits.Mul64(n, factor)
	return hi<<32 | lo>>32
}

// InterruptTime returns the time since boot in 100 ns units
// (KeQueryInterruptTimePrecise).
//
// IRQL: any
func InterruptTime() uint64 { return scale(arch.Counter()-counterBase, perTick) }

// Nanotime returns the time since boot in ns.
//
// IRQL: any
func Nanotime() uint64 { return scale(arch.Counter()-counterBase, nsPerTick) }

// SystemTime returns the time since 1601-01-01 UTC in 100 ns units
// (KeQuerySystemTimePrecise).
//
// IRQL: any
func SystemTime() int64 { return bootTime + int64(InterruptTime()) }

// UnixTime returns the time since 1970-01-01 UTC in ns.
//
// IRQL: any
func UnixTime() int64 { return (bootTime-unixEpoch)*100 + int64(Nanotime()) }

// TickCount returns the clock ticks since boot (KeQueryTickCount).
//
// IRQL: any
func TickCount() uint64 { return InterruptTime() / TimeIncrement }

// DurationOf returns the ns that a number of counter ticks takes.
//
// IRQL: any
func DurationOf(ticks uint64) uint64 { return scale(ticks, nsPerTick) }

// TimeScale returns what turns arch.Counter into ns since boot: subtract base,
// multiply by mult, shift right by 32. The vDSO has its own copy.
func TimeScale() (base, mult uint64) { return counterBase, nsPerTick }

// counterAt returns the counter value at an interrupt time, rounded up.
func counterAt(t uint64) uint64 { return counterBase + scale(t, ticksPer) + 1 }

// Times is where a processor's time goes, in counter ticks.
type Times struct {
	Interrupt uint64 // at device levels and above
	Deferred  uint64 // in DPC routines
	account   arch.Account
}

// chargeDisabled ends the current charge and begins one to bucket, as a thread
// switch does (arch.Switch). Interrupts, which charge too, must not come between
// its steps, so they are disabled.
func (t *Times) chargeDisabled(bucket *uint64) {
	now := arch.Counter()
	*t.account.Bucket += now - t.account.Last
	t.account.Last, t.account.Bucket = now, bucket
}

// EnterInterrupt charges time to interrupts until LeaveInterrupt gets what it
// returned. Interrupts that nest do not call it. Interrupts disabled.
func EnterInterrupt(cpu *arch.CPU) *uint64 {
	t := &(*processor)(cpu.Dispatcher).times
	now := arch.Counter()
	was := t.account.Bucket
	*was += now - t.account.Last
	t.account.Last, t.account.Bucket = now, &t.Interrupt
	return was
}

// LeaveInterrupt charges time to what was interrupted. Interrupts disabled.
func LeaveInterrupt(cpu *arch.CPU, was *uint64) {
	t := &(*processor)(cpu.Dispatcher).times
	now := arch.Counter()
	t.Interrupt += now - t.account.Last
	t.account.Last, t.account.Bucket = now, was
}

// TimeZoneBias is what local time lags behind UTC, in 100 ns; boards keep UTC.
var TimeZoneBias int64
