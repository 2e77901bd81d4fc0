// Package chance takes schedule points: places where the kernel, when it runs
// under a seed, may let the other processors go first. Under QEMU -icount a
// PAUSE or YIELD hands over deterministically, so the seed alone decides the
// interleaving, and a failing run is repeated by its seed.
//
// Without a seed a point is one load and one branch.
//
// IRQL: any
package chance

import "irqlab/arch"

// enabled is set once, at boot.
var enabled bool

// state is each processor's generator, so that what one draws does not depend
// on when the others do.
var state [arch.MaxCPUs]uint64

// rarity is how many points there are to one hand-over, on average. A power of
// two.
const rarity = 8

// Start enables the points. Boot processor, before the others start.
func Start(seed uint64) {
	reseed(seed)
	enabled = true
}

// Reseed begins another schedule in a run that has a seed, so that one boot can
// try many. In a run without it does nothing.
func Reseed(seed uint64) {
	if enabled && explore == nil {
		reseed(seed)
	}
}

func reseed(seed uint64) {
	for i := range state {
		state[i] = seed*0x9E3779B97F4A7C15 + uint64(i)
	}
}

// Enabled reports whether the points are taken.
func Enabled() bool { return enabled }

// explore takes the points instead, when the host explores interleavings.
var explore func()

// Explore has every point call fn. It is for programs on the host.
func Explore(fn func()) {
	explore = fn
	enabled = true
}

// Point is a schedule point.
func Point() {
	if enabled {
		take()
	}
}

// take draws from SplitMix64. Below DISPATCH_LEVEL the thread may move between
// the lines; then it draws from another processor's generator, and does so again
// when the run is repeated.
func take() {
	if explore != nil {
		explore()
		return
	}
	s := &state[arch.ThisCPU().ID]
	*s += 0x9E3779B97F4A7C15
	z := *s
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	if (z^z>>31)%rarity == 0 {
		arch.Pause()
	}
}
