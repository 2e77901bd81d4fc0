package arch

// Prot says what a mapping of the kernel's address space allows. Reading is
// always allowed.
type Prot uint8

const (
	ProtWrite  Prot = 1 << iota // stores
	ProtExec                    // instruction fetches
	ProtDevice                  // uncached, in order
)
