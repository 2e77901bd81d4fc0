package ob

import (
	"unsafe"

	"irqlab/kernel"
)

// SystemProcess is the body of a process (the KPROCESS in EPROCESS). There is one
// process, the system's: every thread belongs to it, and it never ends.
type SystemProcess struct {
	Header kernel.Header
	ID     uint32 // UniqueProcessId
	Name   [16]byte
}

// SystemID is the system process's ID.
const SystemID = 4

var system struct {
	info
	kernel.ObjectHeader
	body SystemProcess
}

func initSystem() {
	p := &system.body
	p.Header.Init(kernel.TypeProcess, unsafe.Sizeof(*p), 0)
	p.ID = SystemID
	copy(p.Name[:], "System")
	system.info.fix(Process, nil, "", nil)
}

// System returns the system process (PsInitialSystemProcess).
//
// IRQL: any
func System() *SystemProcess { return &system.body }
