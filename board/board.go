package board

// Vector identifies an interrupt to the board's controller: an IDT vector on
// q35, an INTID on virt.
type Vector uint32

// ClockVector is the clock interrupt of each processor.
const ClockVector Vector = vectorClock

// The processor's interrupt levels that boards know by name; package irql has
// the full list.
const (
	levelAPC      = 1
	levelDispatch = 2
	levelClock    = 13
	levelIPI      = 14
	levelHigh     = 15
)

// commandLine is a copy of the boot command line: the loader's memory is given
// away.
var (
	commandLine    [2048]byte
	commandLineLen int
)

// startPatience is how many seconds a processor has to start. Its host may have
// other things to do.
const startPatience = 30
