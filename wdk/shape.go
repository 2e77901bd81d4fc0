package wdk

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/dpc"
	"irqlab/kernel"
	"irqlab/mm"
	"irqlab/ob"
	"irqlab/sync"
)

// The shapes of what routines take. Dispatcher objects, and what the dispatcher
// lock or another spin lock guards, are touched at DISPATCH_LEVEL. Locks of one
// word do not tell what they are, and Windows lets some lie anywhere.
var (
	anEvent      = typed[KEVENT](isEvent)
	aMutant      = typed[KMUTANT](isMutant)
	aSemaphore   = typed[KSEMAPHORE](isSemaphore)
	aTimer       = typed[KTIMER](isTimer)
	aQueue       = typed[KQUEUE](isQueue)
	aThread      = typed[KTHREAD](isThread)
	aProcess     = typed[EPROCESS](isProcess)
	aWaitable    = typed[kernel.Header](isWaitable)
	aDPC         = typed[KDPC](isDPC)
	anAPC        = typed[KAPC](isAPC)
	aResource    = typed[ERESOURCE](isResource)
	anExTimer    = typed[EX_TIMER](isExTimer)
	aWorkItem    = typed[WORK_QUEUE_ITEM](isWorkItem)
	aDevQueue    = typed[KDEVICE_QUEUE](isDeviceQueue)
	aGenericCall = typed[kernel.GenericCall](isGenericCall)
	aRendezvous  = aligned(8, typed[kernel.Rendezvous](isRendezvous))
	aSpinLock    = raised[KSPIN_LOCK]()
	aSharedSpin  = raised[EX_SPIN_LOCK]()

	anInterrupt  = plain[KINTERRUPT](isInterrupt)
	aFastMutex   = plain[FAST_MUTEX](isFastMutex)
	aGuarded     = plain[KGUARDED_MUTEX](isGuardedMutex)
	aRemoveLock  = plain[IO_REMOVE_LOCK](isRemoveLock)
	aCacheAware  = plain[EX_RUNDOWN_REF_CACHE_AWARE](isCacheAware)
	aLookaside   = plain[LOOKASIDE_LIST_EX](isLookaside)
	anIoWorkItem = plain[IO_WORKITEM](isIoWorkItem)
	aCallback    = plain[CALLBACK_OBJECT](isCallback)
	anMDL        = plain[MDL](isMDL)

	aRegistration  = plain[sync.Registration](isRegistration)
	anObRegistered = plain[ob.Registration](isObRegistration)

	aPushLock    = loose[EX_PUSH_LOCK]()
	aRundown     = loose[EX_RUNDOWN_REF]()
	aRunOnce     = loose[RTL_RUN_ONCE]()
	anSList      = aligned(16, loose[SLIST_HEADER]())
	aDevice      = loose[DEVICE_OBJECT]()
	aQueueHandle = loose[KLOCK_QUEUE_HANDLE]()

	// What routines touch at DISPATCH_LEVEL or above, and no object.
	aListEntry   = resident[LIST_ENTRY]()
	aSingleEntry = resident[SINGLE_LIST_ENTRY]()
	aSListEntry  = aligned(16, resident[SLIST_ENTRY]())
	aQueued      = resident[KDEVICE_QUEUE_ENTRY]()
	aCounter     = resident[ULONG]()
	aLarge       = resident[LARGE_INTEGER]()
	aLevel       = resident[KIRQL]()
	aWaitBlock   = resident[KWAIT_BLOCK]()

	aCallbackRecord = resident[KBUGCHECK_CALLBACK_RECORD]()
	aReasonRecord   = resident[KBUGCHECK_REASON_CALLBACK_RECORD]()
)

func plain[T any](is func(unsafe.Pointer) bool) shape {
	return shape{size: unsafe.Sizeof(*new(T)), align: unsafe.Alignof(*new(T)), is: is}
}

func typed[T any](is func(unsafe.Pointer) bool) shape {
	s := plain[T](is)
	s.raised = true
	return s
}

func raised[T any]() shape { return typed[T](nil) }

func loose[T any]() shape {
	s := plain[T](nil)
	s.anywhere = true
	return s
}

func resident[T any]() shape {
	s := loose[T]()
	s.raised = true
	return s
}

// aligned is for what is aligned beyond what Go wants of its type.
func aligned(to uintptr, s shape) shape {
	s.align = to
	return s
}

func isWaitable(p unsafe.Pointer) bool { return (*kernel.Header)(p).Plausible() }

