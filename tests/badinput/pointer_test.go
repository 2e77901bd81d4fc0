package badinput

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unsafe"

	"irqlab/dpc"
	"irqlab/internal/spec"
	"irqlab/intr"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/paging"
	"irqlab/pool"
	. "irqlab/wdk"
)

// object is a type that routines take pointers to.
type object struct {
	make     func(p PVOID) // makes an object of cleared memory; nil if that is one
	raised   bool          // it is touched at DISPATCH_LEVEL: nothing there is 0xA, else an access violation
	anywhere bool          // it may lie in a Go variable
	opaque   bool          // memory does not tell whether it is such an object
}

// ends are what gives back what a call that works may have done to an object.
var ends = map[reflect.Type]func(p PVOID){
	of[ERESOURCE]():                        func(p PVOID) { ExDeleteResourceLite(PERESOURCE(p)) },
	of[KTIMER]():                           func(p PVOID) { KeCancelTimer(PKTIMER(p)) },
	of[KDPC]():                             func(PVOID) { KeFlushQueuedDpcs() },
	of[KQUEUE]():                           func(p PVOID) { KeRundownQueue(PRKQUEUE(p)) }, // the thread may belong to it
	of[KBUGCHECK_CALLBACK_RECORD]():        func(p PVOID) { KeDeregisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD(p)) },
	of[KBUGCHECK_REASON_CALLBACK_RECORD](): func(p PVOID) { KeDeregisterBugCheckReasonCallback((*KBUGCHECK_REASON_CALLBACK_RECORD)(p)) },
}

// initializes are the routines that make an object of their first pointer.
var initializes = regexp.MustCompile(`^(Ke|Ex|Io|Flt)Initialize|^RtlRunOnceInitialize$|^InitializeSListHead$`)

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
	of[SLIST_HEADER]():       {anywhere: true, opaque: true},
	of[DEVICE_OBJECT]():      {anywhere: true, opaque: true},
	of[KLOCK_QUEUE_HANDLE](): {anywhere: true, opaque: true},

	of[LIST_ENTRY]():          resident,
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

// field returns memory for a case, and how to give it back.
type memory struct {
	p    PVOID
	free func()
}

// fresh returns size bytes of pool.
func fresh(size uintptr) memory {
	p := pool.Alloc(size, ownTag)
	return memory{p, func() { pool.Free(p, ownTag) }}
}

// bad returns a pointer to a T that is bad in the given way. Away is a page of
// paged pool that is paged out.
func (o *object) bad(t reflect.Type, kind string, away PVOID) memory {
	none := func() {}
	switch kind {
	case isNil:
		return memory{nil, none}
	case wild:
		return memory{unsafe.Add(nothing, 1<<37), none}
	case broken:
		return memory{unsafe.Add(nothing, 0x7F5F_5F5F_5F5F_5F58), none}
	case paged, high:
		return memory{unsafe.Add(away, 64), none}
	case inGo:
		return memory{PVOID(&make([]uint64, 512)[0]), none}
	case freed:
		// At the end of nearly a page: whoever is given a part of that meanwhile gets
		// the front.
		const most = 3840
		whole := fresh(most)
		m := memory{unsafe.Add(whole.p, most-(t.Size()+63)&^63), whole.free}
		if o.make != nil {
			o.make(m.p)
			if t == of[ERESOURCE]() {
				ExDeleteResourceLite(PERESOURCE(m.p))
			}
		}
		m.free()
		return memory{m.p, none}
	case unaligned:
		m := fresh(t.Size() + 64)
		m.p = unsafe.Add(m.p, max(t.Align()/2, 1))
		return m
	case wrong:
		m := fresh(t.Size() + 64)
		if t == of[KSEMAPHORE]() {
			objects[of[KEVENT]()].make(m.p)
		} else {
			objects[of[KSEMAPHORE]()].make(m.p)
		}
		return m
	}
	return fresh(t.Size())
}

// nothing is nil, which vet must not know.
var nothing = PVOID(uintptr(len(kindsOfNothing)) >> 32)

var kindsOfNothing = isNil

// bench is what the calls of a test share.
type bench struct {
	t       *testing.T
	report  func(format string, args ...any) // t.Errorf
	step    func(string)
	levels  map[string]spec.Levels
	cases   int
	away    PVOID // a page of paged pool
	handles map[string]HANDLE
	thread  PVOID // one that sleeps

	callback PCALLBACK_OBJECT
}

