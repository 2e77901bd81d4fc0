// Boot of x86-64 processors: PVH entry of the first, trampoline target of the
// others.

#include "textflag.h"
#include "zz_offsets_amd64.h"

// Low memory that firmware leaves free: a stack for the 32-bit part, the AP
// trampoline of package board at 0x8000, and the first page tables.
#define LOW_STACK	0x7000
#define PML4		0x10000
#define PDPT		0x11000
#define PDS		0x12000	// four page directories: 4 GiB in 2 MiB pages
#define GDT		0x16000

// start is the ELF entry. QEMU enters it by the PVH protocol (Xen
// docs/misc/pvh.pandoc): 32-bit protected mode, paging off, flat segments, EBX
// = physical address of hvm_start_info.
//
// Only instructions that encode alike in 32- and 64-bit mode may stand here
// until the far return.
TEXT ·start(SB),NOSPLIT|NOFRAME,$0
	CLI
	CLD
	MOVL	$LOW_STACK, SP
	// Zero the tables and build an identity map of the first 4 GiB.
	MOVL	$PML4, DI
	XORL	AX, AX
	MOVL	$(0x6000/4), CX
	REP; STOSL
	MOVL	$PML4, DI
	MOVL	$(PDPT|3), AX
	MOVL	AX, (DI)
	MOVL	$PDPT, DI
	MOVL	$(PDS|3), AX
	MOVL	$4, CX
pdpt:
	MOVL	AX, (DI)
	ADDL	$8, DI
	ADDL	$0x1000, AX
	SUBL	$1, CX
	JNE	pdpt
	MOVL	$PDS, DI
	MOVL	$0x83, AX	// present, writable, large
	MOVL	$(4*512), CX
pd:
	MOVL	AX, (DI)
	ADDL	$8, DI
	ADDL	$0x200000, AX
	SUBL	$1, CX
	JNE	pd
	// CR4: PAE, OSFXSR, OSXMMEXCPT (Intel SDM vol. 3A, 2.5).
	MOVL	$0x620, AX
	MOVQ	AX, CR4
	MOVL	$PML4, AX
	MOVQ	AX, CR3
	// EFER: SCE, LME, NXE.
	MOVL	$0xC0000080, CX
	RDMSR
	ORL	$0x901, AX
	WRMSR
	// CR0: PG, WP, NE, MP, PE.
	MOVL	$0x80010023, AX
	MOVQ	AX, CR0
	// A GDT with a 64-bit code segment, built by hand: static data cannot be
	// addressed before 64-bit mode.
	MOVL	$GDT, DI
	XORL	AX, AX
	MOVL	AX, (DI)
	MOVL	AX, 4(DI)
	MOVL	$0x0000FFFF, AX
	MOVL	AX, 8(DI)
	MOVL	AX, 16(DI)
	MOVL	$0x00AF9B00, AX
	MOVL	AX, 12(DI)
	MOVL	$0x00CF9300, AX
	MOVL	AX, 20(DI)
	MOVL	$(23 | (GDT&0xffff)<<16), AX
	MOVL	AX, 24(DI)
	MOVL	$(GDT>>16), AX
	MOVL	AX, 28(DI)
	ADDL	$24, DI
	LGDT	(DI)
	// The address of long: RIP-relative LEA means absolute here, so add what
	// 64-bit mode would have added, the address of the next instruction.
	LEAL	long<>(SB), AX
	BYTE	$0xE8; LONG $0	// CALL .+5
	POPQ	CX
	SUBL	$5, CX
	ADDL	CX, AX
	PUSHQ	$8
	PUSHQ	AX
	RETFL

TEXT long<>(SB),NOSPLIT|NOFRAME,$0
	MOVW	$0x10, AX
	MOVW	AX, DS
	MOVW	AX, ES
	MOVW	AX, SS
	MOVL	BX, BX
	MOVQ	BX, ·BootInfo(SB)
	LEAQ	·bootStack(SB), SP
	ADDQ	$const_bootStackSize, SP
	ANDQ	$~63, SP
	XORL	BP, BP
	CALL	features<>(SB)
	// A kernel g before any Go code, reached by FS:-8.
	LEAQ	·CPUs(SB), R13
	LEAQ	CPU_machine_fsBase(R13), AX
	MOVQ	AX, DX
	SHRQ	$32, DX
	MOVL	$0xC0000100, CX	// FS base
	WRMSR
	LEAQ	·bootG(SB), R14
	MOVQ	R14, CPU_machine_tls(R13)
	MOVQ	R14, CPU_KernelG(R13)
	PXOR	X15, X15
	CALL	·initBoot(SB)
	CALL	irqlab∕entry·boot(SB)
	UD2

// secondaryStart is entered from the trampoline: EDI = processor number, RSI =
// top of its boot stack, identity map on, interrupts disabled.
TEXT ·secondaryStart(SB),NOSPLIT|NOFRAME,$0
	MOVQ	SI, SP
	XORL	BP, BP
	MOVL	DI, R12
	MOVQ	SI, R11
	CALL	features<>(SB)
	MOVL	R12, AX
	IMULQ	$CPU__size, AX
	LEAQ	·CPUs(SB), R13
	ADDQ	AX, R13
	LEAQ	CPU_machine_fsBase(R13), AX
	MOVQ	AX, DX
	SHRQ	$32, DX
	MOVL	$0xC0000100, CX	// FS base
	WRMSR
	LEAQ	·bootG(SB), R14
	MOVQ	R14, CPU_machine_tls(R13)
	MOVQ	R14, CPU_KernelG(R13)
	PXOR	X15, X15
	SUBQ	$16, SP
	MOVQ	R12, 0(SP)
	CALL	·initSecondary(SB)
	MOVQ	R12, 0(SP)
	CALL	irqlab∕entry·secondary(SB)
	UD2

// features enables what this processor has: FSGSBASE, and XSAVE with x87, SSE
// and AVX state. Clobbers AX, BX, CX, DX, SI, R8.
TEXT features<>(SB),NOSPLIT|NOFRAME,$0
	MOVL	$1, AX
	XORL	CX, CX
	CPUID
	MOVL	CX, R8
	XORL	SI, SI
	XORL	AX, AX
	XORL	CX, CX
	CPUID
	CMPL	AX, $7
	JLT	noleaf7
	MOVL	$7, AX
	XORL	CX, CX
	CPUID
	MOVL	BX, SI
noleaf7:
	MOVQ	CR4, AX
	ORQ	$0x620, AX
	TESTL	$1, SI		// CPUID.7.EBX[0]: FSGSBASE
	JZ	nofsgsbase
	ORQ	$0x10000, AX
	MOVL	$1, ·haveFSGSBase(SB)
nofsgsbase:
	TESTL	$(1<<26), R8	// CPUID.1.ECX[26]: XSAVE
	JZ	noxsave
	ORQ	$0x40000, AX	// OSXSAVE
	MOVQ	AX, CR4
	MOVL	$3, AX
	TESTL	$(1<<28), R8	// CPUID.1.ECX[28]: AVX
	JZ	noavx
	MOVL	$7, AX
noavx:
	XORL	DX, DX
	XORL	CX, CX
	XSETBV
	MOVL	$1, ·haveXSAVE(SB)
	JMP	fpu
noxsave:
	MOVQ	AX, CR4
fpu:
	BYTE	$0xDB; BYTE $0xE3	// FNINIT, unknown to the assembler
	RET
