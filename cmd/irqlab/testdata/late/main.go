// Command late masks the console's interrupts, on the processor that takes them,
// until somebody has typed and the kernel has come for it all the same. Then it
// shows what it reads.
package main

import (
	"bufio"
	"fmt"
	"os"

	"irqlab"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/irql"
	. "irqlab/wdk"
)

func main() {
	irqlab.LockThread() // processor and level are the thread's, not the goroutine's
	defer irqlab.UnlockThread()
	KeSetSystemAffinityThread(1)
	old := KfRaiseIrql(irql.DeviceMax)
	bugcheck.Print("type now\n") // without the system call, which would lower the level
	for !board.ConsoleReady() {
	}
	for board.ConsoleReady() {
	}
	KeLowerIrql(old)
	KeRevertToUserAffinityThread()

	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	fmt.Printf("read %q, %v\n", line, err)
}
