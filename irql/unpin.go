package irql

// Unpin undoes what a raise did to the goroutine, but not the level: for a call
// that gives up the goroutine's P while raised, and returns with the level
// lowered by the kernel. Nothing may come between the two, or the goroutine
// could be moved.
//
//go:nosplit
func Unpin() { procUnpin() }
