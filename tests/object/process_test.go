package object

import (
	"testing"

	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/tests/kit"
	"irqlab/thread"
	. "irqlab/wdk"
)

func TestProcess(t *testing.T) {
	kit.NoLeaks(t)
	system := PsInitialSystemProcess
	if IoGetCurrentProcess() != system || PsGetCurrentProcess() != system || IoThreadToProcess(KeGetCurrentThread()) != system {
		t.Error("there is more than one process")
	}
	if id := PsGetProcessId(system); id != 4 || id != PsGetCurrentProcessId() || id != PsGetThreadProcessId(KeGetCurrentThread()) {
		t.Errorf("its ID is %d", id)
	}
	want(t, "exit status", PsGetProcessExitStatus(system), STATUS_PENDING)
	before := counts(PVOID(system))
	var p PEPROCESS
	for _, id := range []HANDLE{0, 3, 8, 1 << 40, NtCurrentProcess()} {
		want(t, "look up another ID", PsLookupProcessByProcessId(id, &p), STATUS_INVALID_CID)
	}
	want(t, "look up", PsLookupProcessByProcessId(4, &p), STATUS_SUCCESS)
	if p != system || counts(PVOID(p)) == before {
		t.Errorf("%p, references/handles %s", p, counts(PVOID(p)))
	}
	ObDereferenceObject(PVOID(p))
	want(t, "wait for it", KeWaitForSingleObject(PVOID(system), Executive, KernelMode, false, kit.NoTime), STATUS_TIMEOUT)
}

func TestOpenProcess(t *testing.T) { kit.Run(t, func() { openProcesses(t) }) }

func openProcesses(t *testing.T) {
	client := func(process, thread HANDLE) *CLIENT_ID {
		return &CLIENT_ID{UniqueProcess: process, UniqueThread: thread}
	}
	for _, c := range []struct {
		what string
		a    *OBJECT_ATTRIBUTES
		id   *CLIENT_ID
		want NTSTATUS
	}{
		{"the system process", attributes("", OBJ_KERNEL_HANDLE, 0), client(4, 0), STATUS_SUCCESS},
		{"by its thread", nil, client(4, PsGetCurrentThreadId()), STATUS_SUCCESS},
		{"another thread", nil, client(4, 0x7FFC), STATUS_INVALID_CID},
		{"another process", nil, client(8, 0), STATUS_INVALID_CID},
		{"none", nil, nil, STATUS_INVALID_PARAMETER_MIX},
		{"a name", attributes(`\System`, 0, 0), client(4, 0), STATUS_INVALID_PARAMETER_MIX},
		{"bad attributes", attributes("", 0x8000, 0), client(4, 0), STATUS_INVALID_PARAMETER},
	} {
		var h HANDLE
		want(t, c.what, ZwOpenProcess(&h, PROCESS_ALL_ACCESS, c.a, c.id), c.want)
		if h != 0 {
			var th HANDLE
			want(t, "a thread in it", PsCreateSystemThread(&th, SYNCHRONIZE, nil, h, nil, func(PVOID) {}, nil), STATUS_SUCCESS)
			want(t, "its end", ZwWaitForSingleObject(th, false, nil), STATUS_SUCCESS)
			ZwClose(th)
			want(t, "terminate it", ZwTerminateProcess(h, STATUS_SUCCESS), STATUS_ACCESS_DENIED)
			want(t, "as a thread", ZwTerminateThread(h, STATUS_SUCCESS), STATUS_OBJECT_TYPE_MISMATCH)
			ZwClose(h)
		}
	}
	e := event(t, nil, EVENT_ALL_ACCESS)
	want(t, "an event", ZwTerminateProcess(e, STATUS_SUCCESS), STATUS_OBJECT_TYPE_MISMATCH)
	want(t, "nothing", ZwTerminateProcess(0x40000, STATUS_SUCCESS), STATUS_INVALID_HANDLE)
	want(t, "this process", ZwTerminateProcess(NtCurrentProcess(), STATUS_SUCCESS), STATUS_ACCESS_DENIED)
	var th HANDLE
	want(t, "a thread in an event", PsCreateSystemThread(&th, SYNCHRONIZE, nil, e, nil, func(PVOID) {}, nil), STATUS_OBJECT_TYPE_MISMATCH)
}