// defaults fills in good arguments, and returns how to give them back.
func (b *bench) defaults(r *routine, a *arguments) (free func()) {
	var frees []func()
	f := reflect.TypeOf(r.fn)
	for i := range f.NumIn() {
		t := f.In(i)
		name := r.params[i]
		v := reflect.New(t).Elem()
		switch t.Kind() {
		case reflect.Pointer:
			m := fresh(max(t.Elem().Size(), 64))
			frees = append(frees, m.free)
			make := objects[t.Elem()].make
			yet := initializes.MatchString(r.name) && i == firstPointer(f)
			if make != nil && !yet {
				make(m.p)
			}
			if end := ends[t.Elem()]; end != nil && !yet {
				frees = append(frees, func() { end(m.p) })
			}
			switch {
			case t == of[PKTHREAD]():
				m.p = b.thread
			case t == of[PEX_TIMER]():
				e := ExAllocateTimer(nil, nil, 0)
				frees = append(frees, func() { ExDeleteTimer(e, true, true, nil) })
				m.p = PVOID(e)
			case t == of[PCALLBACK_OBJECT]():
				m.p = PVOID(b.callback)
			case t == of[PEPROCESS]():
				m.p = PVOID(PsGetCurrentProcess())
			case t == of[POBJECT_TYPE]():
				m.p = nil
			case name == "ObjectAttributes", name == "EventName", name == "Thread" && t != of[*PKTHREAD]():
				m.p = nil
			}
			v = reflect.NewAt(t, unsafe.Pointer(&m.p)).Elem()
			if strings.HasPrefix(r.name, "Nt") && m.p != nil { // what an application can have
				v = reflect.New(t.Elem())
			}
		case reflect.UnsafePointer:
			m := fresh(64)
			frees = append(frees, m.free)
			switch {
			case strings.HasPrefix(r.name, "Ob"), name == "IoObject":
				m.p = b.thread
			case name == "Object", name == "Mutex":
				objects[of[KEVENT]()].make(m.p)
			}
			if strings.HasPrefix(r.name, "Nt") {
				m.p = PVOID(&make([]uint64, 8)[0])
			}
			v.SetPointer(m.p)
		case reflect.Func:
			v = reflect.MakeFunc(t, func([]reflect.Value) (out []reflect.Value) {
				for o := range t.Outs() {
					out = append(out, reflect.Zero(o))
				}
				return out
			})
		case reflect.Slice:
			v = reflect.MakeSlice(t, 1, 1)
			switch {
			case t == of[[]HANDLE]():
				v.Index(0).SetUint(uint64(b.handle(name)))
			case t == of[[]PVOID]():
				m := fresh(64)
				frees = append(frees, m.free)
				objects[of[KEVENT]()].make(m.p)
				v.Index(0).SetPointer(m.p)
			}
		default:
			switch {
			case t == of[HANDLE]():
				v.SetUint(uint64(b.handle(name)))
			case v.CanInt():
				v.SetInt(int64(number(name)))
			case v.CanUint():
				v.SetUint(number(name))
			}
		}
		a.set(i, v)
	}
	return func() {
		for i := len(frees) - 1; i >= 0; i-- {
			frees[i]()
		}
	}
}

// number returns a good number for a parameter.
func number(name string) uint64 {
	switch name {
	case "NumberOfBytes", "Size", "Length":
		return 64
	case "Alignment", "Count", "ObjectCount", "MaximumCount", "InitialCount", "Limit", "ReleaseCount", "GroupCount":
		return 1
	case "TimerInformationLength":
		return 16
	case "EventInformationLength", "MutantInformationLength", "SemaphoreInformationLength":
		return 8
	case "ThreadInformationClass":
		return uint64(ThreadBasePriority)
	case "ThreadInformationLength":
		return 4
	case "Tag":
		return uint64(tag)
	}
	return 0
}

func firstPointer(f reflect.Type) int {
	for i := range f.NumIn() {
		if k := f.In(i).Kind(); k == reflect.Pointer {
			return i
		}
	}
	return -1
}

// check calls a routine with one bad argument, of which make makes the value, and
// reports what it should not have come to.
func (b *bench) check(r *routine, param int, kind string, level KIRQL, make func() (v reflect.Value, free func()), want string) {
	key := fmt.Sprintf("%s.%s %s", r.name, r.params[param], kind)
	name, _, _ := strings.Cut(key, " ")
	for _, k := range []string{key, name, r.name + " " + kind} {
		if w, ok := exceptions[k]; ok {
			want = w
			break
		}
	}
	if want == "" {
		return
	}
	if level = max(level, b.lowest(r)); level >= irql.Dispatch && (want == violation || want == noPage || kind == paged && want == anyReturn) {
		want = notThere // there are no exceptions, and nothing comes back
	}
	b.step(key)
	a := new(arguments)
	frees := b.defaults(r, a)
	v, free := make()
	a.set(param, v)
	if got := r.outcome(level, a); !allowed(want, got) {
		b.report("%s: %s, want %s", key, got, want)
	}
	free()
	frees()
	b.cases++
}

