package signal

// Waiting reports whether the runtime waits for signals. TamaGo's interrupt
// loop polls it before it relays interrupts as signals; irqlab's interrupts
// take no such path.
func Waiting() bool { return true }