// rule: thr-terminate-system-denied
func TestTerminateThread(t *testing.T) {
	e := kit.New[KEVENT](t)
	KeInitializeEvent(e, NotificationEvent, false)
	var h HANDLE
	want(t, "create", PsCreateSystemThread(&h, THREAD_ALL_ACCESS, nil, 0, nil, func(PVOID) {
		KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, nil)
	}, nil), STATUS_SUCCESS)
	want(t, "ZwTerminateThread", ZwTerminateThread(h, STATUS_UNSUCCESSFUL), STATUS_ACCESS_DENIED)
	asKernel(t, func() {
		want(t, "NtTerminateThread", NtTerminateThread(h, STATUS_UNSUCCESSFUL), STATUS_ACCESS_DENIED)
		want(t, "itself", NtTerminateThread(0, STATUS_UNSUCCESSFUL), STATUS_ACCESS_DENIED)
	})
	want(t, "the thread goes on", ZwWaitForSingleObject(h, false, kit.Ms(5)), STATUS_TIMEOUT)
	KeSetEvent(e, 0, false)
	want(t, "until it ends", ZwWaitForSingleObject(h, false, nil), STATUS_SUCCESS)
	ZwClose(h)
}

func TestSetInformationThread(t *testing.T) {
	kit.Run(t, func() {
		self := KeGetCurrentThread()
		set := func(class THREADINFOCLASS, p PVOID, n ULONG) NTSTATUS {
			return ZwSetInformationThread(NtCurrentThread(), class, p, n)
		}
		for p, status := range map[KPRIORITY]NTSTATUS{
			20: STATUS_SUCCESS, 31: STATUS_SUCCESS, 0: STATUS_INVALID_PARAMETER, 32: STATUS_INVALID_PARAMETER, -1: STATUS_INVALID_PARAMETER,
		} {
			KeSetPriorityThread(self, 16)
			want(t, "priority", set(ThreadPriority, PVOID(&p), 4), status)
			if now := KeQueryPriorityThread(self); status == STATUS_SUCCESS && now != p || status != STATUS_SUCCESS && now != 16 {
				t.Errorf("priority %d: %v, is %d", p, status, now)
			}
		}
		KeSetPriorityThread(self, 8)
		for i, status := range map[LONG]NTSTATUS{
			2: STATUS_SUCCESS, -2: STATUS_SUCCESS, 16: STATUS_SUCCESS, -16: STATUS_SUCCESS,
			3: STATUS_INVALID_PARAMETER, -3: STATUS_INVALID_PARAMETER, 17: STATUS_INVALID_PARAMETER,
		} {
			want(t, "base priority", set(ThreadBasePriority, PVOID(&i), 4), status)
		}
		KeSetBasePriorityThread(self, 0)
		last := kit.CPUs() - 1
		for set1, status := range map[KAFFINITY]NTSTATUS{
			1 << last: STATUS_SUCCESS, 0: STATUS_INVALID_PARAMETER, 1 << kit.CPUs(): STATUS_INVALID_PARAMETER,
		} {
			want(t, "affinity", set(ThreadAffinityMask, PVOID(&set1), 8), status)
		}
		if n := KeGetCurrentProcessorNumber(); n != last {
			t.Errorf("runs on processor %d, want %d", n, last)
		}
		v := KPRIORITY(9)
		want(t, "length", set(ThreadPriority, PVOID(&v), 8), STATUS_INFO_LENGTH_MISMATCH)
		want(t, "class", set(99, PVOID(&v), 4), STATUS_INVALID_INFO_CLASS)
		want(t, "handle", ZwSetInformationThread(0x40000, ThreadPriority, PVOID(&v), 4), STATUS_INVALID_HANDLE)
		var blind HANDLE
		want(t, "duplicate", ZwDuplicateObject(NtCurrentProcess(), NtCurrentThread(), NtCurrentProcess(), &blind, SYNCHRONIZE, 0, 0), STATUS_SUCCESS)
		want(t, "without the right", NtSetInformationThread(blind, ThreadPriority, PVOID(&v), 4), STATUS_ACCESS_DENIED)
		ZwClose(blind)
	})
}

