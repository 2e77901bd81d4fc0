package arch

// cpuState is the architecture's part of a processor's block.
type cpuState struct {
	boot      Stack  // where the processor starts
	emergency Stack  // where a frame is made when the kernel stack has overflowed
	affinity  uint64 // MPIDR_EL1.Aff3 to Aff0, the processor's name for PSCI and the GIC
	selfSGI   uint64 // ICC_SGI1R_EL1 value that targets this processor, without INTID
	_         [2]uint64
}