// has reports whether p begins with the header of a waitable object of a type.
func has(p unsafe.Pointer, a, b kernel.Type) bool {
	h := (*kernel.Header)(p)
	return (h.Type == a || h.Type == b) && h.Plausible()
}

func isEvent(p unsafe.Pointer) bool {
	return has(p, kernel.TypeNotificationEvent, kernel.TypeSynchronizationEvent)
}
func isMutant(p unsafe.Pointer) bool    { return has(p, kernel.TypeMutant, kernel.TypeMutant) }
func isSemaphore(p unsafe.Pointer) bool { return has(p, kernel.TypeSemaphore, kernel.TypeSemaphore) }
func isTimer(p unsafe.Pointer) bool {
	return has(p, kernel.TypeNotificationTimer, kernel.TypeSynchronizationTimer)
}
func isQueue(p unsafe.Pointer) bool   { return has(p, kernel.TypeQueue, kernel.TypeQueue) }
func isThread(p unsafe.Pointer) bool  { return has(p, kernel.TypeThread, kernel.TypeThread) }
func isProcess(p unsafe.Pointer) bool { return has(p, kernel.TypeProcess, kernel.TypeProcess) }

func isDPC(p unsafe.Pointer) bool {
	t := (*KDPC)(p).Type
	return t == dpc.Ordinary || t == dpc.Threaded
}

func isAPC(p unsafe.Pointer) bool {
	a := (*KAPC)(p)
	return a.Type == kernel.TypeAPC && uintptr(a.Size) == unsafe.Sizeof(*a) && a.Mode <= UserMode
}

func isGenericCall(p unsafe.Pointer) bool { return (*kernel.GenericCall)(p).InProgress() }
func isRendezvous(p unsafe.Pointer) bool {
	g := unsafe.Pointer((*kernel.Rendezvous)(p).Call())
	return mm.InPool(uintptr(g)) && mapped(uintptr(g), aGenericCall.size) && isGenericCall(g)
}
func isResource(p unsafe.Pointer) bool    { return (*ERESOURCE)(p).Initialized() }
func isDeviceQueue(p unsafe.Pointer) bool { return (*KDEVICE_QUEUE)(p).Initialized() }
func isExTimer(p unsafe.Pointer) bool     { return isTimer(p) && (*EX_TIMER)(p).Initialized() }
func isInterrupt(p unsafe.Pointer) bool   { return (*KINTERRUPT)(p).Initialized() }
func isLookaside(p unsafe.Pointer) bool   { return (*LOOKASIDE_LIST_EX)(p).Initialized() }

// isWorkItem goes by the routine: a func value is the address of the address of code.
func isWorkItem(p unsafe.Pointer) bool {
	routine := (*WORK_QUEUE_ITEM)(p).Routine
	if routine%unsafe.Alignof(routine) != 0 || !mm.Mapped(routine) {
		return false
	}
	lo, hi, _, _, _, _ := arch.ImageBounds()
	code := *(*uintptr)(unsafe.Pointer(routine))
	return lo <= code && code < hi
}

// Locks that hold an event are told by it.
func isFastMutex(p unsafe.Pointer) bool {
	return isEvent(unsafe.Pointer(&(*FAST_MUTEX)(p).Event))
}
func isGuardedMutex(p unsafe.Pointer) bool {
	return isEvent(unsafe.Pointer(&(*KGUARDED_MUTEX)(p).Gate))
}
func isRemoveLock(p unsafe.Pointer) bool {
	return isEvent(unsafe.Pointer(&(*IO_REMOVE_LOCK)(p).RemoveEvent))
}

func isCacheAware(p unsafe.Pointer) bool {
	return (*EX_RUNDOWN_REF_CACHE_AWARE)(p).Initialized()
}

func isIoWorkItem(p unsafe.Pointer) bool {
	run := sync.WorkRoutine(runIoWork)
	return (*IO_WORKITEM)(p).item.Routine == *(*uintptr)(unsafe.Pointer(&run))
}

// isCallback is for what package ob has: its header comes first.
func isCallback(p unsafe.Pointer) bool { return kernel.ObjectOf(p).TypeIndex == ob.CallbackObject }

func isRegistration(p unsafe.Pointer) bool {
	c := unsafe.Pointer((*sync.Registration)(p).Callback())
	return mm.InPool(uintptr(c)) && mapped(uintptr(c), aCallback.size) && isCallback(c)
}

func isObRegistration(p unsafe.Pointer) bool { return (*ob.Registration)(p).Registered() }

func isMDL(p unsafe.Pointer) bool { return (*MDL)(p).Plausible() }
