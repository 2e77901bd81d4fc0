// Single instructions that Go has no name for.

#include "textflag.h"
#include "zz_offsets_amd64.h"

TEXT ·In8(SB),NOSPLIT|NOFRAME,$0-9
	MOVW	port+0(FP), DX
	XORL	AX, AX
	INB
	MOVB	AX, ret+8(FP)
	RET

TEXT ·Out8(SB),NOSPLIT|NOFRAME,$0-3
	MOVW	port+0(FP), DX
	MOVB	v+2(FP), AX
	OUTB
	RET

TEXT ·Out16(SB),NOSPLIT|NOFRAME,$0-4
	MOVW	port+0(FP), DX
	MOVW	v+2(FP), AX
	OUTW
	RET

TEXT ·Out32(SB),NOSPLIT|NOFRAME,$0-8
	MOVW	port+0(FP), DX
	MOVL	v+4(FP), AX
	OUTL
	RET

TEXT ·In32(SB),NOSPLIT|NOFRAME,$0-12
	MOVW	port+0(FP), DX
	INL
	MOVL	AX, ret+8(FP)
	RET

TEXT ·ReadMSR(SB),NOSPLIT|NOFRAME,$0-16
	MOVL	msr+0(FP), CX
	RDMSR
	SHLQ	$32, DX
	ORQ	DX, AX
	MOVQ	AX, ret+8(FP)
	RET

TEXT ·WriteMSR(SB),NOSPLIT|NOFRAME,$0-16
	MOVL	msr+0(FP), CX
	MOVQ	v+8(FP), AX
	MOVQ	AX, DX
	SHRQ	$32, DX
	WRMSR
	RET

TEXT ·readCR2(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ	CR2, AX
	MOVQ	AX, ret+0(FP)
	RET

TEXT ·RootTable(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ	CR3, AX
	MOVQ	AX, ret+0(FP)
	RET

TEXT ·FlushPage(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ	va+0(FP), AX
	INVLPG	(AX)
	RET

TEXT ·FlushTLB(SB),NOSPLIT|NOFRAME,$0
	MOVQ	CR3, AX
	MOVQ	AX, CR3
	RET

// STI holds interrupts off for one instruction, so none can slip in between
// the caller's last look and HLT (Intel SDM vol. 2, STI).
TEXT ·Halt(SB),NOSPLIT|NOFRAME,$0
	STI
	HLT
	CLI
	RET

TEXT ·Breakpoint(SB),NOSPLIT|NOFRAME,$0
	BYTE $0xCC
	RET

TEXT ·loadGDT(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ	p+0(FP), AX
	LGDT	(AX)
	MOVW	$0x10, AX
	MOVW	AX, DS
	MOVW	AX, ES
	MOVW	AX, SS
	RET

TEXT ·loadIDT(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ	p+0(FP), AX
	LIDT	(AX)
	RET

TEXT ·loadTR(SB),NOSPLIT|NOFRAME,$0-2
	MOVW	sel+0(FP), AX
	LTR	AX
	RET

TEXT ·saveFP(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ	p+0(FP), DI
	CMPL	·haveXSAVE(SB), $0
	JEQ	legacy
	MOVL	$-1, AX
	MOVL	$-1, DX
	XSAVE64	(DI)
	RET
legacy:
	FXSAVE64	(DI)
	RET

// Read-only data has several sections; the last ends where the writable segment
// starts, which is with small tables of the linker's before the first symbol.
TEXT ·ImageBounds(SB),NOSPLIT|NOFRAME,$0-48
	LEAQ	runtime·text(SB), AX
	MOVQ	AX, text+0(FP)
	LEAQ	runtime·etext(SB), AX
	MOVQ	AX, etext+8(FP)
	LEAQ	runtime·rodata(SB), AX
	MOVQ	AX, rodata+16(FP)
	LEAQ	runtime·noptrdata(SB), AX
	ANDQ	$~(const_PageSize-1), AX
	MOVQ	AX, erodata+24(FP)
	MOVQ	AX, data+32(FP)
	LEAQ	runtime·end(SB), AX
	MOVQ	AX, end+40(FP)
	RET

TEXT ·GoEntry(SB),NOSPLIT|NOFRAME,$0-8
	LEAQ	_rt0_amd64_linux(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

TEXT ·SecondaryStart(SB),NOSPLIT|NOFRAME,$0-8
	LEAQ	·secondaryStart(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
