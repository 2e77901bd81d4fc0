package arch

// Entry is where the stubs enter Go time and again: functions of package entry,
// called with their argument in a register. Set before the first interrupt.
var Entry EntryPoints

// EntryPoints is the type of Entry. The functions are called and return with
// interrupts disabled.
type EntryPoints struct {
	Trap    func(*Frame) // every exception and interrupt
	Syscall func(*Frame) // a system call of the Go runtime
}