// rule: obj-attach
func TestAttach(t *testing.T) {
	release := kit.Stay()
	defer release()
	var state [2]KAPC_STATE
	KeStackAttachProcess(PsInitialSystemProcess, &state[0])
	kit.At(irql.APC, func() { KeStackAttachProcess(PsInitialSystemProcess, &state[1]) })
	if IoGetCurrentProcess() != PsInitialSystemProcess {
		t.Error("another process")
	}
	KeUnstackDetachProcess(&state[1])
	KeUnstackDetachProcess(&state[0])
	KeAttachProcess(PsInitialSystemProcess)
	KeDetachProcess()

	stops := func(what string, level irql.Level, want bugcheck.Code, fn func()) {
		t.Helper()
		var code bugcheck.Code
		func() {
			defer func() {
				bugcheck.Intercept = nil
				if v := recover(); v != nil && v != any(stopped{}) {
					panic(v)
				}
			}()
			bugcheck.Intercept = func(c bugcheck.Code, _ [4]uintptr) {
				code = c
				irql.Lower(irql.Passive)
				panic(stopped{})
			}
			irql.Raise(level)
			fn()
			irql.Lower(irql.Passive)
		}()
		if code != want {
			t.Errorf("%s: bug check %#x, want %#x", what, uint32(code), uint32(want))
		}
	}
	stops("at DISPATCH_LEVEL", irql.Dispatch, bugcheck.VerifierDetectedViolation, func() { KeStackAttachProcess(PsInitialSystemProcess, &state[0]) })
	stops("not attached", irql.Passive, bugcheck.InvalidProcessDetach, func() { KeUnstackDetachProcess(&state[0]) })
}

// stopped is the panic in place of a stop.
type stopped struct{}

