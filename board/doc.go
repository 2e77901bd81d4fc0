// Package board is what lies around the processors: memory map, interrupt
// controller, clock, console, processor start and the way out. Files ending in
// _amd64 are QEMU's q35 machine, files ending in _arm64 its virt machine.
//
// Both follow TamaGo's board contract (runtime/goos). TamaGo's drivers do the
// work where they exist: UART, LAPIC, I/O APIC and RTC on q35.
//
// The functions each board provides:
//
//	Init()                          early console; memory map; command line. Boot processor, once
//	Memory(i) (base, size, ok)      i-th range of RAM that is free to use
//	CommandLine() string            resident copy of the boot command line
//	InitInterrupts(), InitCPU()     controller, then per-processor part (each CPU calls InitCPU)
//	Acknowledge(*arch.Frame) Vector the interrupt being delivered; Spurious if none
//	EndOfInterrupt(Vector)
//	RequestSelf(level)              software interrupt on this processor: APC (1) or DISPATCH (2)
//	SendIPI(cpu, level)             the same on another one, or level IPI (14)
//	SendNMI(cpu)                    freeze (an IPI at HIGH on ARM64)
//	ConnectLine(line, Vector), DisconnectLine(line)
//	                                route a device's interrupt line to a vector
//	Console line, PutByte, GetByte  UART; polled output, receive interrupt
//	SetTimer(deadline)              one-shot clock interrupt at a counter value, this processor
//	CounterHz                       frequency of arch.Counter
//	WallClock() int64               Unix time in seconds, from the RTC
//	Entropy() uint64                a hardware or counter-derived random word
//	StartCPUs(ready func)           start the other processors
//	Exit(status)                    leave QEMU with the agreed status
//	Reset()                         start the machine anew
package board
