package badinput

// interlockedUnaligned is what comes of an interlocked operation on what is not
// aligned: nothing, but for CMPXCHG16B, a general protection fault (Intel SDM volume
// 2A, CMPXCHG8B/CMPXCHG16B).
func interlockedUnaligned(name string) string {
	if name == "InterlockedCompareExchange128" {
		return violation
	}
	return anyReturn
}