// A callback sees each handle to a thread, and lowers its access.
func TestCallbacks(t *testing.T) {
	kit.NoLeaks(t)
	th, _ := thread.Start("watched", func() {
		KeDelayExecutionThread(KernelMode, false, kit.Ms(1))
	})
	p := PVOID(th)
	defer ObDereferenceObject(p)
	type call struct {
		who string
		op  OB_OPERATION
	}
	var calls []call
	register := func(who, altitude string, remove ACCESS_MASK) (h PVOID, s NTSTATUS) {
		op := OB_OPERATION_REGISTRATION{
			ObjectType: PsThreadType, Operations: OB_OPERATION_HANDLE_CREATE | OB_OPERATION_HANDLE_DUPLICATE,
			PreOperation: func(context PVOID, i *OB_PRE_OPERATION_INFORMATION) OB_PREOP_CALLBACK_STATUS {
				if i.Object == p {
					calls = append(calls, call{who, i.Operation})
					if context != PVOID(t) || i.ObjectType != PsThreadType || kernel.Current().Locked && !KeAreApcsDisabled() {
						t.Errorf("%s: context %p, type %v", who, context, i.ObjectType)
					}
					i.Parameters.CreateHandleInformation().DesiredAccess &^= remove
					i.CallContext = PVOID(&calls)
				}
				return OB_PREOP_SUCCESS
			},
			PostOperation: func(_ PVOID, i *OB_POST_OPERATION_INFORMATION) {
				if i.Object == p {
					calls = append(calls, call{who + " after", i.Operation})
					if i.CallContext != PVOID(&calls) || i.ReturnStatus != STATUS_SUCCESS {
						t.Errorf("%s after: context %p, %v", who, i.CallContext, i.ReturnStatus)
					}
				}
			},
		}
		s = ObRegisterCallbacks(&OB_CALLBACK_REGISTRATION{
			Version: ObGetFilterVersion(), OperationRegistrationCount: 1, Altitude: *String(altitude),
			RegistrationContext: PVOID(t), OperationRegistration: []OB_OPERATION_REGISTRATION{op},
		}, &h)
		return h, s
	}
	low, s := register("low", "321000", THREAD_TERMINATE)
	want(t, "register", s, STATUS_SUCCESS)
	high, s := register("high", "1000000.5", THREAD_SUSPEND_RESUME)
	want(t, "register", s, STATUS_SUCCESS)
	_, s = register("twin", "0321000", 0)
	want(t, "an altitude that is taken", s, STATUS_FLT_INSTANCE_ALTITUDE_COLLISION)
	_, s = register("none", "12a", 0)
	want(t, "an altitude that is no number", s, STATUS_INVALID_PARAMETER)

	access := func(h HANDLE) ACCESS_MASK {
		var info OBJECT_HANDLE_INFORMATION
		var q PVOID
		want(t, "reference", ObReferenceObjectByHandle(h, 0, nil, KernelMode, &q, &info), STATUS_SUCCESS)
		ObDereferenceObject(q)
		return info.GrantedAccess
	}
	open := func(flags ULONG) HANDLE {
		var h HANDLE
		want(t, "open", ObOpenObjectByPointer(p, flags, nil, THREAD_ALL_ACCESS, PsThreadType, KernelMode, &h), STATUS_SUCCESS)
		return h
	}
	const both = THREAD_TERMINATE | THREAD_SUSPEND_RESUME
	h, k := open(0), open(OBJ_KERNEL_HANDLE)
	if access(h) != THREAD_ALL_ACCESS&^both || access(k) != THREAD_ALL_ACCESS {
		t.Errorf("access %#x, and %#x for the kernel", access(h), access(k))
	}
	var d HANDLE
	want(t, "duplicate", ZwDuplicateObject(NtCurrentProcess(), k, NtCurrentProcess(), &d, THREAD_TERMINATE, 0, 0), STATUS_SUCCESS)
	if access(d) != 0 {
		t.Errorf("access of a duplicate %#x", access(d))
	}
	round := func(op OB_OPERATION) []call {
		return []call{{"high", op}, {"low", op}, {"low after", op}, {"high after", op}}
	}
	expect := append(append(round(1), round(1)...), round(2)...)
	for i, c := range expect {
		if len(calls) != len(expect) || calls[i] != c {
			t.Fatalf("calls %v, want %v", calls, expect)
		}
	}
	ObUnRegisterCallbacks(low)
	ObUnRegisterCallbacks(high)
	h2 := open(0)
	if len(calls) != len(expect) || access(h2) != THREAD_ALL_ACCESS {
		t.Error("called after the end")
	}
	for _, h := range []HANDLE{h, k, d, h2} {
		ZwClose(h)
	}
}

func TestBadRegistration(t *testing.T) {
	pre := func(PVOID, *OB_PRE_OPERATION_INFORMATION) OB_PREOP_CALLBACK_STATUS { return OB_PREOP_SUCCESS }
	good := OB_OPERATION_REGISTRATION{ObjectType: PsProcessType, Operations: OB_OPERATION_HANDLE_CREATE, PreOperation: pre}
	for what, change := range map[string]func(*OB_CALLBACK_REGISTRATION, *OB_OPERATION_REGISTRATION){
		"version":       func(r *OB_CALLBACK_REGISTRATION, _ *OB_OPERATION_REGISTRATION) { r.Version = 0x200 },
		"nothing":       func(r *OB_CALLBACK_REGISTRATION, _ *OB_OPERATION_REGISTRATION) { r.OperationRegistrationCount = 0 },
		"too few":       func(r *OB_CALLBACK_REGISTRATION, _ *OB_OPERATION_REGISTRATION) { r.OperationRegistrationCount = 2 },
		"no altitude":   func(r *OB_CALLBACK_REGISTRATION, _ *OB_OPERATION_REGISTRATION) { r.Altitude = UNICODE_STRING{} },
		"type":          func(_ *OB_CALLBACK_REGISTRATION, o *OB_OPERATION_REGISTRATION) { o.ObjectType = ExEventObjectType },
		"no type":       func(_ *OB_CALLBACK_REGISTRATION, o *OB_OPERATION_REGISTRATION) { o.ObjectType = nil },
		"operation":     func(_ *OB_CALLBACK_REGISTRATION, o *OB_OPERATION_REGISTRATION) { o.Operations = 4 },
		"no operation":  func(_ *OB_CALLBACK_REGISTRATION, o *OB_OPERATION_REGISTRATION) { o.Operations = 0 },
		"without calls": func(_ *OB_CALLBACK_REGISTRATION, o *OB_OPERATION_REGISTRATION) { o.PreOperation = nil },
	} {
		o := good
		r := OB_CALLBACK_REGISTRATION{Version: OB_FLT_REGISTRATION_VERSION, OperationRegistrationCount: 1, Altitude: *String("1")}
		change(&r, &o)
		r.OperationRegistration = []OB_OPERATION_REGISTRATION{o}
		var h PVOID
		if s := ObRegisterCallbacks(&r, &h); s != STATUS_INVALID_PARAMETER || h != nil {
			t.Errorf("%s: %v", what, s)
		}
	}
}

