package badinput

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"irqlab/dpc"
	"irqlab/intr"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/pool"
	. "irqlab/wdk"
)

// object is a type that routines take pointers to.
type object struct {
	make     func(p PVOID) // makes an object of cleared memory; nil if that is one
	raised   bool          // it is touched at DISPATCH_LEVEL: nothing there is 0xA, else an access violation
	anywhere bool          // it may lie in a Go variable
	opaque   bool          // memory does not tell whether it is such an object
	align    uintptr       // beyond what Go wants of the type
}

// initializes reports whether a routine makes an object of its first pointer.
func initializes(name string) bool {
	for _, prefix := range [...]string{"KeInitialize", "ExInitialize", "IoInitialize"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == "RtlRunOnceInitialize" || name == "InitializeSListHead"
}

// What the outcomes of bad pointers are.
const (
	notThere   = "stop 0xa"            // IRQL_NOT_LESS_OR_EQUAL
	violation  = "raises 0xc0000005"   // STATUS_ACCESS_VIOLATION
	notInPool  = "stop 0xc4/0xe1"      // an address that is invalid or pageable
	notOne     = "stop 0xc4/0x1ab0003" // an object of another type
	noPage     = "stop 0x50"           // PAGE_FAULT_IN_NONPAGED_AREA
	noObject   = "stop 0x18"           // REFERENCE_BY_POINTER
	anyReturn  = "returns *"
	refused    = "returns 0xc0000005"
	badHandle  = "returns 0xc0000008"
	mismatch   = "returns 0xc0000024"
	notKernels = "stop 0x93" // INVALID_KERNEL_HANDLE

	notAllocated = "stop 0xc2/0x46"      // BAD_POOL_CALLER
	meaningless  = "stop 0xc4/0x1ab0006" // a number that means nothing
)

// of returns the key of a type.
func of[T any]() reflect.Type { return reflect.TypeFor[T]() }

var objects = map[reflect.Type]object{
	of[KEVENT]():          {make: func(p PVOID) { KeInitializeEvent(PKEVENT(p), NotificationEvent, true) }, raised: true},
	of[KMUTEX]():          {make: func(p PVOID) { KeInitializeMutex(PKMUTEX(p), 0) }, raised: true},
	of[KSEMAPHORE]():      {make: func(p PVOID) { KeInitializeSemaphore(PKSEMAPHORE(p), 1, 2) }, raised: true},
	of[KTIMER]():          {make: func(p PVOID) { KeInitializeTimer(PKTIMER(p)) }, raised: true},
	of[KQUEUE]():          {make: func(p PVOID) { KeInitializeQueue(PRKQUEUE(p), 0) }, raised: true},
	of[KTHREAD]():         {make: func(p PVOID) { PKTHREAD(p).Header.Init(kernel.TypeThread, 24, 0) }, raised: true},
	of[EPROCESS]():        {make: func(p PVOID) { PEPROCESS(p).Header.Init(kernel.TypeProcess, 24, 0) }, raised: true},
	of[KDPC]():            {make: func(p PVOID) { (*dpc.Object)(p).Init(deferred, nil) }, raised: true},
	of[KAPC]():            {make: func(p PVOID) { PKAPC(p).Init(KeGetCurrentThread(), kernelRoutine, nil, nil, KernelMode, nil) }, raised: true},
	of[ERESOURCE]():       {make: func(p PVOID) { ExInitializeResourceLite(PERESOURCE(p)) }, raised: true},
	of[EX_TIMER]():        {make: func(p PVOID) { KeInitializeTimer(PKTIMER(p)) }, raised: true},
	of[WORK_QUEUE_ITEM](): {make: func(p PVOID) { ExInitializeWorkItem(PWORK_QUEUE_ITEM(p), func(PVOID) {}, nil) }, raised: true},
	of[KDEVICE_QUEUE]():   {make: func(p PVOID) { KeInitializeDeviceQueue(PKDEVICE_QUEUE(p)) }, raised: true},
	of[KSPIN_LOCK]():      {raised: true, opaque: true},
	of[EX_SPIN_LOCK]():    {raised: true, opaque: true},

	of[KINTERRUPT]():                 {make: func(p PVOID) { PKINTERRUPT(p).Init(&intr.Config{Level: 5, Synchronize: 5}) }},
	of[FAST_MUTEX]():                 {make: func(p PVOID) { ExInitializeFastMutex(PFAST_MUTEX(p)) }},
	of[KGUARDED_MUTEX]():             {make: func(p PVOID) { KeInitializeGuardedMutex(PKGUARDED_MUTEX(p)) }},
	of[IO_REMOVE_LOCK]():             {make: func(p PVOID) { IoInitializeRemoveLock(PIO_REMOVE_LOCK(p), 0, 0, 0) }},
	of[EX_RUNDOWN_REF_CACHE_AWARE](): {make: func(p PVOID) { ExInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE(p), 1<<20) }},
	of[LOOKASIDE_LIST_EX]():          {make: func(p PVOID) { ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST(p), nil, nil, 0, 64, tag, 0) }},
	of[IO_WORKITEM]():                {make: func(p PVOID) { IoInitializeWorkItem(nil, PIO_WORKITEM(p)) }},
	of[CALLBACK_OBJECT]():            {},
	of[MDL]():                        {make: func(p PVOID) { PMDL(p).Size = 48 }},

	of[EX_PUSH_LOCK]():       {anywhere: true, opaque: true},
	of[EX_RUNDOWN_REF]():     {anywhere: true, opaque: true},
	of[RTL_RUN_ONCE]():       {anywhere: true, opaque: true},
	of[SLIST_HEADER]():       {anywhere: true, opaque: true, align: 16},
	of[DEVICE_OBJECT]():      {anywhere: true, opaque: true},
	of[KLOCK_QUEUE_HANDLE](): {anywhere: true, opaque: true},

	of[LIST_ENTRY]():          {make: func(p PVOID) { InitializeListHead(PLIST_ENTRY(p)) }, raised: true, anywhere: true, opaque: true},
	of[SINGLE_LIST_ENTRY]():   resident,
	of[SLIST_ENTRY]():         resident,
	of[KDEVICE_QUEUE_ENTRY](): resident, of[KIRQL](): resident,
	of[KWAIT_BLOCK]():                      resident,
	of[KBUGCHECK_CALLBACK_RECORD]():        resident,
	of[KBUGCHECK_REASON_CALLBACK_RECORD](): resident,
}

