package sync

import "unsafe"

// The public x64 sizes.
const (
	_ = uint(24 - unsafe.Sizeof(Event{}))
	_ = uint(unsafe.Sizeof(Event{}) - 24)
	_ = uint(56 - unsafe.Sizeof(Mutex{}))
	_ = uint(unsafe.Sizeof(Mutex{}) - 56)
	_ = uint(32 - unsafe.Sizeof(Semaphore{}))
	_ = uint(unsafe.Sizeof(Semaphore{}) - 32)
	_ = uint(0x18 - unsafe.Offsetof(Semaphore{}.Limit))
	_ = uint(64 - unsafe.Sizeof(Timer{}))
	_ = uint(unsafe.Sizeof(Timer{}) - 64)
	_ = uint(56 - unsafe.Sizeof(FastMutex{}))
	_ = uint(unsafe.Sizeof(FastMutex{}) - 56)
	_ = uint(0x08 - unsafe.Offsetof(FastMutex{}.Owner))
	_ = uint(0x18 - unsafe.Offsetof(FastMutex{}.Event))
	_ = uint(0x30 - unsafe.Offsetof(FastMutex{}.OldIRQL))
	_ = uint(56 - unsafe.Sizeof(GuardedMutex{}))
	_ = uint(unsafe.Sizeof(GuardedMutex{}) - 56)
	_ = uint(0x18 - unsafe.Offsetof(GuardedMutex{}.Gate))
	_ = uint(0x30 - unsafe.Offsetof(GuardedMutex{}.KernelAPCDisable))
	_ = uint(8 - unsafe.Sizeof(PushLock{}))
	_ = uint(104 - unsafe.Sizeof(Resource{}))
	_ = uint(unsafe.Sizeof(Resource{}) - 104)
	_ = uint(0x18 - unsafe.Offsetof(Resource{}.ActiveCount))
	_ = uint(0x28 - unsafe.Offsetof(Resource{}.ExclusiveWaiters))
	_ = uint(0x30 - unsafe.Offsetof(Resource{}.Owner))
	_ = uint(0x4C - unsafe.Offsetof(Resource{}.NumberOfExclusiveWaiters))
	_ = uint(0x60 - unsafe.Offsetof(Resource{}.Lock))
	_ = uint(16 - unsafe.Sizeof(OwnerEntry{}))
)
