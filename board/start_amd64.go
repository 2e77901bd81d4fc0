package board

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"

	"github.com/usbarmory/tamago/amd64/lapic"
)

// Init prepares console, memory map and command line. Boot processor, once. It
// reports whether the loader's information was usable.
func Init() bool {
	initConsole()
	ok := initMemory()
	offerMemory()
	return ok
}

// Calibrate measures the counters' frequencies; InitCPU comes first.
func Calibrate() { calibrate() }

// trampolinePage is where a startup IPI makes a processor begin, in real mode:
// vector 0x08 (Intel SDM vol. 3A, 9.4.4).
const (
	trampolinePage = 0x8000
	trampolineData = 0x8F00
)

// trampoline goes from real mode straight to 64-bit mode, on the boot
// processor's first page tables at 0x10000, and jumps to the address in
// trampolineData+0x40 with a processor number of its own in EDI and a stack
// top in RSI.
var trampoline = [...]byte{
	0xfa,       // cli
	0xfc,       // cld
	0x31, 0xc0, // xor ax, ax
	0x8e, 0xd8, // mov ds, ax
	0x66, 0xb8, 0x20, 0x06, 0x00, 0x00, // mov eax, CR4: PAE|OSFXSR|OSXMMEXCPT
	0x0f, 0x22, 0xe0, // mov cr4, eax
	0x66, 0xb8, 0x00, 0x00, 0x01, 0x00, // mov eax, 0x10000
	0x0f, 0x22, 0xd8, // mov cr3, eax
	0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0, // mov ecx, EFER
	0x0f, 0x32, // rdmsr
	0x66, 0x0d, 0x01, 0x09, 0x00, 0x00, // or eax, SCE|LME|NXE
	0x0f, 0x30, // wrmsr
	0x66, 0x0f, 0x01, 0x16, 0x00, 0x8f, // lgdt [0x8f00]
	0x66, 0xb8, 0x23, 0x00, 0x01, 0x80, // mov eax, CR0: PG|WP|NE|MP|PE
	0x0f, 0x22, 0xc0, // mov cr0, eax
	0x66, 0xea, 0x80, 0x80, 0x00, 0x00, 0x08, 0x00, // jmp 8:0x8080
	0x80: 0x66, 0xb8, 0x10, 0x00, // mov ax, 0x10
	0x8e, 0xd8, // mov ds, ax
	0x8e, 0xc0, // mov es, ax
	0x8e, 0xd0, // mov ss, ax
	0xbf, 0x01, 0x00, 0x00, 0x00, // mov edi, 1
	0xf0, 0x0f, 0xc1, 0x3c, 0x25, 0x50, 0x8f, 0x00, 0x00, // lock xadd [0x8f50], edi
	0x83, 0xff, 0x08, // cmp edi, MaxCPUs
	0x72, 0x03, // jb .+3
	0xf4, 0xeb, 0xfd, // hlt: one processor too many
	0x48, 0x8b, 0x34, 0xfd, 0x60, 0x8f, 0x00, 0x00, // mov rsi, [0x8f60+rdi*8]
	0x48, 0x8b, 0x04, 0x25, 0x40, 0x8f, 0x00, 0x00, // mov rax, [0x8f40]
	0xff, 0xe0, // jmp rax
}

// StartPages returns the memory where a starting processor's first instructions
// are, which must be executable meanwhile.
func StartPages() (lo, hi uintptr) { return trampolinePage, trampolinePage + arch.PageSize }

// StartCPUs starts processors 1 to n-1, each on the stack whose top is in
// stacks, and returns the number of processors that run: those that have not
// reported in time are left out.
func StartCPUs(n uint32, stacks *[arch.MaxCPUs]uintptr) uint32 {
	if n == 1 {
		return 1
	}
	page := (*[4096]byte)(unsafe.Pointer(uintptr(trampolinePage)))
	copy(page[:], trampoline[:])
	data := uintptr(trampolineData)
	*(*uint16)(unsafe.Pointer(data)) = 23
	*(*uint32)(unsafe.Pointer(data + 2)) = trampolineData + 0x10
	*(*[3]uint64)(unsafe.Pointer(data + 0x10)) = [3]uint64{0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF}
	*(*uintptr)(unsafe.Pointer(data + 0x40)) = arch.SecondaryStart()
	next := (*uint32)(unsafe.Pointer(data + 0x50))
	*next = 1
	for i := range stacks {
		*(*uintptr)(unsafe.Pointer(data + 0x60 + uintptr(i)*8)) = stacks[i]
	}
	// INIT and SIPI (Intel SDM vol. 3A, 9.4.4). The 10 ms in between and a second
	// SIPI are for processors of the 1990s.
	writeLocal(lapic.LAPIC_ICRL, deliverInit|icrAssert|destAllExcept)
	writeLocal(lapic.LAPIC_ICRL, deliverSIPI|icrAssert|destAllExcept|trampolinePage>>12)
	up := uint32(1)
	for since := arch.Counter(); up < n && arch.Counter()-since < startPatience*counterHz; {
		if atomic.LoadUint32(&arch.CPUs[up].Started) != 0 {
			up++
		} else {
			arch.Pause()
		}
	}
	return up
}

// Exit leaves QEMU through isa-debug-exit, which turns the byte v into exit
// status v<<1|1. The agreed encoding makes status 0 unlike every failure of
// QEMU itself.
func Exit(status uint8) {
	arch.Out32(0xF4, uint32(0x10^status&0x7f))
	for {
		arch.Halt()
	}
}

// resetControl is the chipset's reset control register; the values make it
// a hard reset, at the edge of bit 2 (Intel ICH9 data sheet, 13.7.5).
const (
	resetControl = 0xCF9
	resetArmed   = 0x02
	resetNow     = 0x06
)

// Reset starts the machine anew.
func Reset() {
	arch.Out8(resetControl, resetArmed)
	arch.Out8(resetControl, resetNow)
	for {
		arch.Halt()
	}
}

// fw_cfg's I/O interface and the item that says how many processors there are
// (QEMU docs/specs/fw_cfg.rst).
const (
	fwSelect = 0x510
	fwData   = 0x511
	fwCPUs   = 0x05
)

// CPUCount returns the number of processors of the machine.
func CPUCount() uint32 {
	arch.Out16(fwSelect, fwCPUs)
	n := uint32(arch.In8(fwData))
	return max(n|uint32(arch.In8(fwData))<<8, 1)
}