// resident is what is no object, but touched at DISPATCH_LEVEL or above.
var resident = object{raised: true, anywhere: true, opaque: true}

func deferred(PKDPC, PVOID, PVOID, PVOID) {}

func kernelRoutine(PKAPC, *PKNORMAL_ROUTINE, *PVOID, *PVOID, *PVOID) {}

const tag = ULONG(ownTag)

// ownTag is not the kit's, which may be that of special pool: with it a number that
// is too large ends otherwise, as it should.
const ownTag pool.Tag = 'B' | 'a'<<8 | 'd'<<16 | 'I'<<24

// A pointer is bad in these ways.
const (
	isNil     = "nil"
	wild      = "wild" // where nothing is, among a user's addresses
	broken    = "not canonical"
	freed     = "freed"
	unaligned = "unaligned"
	paged     = "paged out"
	high      = "paged out, at DISPATCH_LEVEL"
	cleared   = "cleared"
	wrong     = "of another type"
	inGo      = "in a Go variable"
)

// wants returns what a pointer to an object, bad in each way, must come to.
func (o *object) wants(init bool) map[string]string {
	nothing := violation
	if o.raised && !init {
		nothing = notThere
	}
	w := map[string]string{
		isNil: nothing, wild: nothing, broken: nothing,
		freed: notInPool, unaligned: notInPool, paged: notInPool,
	}
	if !o.anywhere {
		w[inGo] = notInPool
	}
	if !o.opaque && !init {
		w[cleared], w[wrong] = notOne, notOne
	}
	return w
}