// lowest returns the lowest level that the routine may be called at.
func (b *bench) lowest(r *routine) KIRQL { return KIRQL(b.levels[r.name].Min) }

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
		}
		if size.Align() == 1 {
			delete(wants, unaligned)
		}
		for kind, want := range wants {
			level := irql.Passive
			if kind == high {
				level = irql.Dispatch
			}
			b.check(r, i, kind, level, func() (reflect.Value, func()) {
				if kind == high || kind == paged && want == anyReturn {
					b.takeAway()
				}
				m := o.bad(size, kind, b.away)
				return reflect.NewAt(t, unsafe.Pointer(&m.p)).Elem(), m.free
			}, want)
		}
	}
}

// typed returns what must come of a bad pointer to a T.
func (b *bench) typed(r *routine, i int, t reflect.Type, first bool) (object, map[string]string) {
	o, is := objects[t]
	switch {
	case is:
		return o, o.wants(initializes.MatchString(r.name) && first)
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
	case "CallbackObject", "CallbackRegistration", "RegistrationHandle":
		return object{}, (&object{}).wants(false)
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
	SynchronizeContext SystemArgument1 SystemArgument2 Tag TimerContext VirtualAddress BaseAddress `

// waitable stands for any dispatcher object.
var waitable = object{make: objects[of[KEVENT]()].make, raised: true}

// takeAway clears the page of paged pool and has it paged out.
func (b *bench) takeAway() {
	clear(unsafe.Slice((*byte)(b.away), 4096))
	paging.PageOut()
}

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
			if reasons[routines[i].name] == "" {
				b.pointers(&routines[i])
			}
		}
	})
	t.Logf("%d calls", b.cases)
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, report: t.Errorf, levels: map[string]spec.Levels{}}
	for _, r := range spec.Routines() {
		b.levels[r.Name] = r.Levels
	}
	b.away = pool.AllocPaged(4096, ownTag)
	t.Cleanup(func() { pool.Free(b.away, ownTag) })
	b.takeAway()
	b.handles = map[string]HANDLE{}
	for kind, make := range map[string]func(h PHANDLE) NTSTATUS{
		"Event":     func(h PHANDLE) NTSTATUS { return NtCreateEvent(h, EVENT_ALL_ACCESS, nil, NotificationEvent, true) },
		"Mutant":    func(h PHANDLE) NTSTATUS { return NtCreateMutant(h, MUTANT_ALL_ACCESS, nil, false) },
		"Semaphore": func(h PHANDLE) NTSTATUS { return NtCreateSemaphore(h, SEMAPHORE_ALL_ACCESS, nil, 1, 2) },
		"Timer":     func(h PHANDLE) NTSTATUS { return NtCreateTimer(h, TIMER_ALL_ACCESS, nil, NotificationTimer) },
	} {
		var h HANDLE
		if s := make(&h); s != STATUS_SUCCESS {
			t.Fatal(kind, s)
		}
		t.Cleanup(func() { NtClose(h) })
		b.handles[kind] = h
	}
	if s := ExCreateCallback(&b.callback, nil, true, true); s != STATUS_SUCCESS {
		t.Fatal(s)
	}
	t.Cleanup(func() { ObDereferenceObject(PVOID(b.callback)) })
	b.sleeper()
	return b
}

// sleeper makes the thread that is good for routines that take one's handle.
func (b *bench) sleeper() {
	e := New[KEVENT](tag)
	KeInitializeEvent(e, NotificationEvent, false)
	var h HANDLE
	if s := PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) {
		KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, nil)
	}, nil); s != STATUS_SUCCESS {
		b.t.Fatal(s)
	}
	var thread PVOID
	if s := ObReferenceObjectByHandle(h, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &thread, nil); s != STATUS_SUCCESS {
		b.t.Fatal(s)
	}
	ZwClose(h)
	// A handle that Nt routines take, too.
	if s := ObOpenObjectByPointer(thread, 0, nil, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &h); s != STATUS_SUCCESS {
		b.t.Fatal(s)
	}
	b.handles["Thread"], b.thread = h, thread
	b.t.Cleanup(func() {
		KeForceResumeThread(PKTHREAD(thread))
		KeSetEvent(e, 0, false)
		KeWaitForSingleObject(thread, Executive, KernelMode, false, nil)
		ObDereferenceObject(thread)
		ZwClose(h)
		ExFreePool(PVOID(e))
	})
}

// handle returns a good handle for a parameter.
func (b *bench) handle(name string) HANDLE {
	switch {
	case strings.Contains(name, "Process"):
		return NtCurrentProcess()
	}
	if h, ok := b.handles[strings.TrimSuffix(name, "Handle")]; ok {
		return h
	}
	return b.handles["Event"]
}
