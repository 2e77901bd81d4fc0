package board

import (
	"math/bits"
	_ "unsafe" // for go:linkname

	"irqlab/arch"
)

// TamaGo's board contract: what package runtime/goos expects of a board, under
// the names it expects. TamaGo's toolchain calls these from its runtime; here
// the kernel calls what they stand for, and TamaGo's drivers find them when they
// are built with the overlay of internal/overlay. CPUinit has no place in it:
// the ELF entry is arch.start.

// RamStart and RamSize are the RAM that the program may use.
var (
	//go:linkname ramStart runtime/goos.RamStart
	ramStart uint
	//go:linkname ramSize runtime/goos.RamSize
	ramSize uint
	//go:linkname ramStackOffset runtime/goos.RamStackOffset
	ramStackOffset uint = 0x100
)

// hwinit0 runs before any memory is allocated.
//
//go:linkname hwinit0 runtime/goos.Hwinit0
func hwinit0() { Init() }

// hwinit1 runs when Go code can.
//
//go:linkname hwinit1 runtime/goos.Hwinit1
func hwinit1() { Calibrate() }

//go:linkname printk runtime/goos.Printk
func printk(c byte) { PutByte(c) }

// nanotime returns the time since the counter started, in ns.
//
//go:linkname nanotime runtime/goos.Nanotime
func nanotime() int64 {
	hi, lo := bits.Mul64(arch.Counter(), 1_000_000_000)
	q, _ := bits.Div64(hi, lo, CounterHz())
	return int64(q)
}

// randomState is the state of the generator behind getRandomData. It is no
// cryptographic generator, and both machines may be without an entropy source.
var randomState uint64

//go:linkname initRNG runtime/goos.InitRNG
func initRNG() { randomState = Entropy() }

// getRandomData fills b (SplitMix64).
//
//go:linkname getRandomData runtime/goos.GetRandomData
func getRandomData(b []byte) {
	for i := range b {
		if i%8 == 0 {
			randomState += 0x9E3779B97F4A7C15
		}
		z := randomState
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		b[i] = byte(z >> (i % 8 * 8))
	}
}

// offerMemory tells the contract the range of RAM that starts highest in the
// order of Memory, the one behind the image.
func offerMemory() {
	for i := 0; ; i++ {
		base, size, ok := Memory(i)
		if !ok {
			return
		}
		ramStart, ramSize = uint(base), uint(size)
	}
}
