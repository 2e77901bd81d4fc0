package arch

// CompareExchange128 stores low and high at p, which is aligned to 16 bytes, if
// what is there is what is at comparand, and reports whether it was. What was
// there is at comparand then. Defined in exchange_*.s.
//
//go:noescape
func CompareExchange128(p *[2]uint64, high, low uint64, comparand *[2]uint64) bool