// bad returns a pointer to a T that is bad in the given way.
func (b *bench) bad(o *object, t reflect.Type, kind string) PVOID {
	switch kind {
	case isNil:
		return nil
	case wild:
		return unsafe.Add(nothing, 1<<37)
	case broken:
		return unsafe.Add(nothing, 0x7F5F_5F5F_5F5F_5F40)
	case paged, high:
		return unsafe.Add(b.away, 64)
	case inGo:
		return PVOID(&make([]uint64, 512)[0])
	case freed:
		return o.freed(t)
	case unaligned:
		return unsafe.Add(b.storage.take(t.Size()+64), max(int(o.align), t.Align())/2)
	case wrong:
		p := b.storage.take(t.Size() + 64)
		if t == of[KSEMAPHORE]() {
			objects[of[KEVENT]()].make(p)
		} else {
			objects[of[KSEMAPHORE]()].make(p)
		}
		return p
	}
	return b.storage.take(t.Size())
}

// freed returns where a T was. It lies at the end of nearly a page: whoever is given
// a part of that meanwhile gets the front.
func (o *object) freed(t reflect.Type) PVOID {
	whole := pool.Alloc(storageSize, ownTag)
	p := unsafe.Add(whole, storageSize-(t.Size()+63)&^63)
	if o.make != nil {
		o.make(p)
		if t == of[ERESOURCE]() {
			ExDeleteResourceLite(PERESOURCE(p))
		}
	}
	pool.Free(whole, ownTag)
	return p
}

// nothing is nil, which vet must not know.
var nothing = PVOID(uintptr(len(kindsOfNothing)) >> 32)

var kindsOfNothing = isNil

// pointers checks a routine's pointers to objects and to data.
func (b *bench) pointers(r *routine) {
	f := reflect.TypeOf(r.fn)
	for i := range f.NumIn() {
		t := f.In(i)
		var o object
		var wants map[string]string
		size := of[[64]uint64]()
		switch t.Kind() {
		case reflect.UnsafePointer:
			o, wants = b.untyped(r, i)
		case reflect.Pointer:
			if t == of[POBJECT_TYPE]() {
				continue
			}
			size = t.Elem()
			o, wants = b.typed(r, i, t.Elem(), i == firstPointer(f))
		case reflect.Slice:
			if t == of[[]PVOID]() {
				o, wants = waitable, waitable.wants(false)
				delete(wants, wrong)
			}
		}
		if size.Align() == 1 {
			delete(wants, unaligned)
		}
		for kind, want := range wants {
			level := irql.Passive
			if kind == high {
				level = irql.Dispatch
			}
			b.check(r, i, kind, level, func() reflect.Value {
				if kind == high || kind == paged {
					b.takeAway()
				}
				p := b.bad(&o, size, kind)
				if t.Kind() == reflect.Slice {
					return reflect.ValueOf([]PVOID{p})
				}
				return reflect.NewAt(t, unsafe.Pointer(&p)).Elem()
			}, want)
		}
	}
}

// typed returns what must come of a bad pointer to a T.
func (b *bench) typed(r *routine, i int, t reflect.Type, first bool) (object, map[string]string) {
	o, is := objects[t]
	switch {
	case is:
		if t == of[SLIST_ENTRY]() && strings.Contains(r.name, "SList") {
			o.align = 16
		}
		return o, o.wants(initializes(r.name) && first)
	case strings.HasPrefix(r.name, "ExInterlocked"):
		return o, resident.wants(false)
	}
	return o, b.dataWants(r, i)
}

