package wdk

import (
	"unsafe"

	"irqlab/irql"
)

// KeInitializeSemaphore makes Semaphore one with the given count and limit, with
// 0 <= Count <= Limit and Limit > 0.
//
// IRQL: PASSIVE_LEVEL
//
// Documentation: "KeInitializeSemaphore function (wdm.h)"
func KeInitializeSemaphore(Semaphore PRKSEMAPHORE, Count, Limit LONG) {
	atMost(irql.Passive)
	mayBecome(&aSemaphore, unsafe.Pointer(Semaphore))
	Semaphore.Init(Count, Limit)
}

// KeReleaseSemaphore adds Adjustment to the count and returns the count before.
// Beyond the limit it raises STATUS_SEMAPHORE_LIMIT_EXCEEDED and changes
// nothing. With Wait the caller goes on to wait at once: the level stays raised
// until then.
//
// IRQL: <= DISPATCH_LEVEL; PASSIVE_LEVEL with Wait
//
// Documentation: "KeReleaseSemaphore function (wdm.h)"
func KeReleaseSemaphore(Semaphore PRKSEMAPHORE, Increment KPRIORITY, Adjustment LONG, Wait BOOLEAN) LONG {
	mustBe(&aSemaphore, unsafe.Pointer(Semaphore))
	if Wait {
		atMost(irql.Passive)
		return Semaphore.ReleaseBeforeWait(int8(Increment), Adjustment)
	}
	atMost(irql.Dispatch)
	return Semaphore.Release(int8(Increment), Adjustment)
}

// KeReadStateSemaphore returns the count.
//
// IRQL: any
//
// Documentation: "KeReadStateSemaphore function (wdm.h)"
func KeReadStateSemaphore(Semaphore PRKSEMAPHORE) LONG {
	mustBe(&aSemaphore, unsafe.Pointer(Semaphore))
	return Semaphore.State()
}
