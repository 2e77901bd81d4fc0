package wdk

import (
	"unsafe"

	"irqlab/irql"
)

// KeInitializeMutex makes Mutex a free mutex. Level means nothing any more.
//
// IRQL: any
//
// Documentation: "KeInitializeMutex function (wdm.h)"
func KeInitializeMutex(Mutex PRKMUTEX, Level ULONG) {
	mayBecome(&aMutant, unsafe.Pointer(Mutex))
	Mutex.Init()
}

// KeReleaseMutex gives up one acquisition and returns the state before: 0 if
// that made the mutex free, less if the caller still owns it. A thread that does
// not own it raises STATUS_MUTANT_NOT_OWNED, or STATUS_ABANDONED. With Wait the
// caller goes on to wait at once: the level stays raised until then.
//
// IRQL: <= DISPATCH_LEVEL; <= APC_LEVEL with Wait
//
// Documentation: "KeReleaseMutex function (wdm.h)"
func KeReleaseMutex(Mutex PRKMUTEX, Wait BOOLEAN) LONG {
	mustBe(&aMutant, unsafe.Pointer(Mutex))
	if Wait {
		atMost(irql.APC)
		return Mutex.ReleaseBeforeWait()
	}
	atMost(irql.Dispatch)
	return Mutex.Release()
}

// KeReadStateMutex returns the mutex's state: 1 if it is free, else 0 or less.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeReadStateMutex function (wdm.h)"
func KeReadStateMutex(Mutex PRKMUTEX) LONG {
	atMostWith(irql.Dispatch, &aMutant, unsafe.Pointer(Mutex))
	return Mutex.State()
}

// KeInitializeMutant makes Mutant a mutant: a mutex that leaves its owner's APCs
// alone and is abandoned when the owner ends. It is free, or the caller's.
//
// IRQL: <= DISPATCH_LEVEL
//
// Documentation: "KeInitializeMutant function (ntifs.h)"
func KeInitializeMutant(Mutant PKMUTANT, InitialOwner BOOLEAN) {
	atMost(irql.Dispatch)
	mayBecome(&aMutant, unsafe.Pointer(Mutant))
	Mutant.InitMutant(InitialOwner)
}
