// Package dump is the layout of a crash dump: an ELF core file with one
// NT_PRSTATUS note per processor, as debuggers know it from programs, and one
// note of irqlab's own that says how the machine stopped. So
//
//	gdb program.elf MEMORY.DMP
//
// shows every processor as a thread. Package crash writes dumps, package
// dump/load reads them.
//
// All numbers are little-endian. The file is
//
//	ELF header           64 bytes
//	program headers      56 bytes each: a PT_NOTE, then PT_LOADs
//	notes                PRSTATUS of each processor that was frozen, the
//	                     stopping one first; then Stop
//	memory               page aligned, in the order of the PT_LOADs
//
// Several PT_LOADs may share bytes of the file: a complete dump holds RAM once,
// and shows it at its physical and at its virtual addresses.
package dump

// Kind says what a dump holds ("Varieties of Kernel-Mode Dump Files").
type Kind uint32

const (
	None      Kind = iota // write no dump
	Small                 // the stop, and the stacks of the processors
	Kernel                // what the kernel uses: image data, stacks, pool, translation tables
	Complete              // all RAM
	Active                // all RAM in use: Kernel, and the Go runtime's memory
	Automatic             // Kernel if the page file has room for it, else Small
)

// Name returns the kind's name, as option dump= has it.
func (k Kind) Name() string {
	if int(k) < len(names) {
		return names[k]
	}
	return "?"
}

var names = [...]string{"none", "small", "kernel", "complete", "active", "automatic"}

// KindOf returns the kind with a name.
func KindOf(name string) (k Kind, ok bool) {
	for i := range names {
		if names[i] == name {
			return Kind(i), true
		}
	}
	return None, false
}

// MaxCPUs is the most processors that a dump describes.
const MaxCPUs = 8

// Owner is the name of irqlab's notes: one of TypeStop, which holds a Stop, and one
// of TypeSecondary for each block of data that a driver added: 16 bytes of GUID,
// then the data.
const (
	Owner         = "IRQLAB"
	TypeStop      = 1
	TypeSecondary = 2
)

// CoreOwner is the name of the notes that hold a processor's registers, of type
// TypePRStatus (System V ABI; Linux include/uapi/linux/elf.h).
const (
	CoreOwner    = "CORE"
	TypePRStatus = 1
)

// Version of Stop. Fields are only ever added, at its end.
const Version = 1

// Stop is the content of irqlab's note.
type Stop struct {
	Version    uint32
	Kind       Kind   // that was written; never Automatic
	Code       uint32 // bug check code
	CPU        uint32 // the processor that stopped the machine
	Parameters [4]uint64

	CPUs     uint32 // of the machine
	Answered uint32 // bit n: the registers of processor n are known

	ThreadID   uint32
	TraceCount uint32
	Thread     uint64   // address of the kernel.Thread that ran
	ThreadName [16]byte // zero-padded

	Time    int64  // wall clock, seconds since 1970
	Counter uint64 // arch.Counter, in ticks of CounterHz
	Hz      uint64

	RootTable uint64 // physical address of the top-level translation table
	ImageID   uint64 // see ImageID
	Image     [2]uint64
	Record    uint64 // address of bugcheck.LastStop

	Text  [160]byte  // what happened, if the code alone does not say; zero-padded
	Trace [48]uint64 // back trace of CPU: the instruction, or a return address, then return addresses

	Processors [MaxCPUs]Processor

	// Bit n: processor n called to stop the machine. Of its registers in PRSTATUS
	// only the program counter, that of the call, and the stack and frame pointers
	// are known, and on x86-64 the bases of FS and GS; the others are zero.
	Called uint32
	_      uint32
}

// Processor is one processor of the machine, by number.
type Processor struct {
	Block  uint64 // address of its arch.CPU
	Thread uint64 // address of the kernel.Thread that ran there
	Frame  uint64 // address of the arch.Frame with its registers, or 0
	IRQL   uint32
	Kernel uint32 // 1 if kernel context was interrupted, 0 if Go code
}

// Sizes of the parts of a file.
const (
	HeaderSize   = 64 // ELF header
	SegmentSize  = 56 // program header
	NoteOverhead = 12 // of a note, plus its name and content, each padded to 4
	PageSize     = 4096
)

// Machines, e_machine.
const (
	MachineAMD64 = 62
	MachineARM64 = 183
)

// Status is what precedes the registers in struct elf_prstatus (Linux
// include/linux/elfcore.h, 64-bit).
type Status struct {
	Signal, SignalCode, Errno int32
	Current                   int16
	_                         int16
	Pending, Held             uint64
	PID                       int32 // number of the processor, plus one
	Parent, Group, Session    int32
	Times                     [4][2]uint64
}

// RegistersAMD64 is user_regs_struct of x86-64 (Linux
// arch/x86/include/asm/user_64.h).
type RegistersAMD64 struct {
	R15, R14, R13, R12, BP, BX, R11, R10, R9, R8 uint64
	AX, CX, DX, SI, DI, OrigAX                   uint64
	IP, CS, Flags, SP, SS                        uint64
	FSBase, GSBase, DS, ES, FS, GS               uint64
}

// RegistersARM64 is user_pt_regs of ARM64 (Linux
// arch/arm64/include/uapi/asm/ptrace.h).
type RegistersARM64 struct {
	X              [31]uint64
	SP, PC, PState uint64
}

// PRStatusAMD64 is a whole NT_PRSTATUS note on x86-64, 336 bytes.
type PRStatusAMD64 struct {
	Status
	Registers RegistersAMD64
	FPValid   int32
	_         int32
}

// PRStatusARM64 is a whole NT_PRSTATUS note on ARM64, 392 bytes.
type PRStatusARM64 struct {
	Status
	Registers RegistersARM64
	FPValid   int32
	_         int32
}

// fnvOffset and fnvPrime are those of FNV-1a with 64 bits.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// ImageID identifies the program by its instructions, so that a debugger can
// tell whether it has the right one: FNV-1a over the 8-byte words from symbol
// runtime.text up to runtime.etext. What is left of the last one is ignored.
func ImageID(word func(i int) uint64, words int) uint64 {
	h := uint64(fnvOffset)
	for i := range words {
		h = (h ^ word(i)) * fnvPrime
	}
	return h
}
