package bench

// instructionsPerTick is how many instructions arch.Counter takes for a tick
// under -icount shift=0: CNTVCT_EL0 counts at 62.5 MHz.
const instructionsPerTick = 16