// Services on threads check what the previous mode demands.
func TestThreadAccess(t *testing.T) {
	e := kit.New[KEVENT](t)
	KeInitializeEvent(e, NotificationEvent, false)
	th := kit.Go(t, func() NTSTATUS { return KeWaitForSingleObject(PVOID(e), Executive, KernelMode, false, nil) })
	var blind, full, kernelOnly HANDLE
	for h, how := range map[*HANDLE]struct {
		flags  ULONG
		access ACCESS_MASK
	}{&blind: {0, SYNCHRONIZE}, &full: {0, THREAD_ALL_ACCESS}, &kernelOnly: {OBJ_KERNEL_HANDLE, THREAD_ALL_ACCESS}} {
		want(t, "open", ObOpenObjectByPointer(PVOID(th.Kernel), how.flags, nil, how.access, PsThreadType, KernelMode, h), STATUS_SUCCESS)
	}
	services := func(h HANDLE, status NTSTATUS) {
		count := ULONG(7)
		want(t, "suspend", NtSuspendThread(h, &count), status)
		want(t, "resume", NtResumeThread(h, &count), status)
		want(t, "alert", NtAlertThread(h), status)
		want(t, "alert and resume", NtAlertResumeThread(h, nil), status)
		want(t, "queue an APC", NtQueueApcThread(h, func(_, _, _ PVOID) {}, nil, nil, nil), status)
	}
	kit.Run(t, func() {
		services(blind, STATUS_ACCESS_DENIED)
		services(full, STATUS_SUCCESS)
		services(kernelOnly, STATUS_INVALID_HANDLE)
		services(0x40000, STATUS_INVALID_HANDLE)
		services(NtCurrentProcess(), STATUS_OBJECT_TYPE_MISMATCH)
		want(t, "a bad pointer", NtSuspendThread(full, (*ULONG)(absent)), STATUS_ACCESS_VIOLATION)
	})
	asKernel(t, func() {
		services(blind, STATUS_SUCCESS)
		services(kernelOnly, STATUS_SUCCESS)
	})
	for _, h := range []HANDLE{blind, full, kernelOnly} {
		ZwClose(h)
	}
	KeSetEvent(e, 0, false)
	want(t, "the thread", th.Join(t), STATUS_SUCCESS)
}

// An alert is for the previous mode: a user's reaches waits for the user only.
func TestAlertMode(t *testing.T) {
	kit.Run(t, func() {
		want(t, "alert", NtAlertThread(NtCurrentThread()), STATUS_SUCCESS)
		if KeTestAlertThread(KernelMode) {
			t.Error("a user's alert reaches the kernel")
		}
		want(t, "test", NtTestAlert(), STATUS_ALERTED)
		want(t, "test again", NtTestAlert(), STATUS_SUCCESS)
	})
	asKernel(t, func() {
		want(t, "alert", NtAlertThread(NtCurrentThread()), STATUS_SUCCESS)
		if KeTestAlertThread(UserMode) {
			t.Error("the kernel's alert is the user's")
		}
		want(t, "test", NtTestAlert(), STATUS_ALERTED)
		want(t, "test again", NtTestAlert(), STATUS_SUCCESS)
	})
}
