// Package board is what lies around the processors: memory map, interrupt
// controller, clock, console, processor start and the way out. Files ending in
// _amd64 are QEMU's q35 machine, files ending in _arm64 its virt machine.
//
// Both follow TamaGo's board contract (runtime/goos). On q35 TamaGo's drivers do
// what they can: UART, local APIC, I/O APIC.
//
// The functions each board provides:
//
//	Init() bool                     console, memory map, command line; once, on the boot processor
//	Memory(i) (base, size, ok)      the i-th range of RAM that is free to use
//	BootMemory() (lo, hi)           RAM that was used for booting, which Memory leaves out
//	CommandLine() string            a copy of the boot command line
//	InitInterrupts()                the controller; once
//	InitCPU(id)                     the running processor's part of it
//	Acknowledge(*arch.Frame) Vector the interrupt being delivered; Spurious if none
//	EndOfInterrupt(Vector)          lets its level be delivered again
//	RequestSelf(level)              interrupts this processor: APC (1), DISPATCH (2) or a device level
//	SendIPI(cpu, level)             interrupts another one
//	SendNMI(cpu)                    the same at any level, where there is a way
//	SoftVector(level) Vector        the vector of these interrupts
//	ConnectLine(line, level, cpu) Vector
//	                                routes a line, one of Lines, to a vector of the level
//	DisconnectLine(line)            masks it
//	PutByte, GetByte, ConsoleReady, ConsoleInput, ConsoleLine
//	                                UART: polled output, receive interrupt
//	Calibrate(), CounterHz() uint64 frequency of arch.Counter
//	SetTimer(deadline)              one clock interrupt for this processor, at a value of it
//	WallClock() int64               Unix time in seconds
//	Entropy() uint64                a word that differs from boot to boot
//	CPUCount(), StartPages(), StartCPUs(n, stacks) uint32
//	                                the other processors
//	Exit(status), Reset()           leave QEMU, or start the machine anew
package board
