package board

import "irqlab/arch"

// Registers of the PL011 UART (Arm DDI 0183, 3.2).
const (
	uartDR   = uartBase + 0x00
	uartFR   = uartBase + 0x18
	uartLCR  = uartBase + 0x2C
	uartCR   = uartBase + 0x30
	uartIMSC = uartBase + 0x38

	frReceiveEmpty = 1 << 4
	frTransmitFull = 1 << 5
	lcr8Bits       = 3 << 5
	crEnable       = 1<<0 | 1<<8 | 1<<9 // UARTEN, TXE, RXE
	imscReceive    = 1<<4 | 1<<6        // RXIM, RTIM
)

// consoleLine is the UART's shared peripheral interrupt (QEMU hw/arm/virt.c,
// a15irqmap).
const consoleLine = 1

// initConsole turns the UART on with its FIFOs off: turning them on would throw
// away what has already been typed, or piped in. QEMU holds further input back
// until there is room.
func initConsole() {
	write32(uartIMSC, 0)
	write32(uartLCR, lcr8Bits)
	write32(uartCR, crEnable)
}

// PutByte writes a byte to the console, waiting for room.
func PutByte(c byte) {
	for read32(uartFR)&frTransmitFull != 0 {
		arch.Pause()
	}
	write32(uartDR, uint32(c))
}

// GetByte returns a received byte, if there is one. Taking the last one ends
// the receive interrupt.
func GetByte() (c byte, ok bool) {
	if read32(uartFR)&frReceiveEmpty != 0 {
		return 0, false
	}
	return byte(read32(uartDR)), true
}

// ConsoleReady reports whether there is a byte to get.
func ConsoleReady() bool { return read32(uartFR)&frReceiveEmpty == 0 }

// ConsoleLine returns the console's interrupt line.
func ConsoleLine() int { return consoleLine }

// ConsoleInput turns the receive interrupt on or off.
func ConsoleInput(enable bool) {
	if enable {
		write32(uartIMSC, imscReceive)
	} else {
		write32(uartIMSC, 0)
	}
}
