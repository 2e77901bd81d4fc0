package main

import (
	"fmt"
	"os"
	"unsafe"

	"irqlab/disk"
	"irqlab/disk/layout"
	"irqlab/paging"
	. "irqlab/wdk"
)

func init() { stops["once"] = once }

// once stops the machine, unless the disk's dump file shows that this has happened
// before.
func once() {
	pa := paging.AllocContiguous(layout.PageSize, ^uintptr(0))
	disk.Read(0, pa, layout.PageSize)
	at := (*layout.Header)(unsafe.Pointer(pa)).DumpFile.Offset
	disk.Read(at, pa, layout.PageSize)
	if f := (*layout.File)(unsafe.Pointer(pa)); f.State == layout.Unread {
		fmt.Printf("this machine has stopped before, with %#x\n", f.Code)
		os.Exit(0)
	}
	KeBugCheck(0xE2)
}
