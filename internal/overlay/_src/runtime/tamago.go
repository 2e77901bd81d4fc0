package runtime

import "runtime/goos"

// MemRegion returns the bounds of the memory that TamaGo's drivers must leave
// to Go.
func MemRegion() (start, end uint64) {
	return uint64(goos.RamStart), uint64(goos.RamStart) + uint64(goos.RamSize)
}

// TextRegion returns the bounds of the program's code.
func TextRegion() (start, end uint64) {
	return uint64(firstmoduledata.text), uint64(firstmoduledata.etext)
}

// CPU returns the processor's name, which TamaGo's runtime learns at boot and
// the stock one does not.
func CPU() string { return GOARCH }
