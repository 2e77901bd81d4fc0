package badinput

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// counted are the names of parameters that are counts, lengths, numbers of things,
// limits, or times.
const counted = ` Count ObjectCount GroupCount Limit MaximumCount InitialCount ReleaseCount Adjustment Length
	EventInformationLength MutantInformationLength SemaphoreInformationLength TimerInformationLength
	ThreadInformationLength NumberOfBytes Size RunRefSize Depth Number ProcIndex GroupNumber NodeNumber Processor Priority
	Increment Period TolerableDelay DueTime DesiredTime Affinity `

// uncounted are those of numbers that are none of that, or of which any is right:
// tags, flags, modes, masks, values to store, addresses. KeStallExecutionProcessor
// waits for as many MicroSeconds as it is told.
const uncounted = ` PoolTag Tag AllocateTag Attributes Flags a HandleAttributes Options Value Bit Exchange Comparand
	ExchangeHigh ExchangeLow ExChange Comperand Vector ProcessorEnableMask Mask DesiredAccess AccessMode ResourceThreadId
	MaxLockedMinutes HighWatermark RegionStart RegionSize AlertMode WaitMode PreviousMode ApcMode Level SortKey Context
	BugCheckCode BugCheckParameter1 BugCheckParameter2 BugCheckParameter3 BugCheckParameter4 BugCheckOnFailure Alignment
	HighestAcceptableAddress MicroSeconds `

// among reports whether a list has a name.
func among(name, list string) bool { return slices.Contains(strings.Fields(list), name) }

// counts checks a routine's numbers.
func (b *bench) counts(r *routine) {
	f := reflect.TypeOf(r.fn)
	for i := range f.NumIn() {
		t := f.In(i)
		v := reflect.New(t).Elem()
		if !v.CanInt() && !v.CanUint() || !among(r.params[i], counted) {
			continue
		}
		all, wants := extremes(v), numbers[r.name+"."+r.params[i]]
		if len(wants) != len(all) {
			b.t.Errorf("%s.%s: %d outcomes for %d numbers", r.name, r.params[i], len(wants), len(all))
			continue
		}
		for k, n := range all {
			b.check(r, i, fmt.Sprint(n), 0, func() reflect.Value { return n }, wants[k])
		}
	}
}

// extremes returns the numbers of a type at its ends and around zero.
func extremes(v reflect.Value) (all []reflect.Value) {
	bits := v.Type().Bits()
	if v.CanInt() {
		for _, n := range []int64{math.MinInt64 >> (64 - bits), -1, 0, math.MaxInt64 >> (64 - bits)} {
			x := reflect.New(v.Type()).Elem()
			x.SetInt(n)
			all = append(all, x)
		}
		return all
	}
	for _, n := range []uint64{0, 1 << (bits - 1), math.MaxUint64 >> (64 - bits)} {
		x := reflect.New(v.Type()).Elem()
		x.SetUint(n)
		all = append(all, x)
	}
	return all
}

// TestCounts gives every routine numbers that are negative, zero and too large.
func TestCounts(t *testing.T) {
	b := newBench(t)
	watch(t, func(step func(string)) {
		b.step = step
		for i := range routines {
			b.counts(&routines[i])
		}
	})
	t.Logf("%d calls", b.cases)
}
