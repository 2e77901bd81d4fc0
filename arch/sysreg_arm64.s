// System registers and calls of the machine around the processor; package
// board decides when.

#include "textflag.h"
#include "zz_offsets_arm64.h"

// Acknowledging must be done before the device is touched, hence DSB.
TEXT ·AcknowledgeInterrupt(SB),NOSPLIT|NOFRAME,$0-8
	MRS	ICC_IAR1_EL1, R0
	DSB	$15
	MOVD	R0, ret+0(FP)
	RET

TEXT ·EndInterrupt(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	id+0(FP), R0
	MSR	R0, ICC_EOIR1_EL1
	ISB	$15
	RET

// DSB makes what was written before visible to the interrupted processor.
TEXT ·SendSGI(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	v+0(FP), R0
	DSB	$10
	MSR	R0, ICC_SGI1R_EL1
	ISB	$15
	RET

// Interrupts are off so that the processor is still this one when it sends.
TEXT ·SendSelfSGI(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	id+0(FP), R0
	MRS	DAIF, R1
	MSR	$2, DAIFSet
	MRS	TPIDR_EL1, R2
	MOVD	CPU_machine_selfSGI(R2), R2
	ORR	R0<<24, R2
	MSR	R2, ICC_SGI1R_EL1
	ISB	$15
	MSR	R1, DAIF
	RET

TEXT ·EnableGroup1(SB),NOSPLIT|NOFRAME,$0
	MSR	ZR, ICC_BPR1_EL1
	MRS	ICC_CTLR_EL1, R0
	BIC	$3, R0
	MSR	R0, ICC_CTLR_EL1
	MOVD	$1, R0
	MSR	R0, ICC_IGRPEN1_EL1
	ISB	$15
	RET

TEXT ·enableSystemInterface(SB),NOSPLIT|NOFRAME,$0
	MRS	ICC_SRE_EL1, R0
	ORR	$1, R0
	MSR	R0, ICC_SRE_EL1
	ISB	$15
	RET

TEXT ·SetTimerCompare(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	v+0(FP), R0
	MSR	R0, CNTV_CVAL_EL0
	ISB	$15
	RET

TEXT ·SetTimerControl(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	v+0(FP), R0
	MSR	R0, CNTV_CTL_EL0
	ISB	$15
	RET

TEXT ·CounterFrequency(SB),NOSPLIT|NOFRAME,$0-8
	MRS	CNTFRQ_EL0, R0
	MOVD	R0, ret+0(FP)
	RET

TEXT ·readMPIDR(SB),NOSPLIT|NOFRAME,$0-8
	MRS	MPIDR_EL1, R0
	MOVD	R0, ret+0(FP)
	RET

TEXT ·ReadISAR0(SB),NOSPLIT|NOFRAME,$0-8
	MRS	ID_AA64ISAR0_EL1, R0
	MOVD	R0, ret+0(FP)
	RET

TEXT ·startCycleCounter(SB),NOSPLIT|NOFRAME,$0
	MSR	ZR, PMCCFILTR_EL0
	MOVD	$(1<<31), R0
	MSR	R0, PMCNTENSET_EL0
	MRS	PMCR_EL0, R0
	ORR	$(1<<6 | 1<<0), R0	// LC: 64 bits; E
	MSR	R0, PMCR_EL0
	ISB	$15
	RET

TEXT ·setVectors(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	base+0(FP), R0
	MSR	R0, VBAR_EL1
	ISB	$15
	RET

TEXT ·setThisCPU(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	c+0(FP), R0
	MSR	R0, TPIDR_EL1
	RET

TEXT ·HVC(SB),NOSPLIT|NOFRAME,$0-40
	MOVD	fn+0(FP), R0
	MOVD	a+8(FP), R1
	MOVD	b+16(FP), R2
	MOVD	c+24(FP), R3
	HVC	$0
	MOVD	R0, ret+32(FP)
	RET

TEXT ·SMC(SB),NOSPLIT|NOFRAME,$0-40
	MOVD	fn+0(FP), R0
	MOVD	a+8(FP), R1
	MOVD	b+16(FP), R2
	MOVD	c+24(FP), R3
	SMC	$0
	MOVD	R0, ret+32(FP)
	RET

TEXT ·Semihost(SB),NOSPLIT|NOFRAME,$0-24
	MOVD	op+0(FP), R0
	MOVD	arg+8(FP), R1
	HLT	$0xF000
	MOVD	R0, ret+16(FP)
	RET
