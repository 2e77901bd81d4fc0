package linux

// vdsoName is what runtime.vdsoSymbolKeys looks for.
const vdsoName = "__kernel_clock_gettime"

// Capabilities of AT_HWCAP (arch/arm64/include/uapi/asm/hwcap.h).
const (
	capFP     = 1 << 0
	capASIMD  = 1 << 1
	capAES    = 1 << 3
	capPMULL  = 1 << 4
	capSHA1   = 1 << 5
	capSHA2   = 1 << 6
	capCRC32  = 1 << 7
	capAtomic = 1 << 8
	capSHA512 = 1 << 21
)

// hardwareCapabilities derives AT_HWCAP from ID_AA64ISAR0_EL1 (Arm ARM,
// D19.2.61): fields of four bits, a value for each step of support.
func hardwareCapabilities() uintptr {
	features := instructionSet()
	field := func(shift uint) uint64 { return features >> shift & 0xf }
	caps := uintptr(capFP | capASIMD)
	if aes := field(4); aes >= 1 {
		caps |= capAES
		if aes >= 2 {
			caps |= capPMULL
		}
	}
	if field(8) >= 1 {
		caps |= capSHA1
	}
	if sha2 := field(12); sha2 >= 1 {
		caps |= capSHA2
		if sha2 >= 2 {
			caps |= capSHA512
		}
	}
	if field(16) >= 1 {
		caps |= capCRC32
	}
	if field(20) >= 2 {
		caps |= capAtomic
	}
	return caps
}

// instructionSet reads ID_AA64ISAR0_EL1; defined in vdso_arm64.s.
func instructionSet() uint64
