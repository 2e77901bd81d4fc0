package main

import (
	"irqlab/arch"
	"irqlab/board"
)

// sendNMI interrupts this processor, and leaves it the time.
func sendNMI() {
	board.SendNMI(arch.ThisCPU().ID)
	spinForEver()
}
