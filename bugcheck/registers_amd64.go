package bugcheck

import "irqlab/arch"

// registers prints the general registers in the order WinDbg's r command does.
func registers(f *arch.Frame) {
	for _, r := range [...]struct {
		name  string
		value uint64
	}{
		{"rax", f.AX}, {" rbx", f.BX}, {" rcx", f.CX},
		{"\nrdx", f.DX}, {" rsi", f.SI}, {" rdi", f.DI},
		{"\nrip", f.IP}, {" rsp", f.StackPointer}, {" rbp", f.BP},
		{"\n r8", f.R8}, {"  r9", f.R9}, {" r10", f.R10},
		{"\nr11", f.R11}, {" r12", f.R12}, {" r13", f.R13},
		{"\nr14", f.R14}, {" r15", f.R15}, {" efl", f.Flags},
	} {
		text(r.name)
		text("=")
		hex(uintptr(r.value), 16)
	}
	text("\nvector ")
	short(uintptr(f.Vector))
	text("  error ")
	short(uintptr(f.Error))
	text("\n")
}
