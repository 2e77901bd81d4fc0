package wdk

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
)

// LOGICAL_PROCESSOR_RELATIONSHIP says what processors have in common.
type LOGICAL_PROCESSOR_RELATIONSHIP ULONG

const (
	RelationProcessorCore    LOGICAL_PROCESSOR_RELATIONSHIP = 0
	RelationNumaNode         LOGICAL_PROCESSOR_RELATIONSHIP = 1
	RelationCache            LOGICAL_PROCESSOR_RELATIONSHIP = 2
	RelationProcessorPackage LOGICAL_PROCESSOR_RELATIONSHIP = 3
	RelationGroup            LOGICAL_PROCESSOR_RELATIONSHIP = 4
	RelationAll              LOGICAL_PROCESSOR_RELATIONSHIP = 0xFFFF
)

// PROCESSOR_RELATIONSHIP describes a core or a package.
type PROCESSOR_RELATIONSHIP struct {
	Flags           UCHAR
	EfficiencyClass UCHAR
	Reserved        [20]UCHAR
	GroupCount      USHORT
	GroupMask       [1]GROUP_AFFINITY
}

// NUMA_NODE_RELATIONSHIP describes a node.
type NUMA_NODE_RELATIONSHIP struct {
	NodeNumber ULONG
	Reserved   [18]UCHAR
	GroupCount USHORT
	GroupMask  GROUP_AFFINITY
}

// PROCESSOR_GROUP_INFO describes a group.
type PROCESSOR_GROUP_INFO struct {
	MaximumProcessorCount UCHAR
	ActiveProcessorCount  UCHAR
	Reserved              [38]UCHAR
	ActiveProcessorMask   KAFFINITY
}

// GROUP_RELATIONSHIP describes the groups.
type GROUP_RELATIONSHIP struct {
	MaximumGroupCount USHORT
	ActiveGroupCount  USHORT
	Reserved          [20]UCHAR
	GroupInfo         [1]PROCESSOR_GROUP_INFO
}

// SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX is the beginning of an entry of Size
// bytes. What follows it depends on Relationship; in C it is a union.
type SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX struct {
	Relationship LOGICAL_PROCESSOR_RELATIONSHIP
	Size         ULONG
}

// The public x64 layout.
var (
	_ [40 - unsafe.Sizeof(PROCESSOR_RELATIONSHIP{})]byte
	_ [40 - unsafe.Sizeof(NUMA_NODE_RELATIONSHIP{})]byte
	_ [72 - unsafe.Sizeof(GROUP_RELATIONSHIP{})]byte
)

// KeQueryLogicalProcessorRelationship stores entries at Information that say
// which processors share a core, a node, a package and a group, or only those of
// one processor. Each processor is a core of its own here, and all are in one
// package; of caches nothing is known.
//
// It returns STATUS_INFO_LENGTH_MISMATCH if they have more than Length bytes,
// which says then how many, and STATUS_INVALID_PARAMETER for an unknown
// relationship or a processor that does not exist.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeQueryLogicalProcessorRelationship function (wdm.h)"
func KeQueryLogicalProcessorRelationship(ProcessorNumber *PROCESSOR_NUMBER, RelationshipType LOGICAL_PROCESSOR_RELATIONSHIP, Information *SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX, Length *ULONG) NTSTATUS {
	atMost(irql.Dispatch)
	mayReach(unsafe.Pointer(ProcessorNumber), unsafe.Sizeof(*ProcessorNumber))
	mayReach(unsafe.Pointer(Information), unsafe.Sizeof(*Information))
	mustReach(unsafe.Pointer(Length), unsafe.Sizeof(*Length))
	first, n := ULONG(0), atomic.LoadUint32(&arch.NumCPUs)
	if ProcessorNumber != nil {
		if first = KeGetProcessorIndexFromNumber(ProcessorNumber); first == INVALID_PROCESSOR_INDEX {
			return STATUS_INVALID_PARAMETER
		}
		n = 1
	}
	if RelationshipType > RelationGroup && RelationshipType != RelationAll {
		return STATUS_INVALID_PARAMETER
	}
	var e relations
	if Information != nil {
		e.to = unsafe.Slice((*byte)(unsafe.Pointer(Information)), *Length)
	}
	all := GROUP_AFFINITY{Mask: KeQueryActiveProcessors()}
	wanted := func(r LOGICAL_PROCESSOR_RELATIONSHIP) bool {
		return RelationshipType == r || RelationshipType == RelationAll
	}
	if wanted(RelationProcessorCore) {
		for cpu := first; cpu < first+n; cpu++ {
			add(&e, RelationProcessorCore, &PROCESSOR_RELATIONSHIP{GroupCount: 1, GroupMask: [1]GROUP_AFFINITY{{Mask: 1 << cpu}}})
		}
	}
	if wanted(RelationNumaNode) {
		add(&e, RelationNumaNode, &NUMA_NODE_RELATIONSHIP{GroupCount: 1, GroupMask: all})
	}
	if wanted(RelationProcessorPackage) {
		add(&e, RelationProcessorPackage, &PROCESSOR_RELATIONSHIP{GroupCount: 1, GroupMask: [1]GROUP_AFFINITY{all}})
	}
	if wanted(RelationGroup) {
		add(&e, RelationGroup, &GROUP_RELATIONSHIP{MaximumGroupCount: 1, ActiveGroupCount: 1, GroupInfo: [1]PROCESSOR_GROUP_INFO{{
			MaximumProcessorCount: arch.MaxCPUs, ActiveProcessorCount: UCHAR(KeQueryActiveProcessorCount(nil)), ActiveProcessorMask: all.Mask,
		}}})
	}
	fits := e.need <= ULONG(len(e.to))
	*Length = e.need
	if !fits {
		return STATUS_INFO_LENGTH_MISMATCH
	}
	return STATUS_SUCCESS
}

// relations are entries that are being written, as far as they fit.
type relations struct {
	to   []byte
	need ULONG
}

// add writes an entry.
func add[T any](e *relations, r LOGICAL_PROCESSOR_RELATIONSHIP, body *T) {
	const header = ULONG(unsafe.Sizeof(SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX{}))
	size := header + ULONG(unsafe.Sizeof(*body))
	at := e.need
	e.need += size
	if e.need > ULONG(len(e.to)) {
		return
	}
	to := e.to[at:e.need]
	binary.LittleEndian.PutUint32(to, ULONG(r))
	binary.LittleEndian.PutUint32(to[4:], size)
	copy(to[header:], unsafe.Slice((*byte)(unsafe.Pointer(body)), unsafe.Sizeof(*body)))
}
