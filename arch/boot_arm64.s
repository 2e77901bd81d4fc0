// Boot of ARM64 processors: ELF entry of the first, PSCI entry of the others.

#include "textflag.h"
#include "zz_offsets_arm64.h"

// System registers that the assembler does not know, as their bits of MRS and
// MSR: op1<<16 | CRn<<12 | CRm<<8 | op2<<5 (Arm ARM DDI 0487, C5.1.2).
#define READ(reg, rt)	WORD $(0xd5380000 | (reg) | rt)
#define WRITE(reg, rt)	WORD $(0xd5180000 | (reg) | rt)
#define VPIDR_EL2	(4<<16 | 0<<12 | 0<<8 | 0<<5)
#define VMPIDR_EL2	(4<<16 | 0<<12 | 0<<8 | 5<<5)
#define HCR_EL2		(4<<16 | 1<<12 | 1<<8 | 0<<5)
#define MDCR_EL2	(4<<16 | 1<<12 | 1<<8 | 1<<5)
#define CPTR_EL2	(4<<16 | 1<<12 | 1<<8 | 2<<5)
#define HSTR_EL2	(4<<16 | 1<<12 | 1<<8 | 3<<5)
#define SPSR_EL2	(4<<16 | 4<<12 | 0<<8 | 0<<5)
#define ELR_EL2		(4<<16 | 4<<12 | 0<<8 | 1<<5)
#define ICC_SRE_EL2	(4<<16 | 12<<12 | 9<<8 | 5<<5)
#define ICH_HCR_EL2	(4<<16 | 12<<12 | 11<<8 | 0<<5)
#define CNTVOFF_EL2	(4<<16 | 14<<12 | 0<<8 | 3<<5)
#define CNTHCTL_EL2	(4<<16 | 14<<12 | 1<<8 | 0<<5)

// SCTLR_EL1: RES1 bits of Armv8.0, stack alignment check; MMU and caches off
// or on (Arm ARM, D19.2.118).
#define SCTLR_OFF	0x30D00808
#define SCTLR_ON	(SCTLR_OFF | 1<<0 | 1<<2 | 1<<12)

// MAIR_EL1: attribute 0 is normal write-back memory, 1 is device nGnRE.
#define MAIR		0x04ff

// TCR_EL1: 48-bit addresses, 4 KiB granule, walks cacheable and inner
// shareable; no walks by TTBR1_EL1 (EPD1), so that every address of the upper
// half is a translation fault. IPS is added.
#define TCR		(16<<0 | 1<<8 | 1<<10 | 3<<12 | 16<<16 | 1<<23)

// start is the ELF entry. QEMU enters it on the first processor with MMU and
// caches off, at EL1h, or at EL2h with -machine virtualization=on.
TEXT ·start(SB),NOSPLIT|NOFRAME,$0
	MSR	$15, DAIFSet
	CALL	dropToEL1<>(SB)
	MOVD	$·CPUs(SB), R19
	MOVD	$·stackMemory(SB), R0
	ADD	$(const_stackSlot-1), R0
	AND	$~(const_stackSlot-1), R0
	ADD	$const_stackSlot, R0
	MOVD	R0, RSP
	MOVD	$·bootG(SB), g
	MOVD	g, CPU_KernelG(R19)
	MOVD	$0, R29
	SUB	$16, RSP
	CALL	·buildTables(SB)
	CALL	enableMMU<>(SB)
	CALL	·initBoot(SB)
	CALL	irqlab∕entry·boot(SB)
	BRK	$0

// secondary is where PSCI CPU_ON starts the other processors, at the level the
// first one had, with MMU and caches off and R0 = the processor's CPU.
TEXT secondary<>(SB),NOSPLIT|NOFRAME,$0
	MSR	$15, DAIFSet
	MOVD	R0, R19
	CALL	dropToEL1<>(SB)
	CALL	enableMMU<>(SB)
	MOVD	CPU_machine_start(R19), R0
	MOVD	R0, RSP
	MOVD	$·bootG(SB), g
	MOVD	g, CPU_KernelG(R19)
	MOVD	$0, R29
	SUB	$16, RSP
	MOVD	R19, 8(RSP)
	CALL	·initSecondary(SB)
	MRS	TPIDR_EL1, R0
	MOVWU	CPU_ID(R0), R0
	MOVD	R0, 8(RSP)
	CALL	irqlab∕entry·secondary(SB)
	BRK	$0

TEXT ·SecondaryEntry(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	$secondary<>(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// dropToEL1 returns at EL1h, with FP and SIMD enabled. At EL2 it opens to EL1
// what a hypervisor would guard. Clobbers R0, R1.
TEXT dropToEL1<>(SB),NOSPLIT|NOFRAME,$0
	MOVD	$SCTLR_OFF, R0
	MSR	R0, SCTLR_EL1
	MOVD	$(3<<20), R0	// FPEN: no trap
	MSR	R0, CPACR_EL1
	ISB	$15
	MRS	CurrentEL, R0
	CMP	$(2<<2), R0
	BEQ	hypervisor
	MSR	$1, SPSel
	RET
hypervisor:
	MOVD	$(1<<31 | 1<<41 | 1<<40), R0	// RW: EL1 is AArch64; API, APK: pointer authentication
	WRITE(HCR_EL2, 0)
	MOVD	$3, R0	// EL1PCTEN, EL1PCEN: physical counter and timer
	WRITE(CNTHCTL_EL2, 0)
	WRITE(CNTVOFF_EL2, 31)
	MOVD	$0x33ff, R0	// RES1; no FP traps
	WRITE(CPTR_EL2, 0)
	WRITE(HSTR_EL2, 31)
	MRS	PMCR_EL0, R0
	UBFX	$11, R0, $5, R0	// N
	WRITE(MDCR_EL2, 0)	// HPMN: all event counters are EL1's
	MRS	MIDR_EL1, R0
	WRITE(VPIDR_EL2, 0)
	MRS	MPIDR_EL1, R0
	WRITE(VMPIDR_EL2, 0)
	READ(ICC_SRE_EL2, 0)
	ORR	$9, R0	// SRE, Enable: EL1 may use the GIC's system registers
	WRITE(ICC_SRE_EL2, 0)
	ISB	$15
	WRITE(ICH_HCR_EL2, 31)
	MOVD	$(const_pstateEL1h|const_pstateD|const_pstateA|const_pstateI|const_pstateF), R0
	WRITE(SPSR_EL2, 0)
	WRITE(ELR_EL2, 30)
	ERET

// enableMMU switches to the tables of buildTables. Clobbers R0, R1.
TEXT enableMMU<>(SB),NOSPLIT|NOFRAME,$0
	MOVD	$MAIR, R0
	MSR	R0, MAIR_EL1
	MRS	ID_AA64MMFR0_EL1, R1
	AND	$7, R1	// PARange; 5 is 48 bits, all that a 4 KiB granule has
	CMP	$5, R1
	BLS	2(PC)
	MOVD	$5, R1
	MOVD	$TCR, R0
	ORR	R1<<32, R0	// IPS
	MSR	R0, TCR_EL1
	MOVD	·rootTable(SB), R0
	MSR	R0, TTBR0_EL1
	ISB	$15
	TLBI	VMALLE1
	WORD	$0xd508751f	// IC IALLU
	DSB	$15
	ISB	$15
	MOVD	$SCTLR_ON, R0
	MSR	R0, SCTLR_EL1
	ISB	$15
	RET
