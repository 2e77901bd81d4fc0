package badinput

import (
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"irqlab/internal/spec"
	"irqlab/irql"
	"irqlab/mm"
	"irqlab/paging"
	"irqlab/pool"
	. "irqlab/wdk"
)

// bench is what the calls of a test share.
type bench struct {
	t       *testing.T
	report  func(format string, args ...any) // t.Errorf
	step    func(string)
	levels  map[string]spec.Levels
	cases   int
	away    PVOID // a page of paged pool
	dirty   bool  // it may not be clear
	handles map[string]HANDLE
	wait    bool // what parameters named Wait are

	// Objects that cannot be made of any memory.
	thread   PVOID // one that sleeps
	timer    PEX_TIMER
	callback PCALLBACK_OBJECT

	storage storage
}

// storage is memory for the arguments of a call. With the verifier on, a block of
// pool costs two stack traces, so there is one for all of them.
type storage struct {
	p    PVOID
	used uintptr
}

// storageSize is nearly a page: the most that comes of one.
const storageSize = 3840

// take returns size cleared bytes.
func (s *storage) take(size uintptr) PVOID {
	if s.p == nil {
		s.p = pool.Alloc(storageSize, ownTag)
	}
	p := unsafe.Add(s.p, s.used)
	if s.used += (size + 63) &^ 63; s.used > storageSize {
		panic("the arguments of a call are too large")
	}
	return p
}

// free gives everything back.
func (s *storage) free() {
	if s.p != nil {
		pool.Free(s.p, ownTag)
	}
	*s = storage{}
}

// defaults fills in good arguments, and returns how to end what it has begun.
func (b *bench) defaults(r *routine, a *arguments) (end func()) {
	end = func() {}
	f := reflect.TypeOf(r.fn)
	for i := range f.NumIn() {
		t := f.In(i)
		name := r.params[i]
		v := reflect.New(t).Elem()
		switch t.Kind() {
		case reflect.Pointer:
			p := b.object(r, t, name, i == firstPointer(f))
			if t == of[PERESOURCE]() && !initializes(r.name) {
				end = func() { ExDeleteResourceLite(PERESOURCE(p)) }
			}
			v = reflect.NewAt(t, unsafe.Pointer(&p)).Elem()
			if strings.HasPrefix(r.name, "Nt") && p != nil { // what an application can have
				v = reflect.New(t.Elem())
			}
		case reflect.UnsafePointer:
			v.SetPointer(b.untypedObject(r, name))
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
				v.Index(0).SetPointer(b.event())
			}
		default:
			switch {
			case t == of[HANDLE]():
				v.SetUint(uint64(b.handle(name)))
			case name == "Wait":
				v.SetBool(b.wait)
			case v.CanInt():
				v.SetInt(int64(number(name)))
			case v.CanUint():
				v.SetUint(number(name))
			}
		}
		a.set(i, v)
	}
	return end
}

// object returns a good pointer of a type, for a parameter.
func (b *bench) object(r *routine, t reflect.Type, name string, first bool) PVOID {
	switch {
	case t == of[PKTHREAD]():
		return b.thread
	case t == of[PEX_TIMER]():
		return PVOID(b.timer)
	case t == of[PCALLBACK_OBJECT]():
		return PVOID(b.callback)
	case t == of[PEPROCESS]():
		return PVOID(PsGetCurrentProcess())
	case t == of[POBJECT_TYPE](), name == "ObjectAttributes", name == "EventName", name == "Thread" && t != of[*PKTHREAD]():
		return nil
	}
	p := b.storage.take(max(t.Elem().Size(), 64))
	if make := objects[t.Elem()].make; make != nil && !(first && initializes(r.name)) {
		make(p)
	}
	return p
}

// untypedObject returns a good PVOID for a parameter.
func (b *bench) untypedObject(r *routine, name string) PVOID {
	switch {
	case strings.HasPrefix(r.name, "Nt"):
		return PVOID(&make([]uint64, 8)[0])
	case strings.HasPrefix(r.name, "Ob"), name == "IoObject":
		return b.thread
	case name == "Object", name == "Mutex":
		return b.event()
	}
	return b.storage.take(64)
}

// event returns an event that is signalled.
func (b *bench) event() PVOID {
	p := b.storage.take(of[KEVENT]().Size())
	objects[of[KEVENT]()].make(p)
	return p
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
func (b *bench) check(r *routine, param int, kind string, level KIRQL, make func() reflect.Value, want string) {
	name := r.name + "." + r.params[param]
	key := name + " " + kind
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
	end := b.defaults(r, a)
	a.set(param, make())
	got := r.outcome(level, a, want)
	if !allowed(want, got) {
		b.report("%s: %s, want %s", key, got, want)
	}
	if strings.HasPrefix(got, "returns") {
		r.undo(a)
		b.dirty = b.dirty || kind == paged
	}
	end()
	b.storage.free()
	b.cases++
}

// lowest returns the lowest level that the routine may be called at.
func (b *bench) lowest(r *routine) KIRQL { return KIRQL(b.levels[r.name].Min) }

// takeAway has the page of paged pool clear and paged out.
func (b *bench) takeAway() {
	if b.dirty || mm.Mapped(uintptr(b.away)) {
		clear(unsafe.Slice((*byte)(b.away), 4096))
		paging.PageOut()
		b.dirty = false
	}
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, report: t.Errorf, levels: map[string]spec.Levels{}}
	for _, r := range spec.Routines() {
		b.levels[r.Name] = r.Levels
	}
	noLeaks(t)
	b.away = pool.AllocPaged(4096, ownTag)
	t.Cleanup(func() { pool.Free(b.away, ownTag) })
	b.dirty = true
	b.takeAway()
	b.handles = map[string]HANDLE{}
	for kind, make := range map[string]func(h PHANDLE) NTSTATUS{
		"Event":     func(h PHANDLE) NTSTATUS { return NtCreateEvent(h, EVENT_ALL_ACCESS, nil, NotificationEvent, true) },
		"Mutant":    func(h PHANDLE) NTSTATUS { return NtCreateMutant(h, MUTANT_ALL_ACCESS, nil, false) },
		"Semaphore": func(h PHANDLE) NTSTATUS { return NtCreateSemaphore(h, SEMAPHORE_ALL_ACCESS, nil, 1, 2) },
		"Timer":     func(h PHANDLE) NTSTATUS { return NtCreateTimer(h, TIMER_ALL_ACCESS, nil, NotificationTimer) },
		"Directory": func(h PHANDLE) NTSTATUS { return ZwCreateDirectoryObject(h, DIRECTORY_ALL_ACCESS, nil) },
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
	b.timer = ExAllocateTimer(nil, nil, 0)
	t.Cleanup(func() { ExDeleteTimer(b.timer, true, true, nil) })
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
