package linux

// vdsoName is what runtime.vdsoSymbolKeys looks for.
const vdsoName = "__vdso_clock_gettime"

// hardwareCapabilities is AT_HWCAP, which nobody reads here: programs ask CPUID.
func hardwareCapabilities() uintptr { return 0 }
