package badinput

// interlockedUnaligned is what comes of an interlocked operation on what is not
// aligned: an alignment fault, STATUS_DATATYPE_MISALIGNMENT (Arm ARM, "Unaligned data
// access").
func interlockedUnaligned(string) string { return "raises 0x80000002" }
