package bugcheck

// Stop ends everything (KeBugCheckEx).
//
// IRQL: any
func Stop(code Code, p1, p2, p3, p4 uintptr) {
	for {
	}
}
