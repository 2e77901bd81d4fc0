// Package goos is the contract between a TamaGo board and what runs on it, for
// programs built with the stock toolchain. TamaGo's own toolchain calls these
// hooks from its runtime; here a board provides them under the same names and
// irqlab's kernel decides what they serve.
//
// A board defines what is declared without a value or body here by
// //go:linkname, as it does under TamaGo. What is neither defined nor used
// costs nothing.
package goos

import "unsafe"

// The board's memory.
var (
	//go:linkname RamStart
	RamStart uint
	//go:linkname RamSize
	RamSize uint
	//go:linkname RamStackOffset
	RamStackOffset uint
)

// Hooks every board defines.

//go:linkname CPUinit
func CPUinit()

//go:linkname Hwinit0
func Hwinit0()

//go:linkname Hwinit1
func Hwinit1()

//go:linkname InitRNG
func InitRNG()

//go:linkname GetRandomData
func GetRandomData(b []byte)

//go:linkname Nanotime
func Nanotime() int64

//go:linkname Printk
func Printk(c byte)

// Hooks a board may set.
var (
	Bloc   uintptr
	Exit   func(code int32)
	Idle   func(until int64)
	ProcID func() uint64
	Task   func(sp, mp, gp, fn unsafe.Pointer)
	Wake   func(procid uint64)
)
