package board

import (
	"irqlab/arch"

	"github.com/usbarmory/tamago/soc/intel/uart"
)

const com1 = 0x3F8

// consoleLine is COM1's ISA interrupt, an I/O APIC input on q35.
const consoleLine = 4

var console = uart.UART{Index: 1, Base: com1, IRQ: consoleLine, DTR: true, RTS: true}

// FIFO control: enable, 14-byte trigger (PC16550D data sheet, 8.4). The reset
// bits stay clear: input may have arrived before boot.
const fifoEnable = 0xC1

// initConsole sets 8N1 and turns the FIFO on; TamaGo's driver leaves line and
// FIFO control as firmware set them.
func initConsole() {
	arch.Out8(com1+uart.LCR, 0x03)
	arch.Out8(com1+uart.FCR, fifoEnable)
	console.Init()
}

// PutByte writes a byte to the console, waiting for room.
func PutByte(c byte) { console.Tx(c) }

// GetByte returns a received byte, if there is one.
func GetByte() (c byte, ok bool) { return console.Rx(false) }

// ConsoleReady reports whether there is a byte to get: line status, bit 0 (PC16550D
// data sheet, 8.6).
func ConsoleReady() bool { return arch.In8(com1+uart.LSR)&1 != 0 }

// ConsoleLine returns the console's interrupt line.
func ConsoleLine() int { return consoleLine }

// ConsoleInput turns the receive interrupt on or off.
func ConsoleInput(enable bool) {
	if enable {
		arch.Out8(com1+uart.IER, 1<<uart.IER_ERBFI)
	} else {
		arch.Out8(com1+uart.IER, 0)
	}
}
