package bench

// instructionsPerTick is how many instructions arch.Counter takes for a tick
// under -icount shift=0: the TSC counts nanoseconds then.
const instructionsPerTick = 1