// untyped returns what must come of a bad PVOID, going by its name.
func (b *bench) untyped(r *routine, i int) (object, map[string]string) {
	switch name := r.params[i]; name {
	case "Object", "Mutex", "IoObject":
		if strings.HasPrefix(r.name, "KeWait") {
			w := waitable.wants(false)
			delete(w, wrong)
			return waitable, w
		}
		w := (&object{}).wants(false)
		for kind := range w {
			w[kind] = noObject
		}
		if r.name == "IoInitializeWorkItem" {
			clear(w) // it is kept, and given to the routine
		}
		return object{}, w
	case "SystemArgument1", "SystemArgument2":
		if !r.keeps(name) {
			return object{}, (&object{raised: true}).wants(false)
		}
	case "CallbackObject", "CallbackRegistration", "RegistrationHandle":
		return object{}, (&object{}).wants(false)
	case "BaseAddress":
		want := anyReturn
		if r.name == "MmFreeContiguousMemory" {
			want = notAllocated
		}
		return object{}, map[string]string{isNil: want, wild: want, broken: want, freed: want, unaligned: want, cleared: want, paged: want}
	case "CallbackHandle":
		return object{}, map[string]string{isNil: notOne, wild: notOne, broken: notOne, freed: notOne, cleared: notOne, paged: notOne}
	case "Handle":
		return object{}, map[string]string{isNil: badHandle, wild: badHandle, broken: badHandle, freed: badHandle, cleared: badHandle, paged: badHandle}
	case "Entry", "EventInformation", "MutantInformation", "SemaphoreInformation", "TimerInformation", "ThreadInformation":
		w := b.dataWants(r, i)
		delete(w, paged) // or the routine keeps it
		return object{}, w
	case "Address":
		w := map[string]string{isNil: violation, wild: violation, broken: violation, freed: violation, paged: violation}
		if r.name == "ProbeForRead" { // looks at the range only
			w[isNil], w[wild] = anyReturn, anyReturn
		}
		return object{}, w
	}
	return object{}, nil
}

// contexts are PVOIDs that routines only keep, compare, or pass on. What they
// point to, if anything, is the caller's business, or MmIsAddressValid's to say.
const contexts = ` Argument1 Argument2 Buffer CallbackContext Context DeferredContext DeviceObject Irp NormalContext
	NotifyInformation OwnerPointer Parameter Parameters PassedAccessState RequestedAddress ServiceContext StartContext
	SynchronizeContext SystemArgument1 SystemArgument2 Tag TimerContext VirtualAddress `

// keeps reports whether a PVOID is a context. A deferred routine of a generic call
// gives its own back.
func (r *routine) keeps(param string) bool {
	return among(param, contexts) && !strings.HasPrefix(r.name, "KeSignalCallDpc")
}

// waitable stands for any dispatcher object.
var waitable = object{make: objects[of[KEVENT]()].make, raised: true}

// dataWants is object.wants for a pointer to what is no object.
func (b *bench) dataWants(r *routine, i int) map[string]string {
	w := map[string]string{isNil: violation, wild: violation, broken: violation, freed: noPage, paged: anyReturn}
	if strings.HasPrefix(r.name, "Nt") { // the test's thread counts as an application's
		w[isNil], w[wild], w[broken], w[freed] = refused, refused, refused, refused
	}
	if optional[r.params[i]] {
		w[isNil] = anyReturn
	}
	if l, ok := b.levels[r.name]; ok && l.Min <= 2 && l.Max >= 2 {
		w[high] = notThere
	}
	return w
}

// TestPointers gives every routine every kind of bad pointer.
func TestPointers(t *testing.T) {
	b := newBench(t)
	watch(t, func(step func(string)) {
		b.step = step
		for i := range routines {
			r := &routines[i]
			if reasons[r.name] != "" || slices.Contains(inline, r.name) {
				continue
			}
			b.pointers(r)
			if slices.Contains(r.params, "Wait") {
				b.wait = true
				b.pointers(r)
				b.wait = false
			}
		}
	})
	t.Logf("%d calls", b.cases)
}
