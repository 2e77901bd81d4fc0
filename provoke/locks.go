package provoke

import (
	"unsafe"

	. "irqlab/wdk"
)

func raiseToLower() {
	var old KIRQL
	KeRaiseIrql(DISPATCH_LEVEL, &old)
	KeRaiseIrql(APC_LEVEL, &old)
}

func badEvent() {
	var old KIRQL
	KeRaiseIrql(DISPATCH_LEVEL, &old)
	KeSetEvent((*KEVENT)(unsafe.Add(nothing, 1<<37)), 0, false)
}

func touchAtDispatch() {
	var old KIRQL
	KeRaiseIrql(DISPATCH_LEVEL, &old)
	*(*int)(unsafe.Add(nothing, 1<<37)) = 1
}

func waitForTooMany() {
	e := object[KEVENT]()
	KeInitializeEvent(e, NotificationEvent, true)
	objects := make([]PVOID, MAXIMUM_WAIT_OBJECTS+1)
	for i := range objects {
		objects[i] = PVOID(e)
	}
	blocks := object[[MAXIMUM_WAIT_OBJECTS + 1]KWAIT_BLOCK]()
	KeWaitForMultipleObjects(ULONG(len(objects)), objects, WaitAny, Executive, KernelMode, false, nil, &blocks[0])
}

func acquireTwice() {
	l := object[KSPIN_LOCK]()
	KeInitializeSpinLock(l)
	KeAcquireSpinLockRaiseToDpc(l)
	KeAcquireSpinLockAtDpcLevel(l)
}

func releaseUnowned() {
	l := object[KSPIN_LOCK]()
	KeInitializeSpinLock(l)
	KeReleaseSpinLock(l, KeRaiseIrqlToDpcLevel())
}

func fastMutexTwice() {
	m := object[FAST_MUTEX]()
	ExInitializeFastMutex(m)
	ExAcquireFastMutex(m)
	ExAcquireFastMutex(m)
}

func resource() *ERESOURCE {
	r := object[ERESOURCE]()
	ExInitializeResourceLite(r)
	KeEnterCriticalRegion()
	return r
}

func releaseResource() { ExReleaseResourceLite(resource()) }

func badOwnerPointer() {
	r := resource()
	ExAcquireResourceExclusiveLite(r, true)
	ExSetResourceOwnerPointer(r, PVOID(r)) // its two low bits must be set
}

func initializeInUse() {
	e := object[KEVENT]()
	KeInitializeEvent(e, NotificationEvent, false)
	var h HANDLE
	PsCreateSystemThread(&h, SYNCHRONIZE, nil, 0, nil, func(PVOID) {
		KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, nil)
	}, nil)
	delay := -LARGE_INTEGER(1e6)
	KeDelayExecutionThread(KernelMode, false, &delay)
	KeInitializeEvent(e, NotificationEvent, false)
	KeInitializeEvent(e, NotificationEvent, false)
}
