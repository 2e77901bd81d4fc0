package badinput

import (
	"reflect"

	. "irqlab/wdk"
)

// What calls that worked have done is undone, so that nothing is left at the end of
// a test. There are these tables: by the type of an object that was given, and of
// one that was stored, and by the routine.

// ends are what gives back what a call may have done to an object.
var ends = map[reflect.Type]func(p PVOID){
	of[KTIMER]():                           func(p PVOID) { KeCancelTimer(PKTIMER(p)) },
	of[EX_TIMER]():                         func(p PVOID) { ExCancelTimer(PEX_TIMER(p), nil) },
	of[KDPC]():                             func(PVOID) { KeFlushQueuedDpcs() },
	of[KQUEUE]():                           func(p PVOID) { KeRundownQueue(PRKQUEUE(p)) }, // the thread may belong to it
	of[KBUGCHECK_CALLBACK_RECORD]():        func(p PVOID) { KeDeregisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD(p)) },
	of[KBUGCHECK_REASON_CALLBACK_RECORD](): func(p PVOID) { KeDeregisterBugCheckReasonCallback((*KBUGCHECK_REASON_CALLBACK_RECORD)(p)) },
}

// stored are what gives back what a routine has stored for its caller, at p.
var stored = map[reflect.Type]func(p PVOID){
	of[HANDLE]():           func(p PVOID) { ZwClose(*PHANDLE(p)) },
	of[PCALLBACK_OBJECT](): func(p PVOID) { ObDereferenceObject(PVOID(*(*PCALLBACK_OBJECT)(p))) },
	of[PKINTERRUPT]():      func(p PVOID) { IoDisconnectInterrupt(*(*PKINTERRUPT)(p)) },
}

// undoes are what else is to be done after a routine, by its name.
var undoes = map[string]func(a *arguments){
	"ExAllocateCacheAwareRundownProtection": returned(func(p PVOID) { ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE(p)) }),
	"ExAllocateFromLookasideListEx":         returned(ExFreePool),
	"ExAllocateFromNPagedLookasideList":     returned(ExFreePool),
	"ExAllocatePool":                        returned(ExFreePool),
	"ExAllocatePool2":                       returned(ExFreePool),
	"ExAllocatePool3":                       returned(ExFreePool),
	"ExAllocatePoolPriorityUninitialized":   returned(ExFreePool),
	"ExAllocatePoolPriorityZero":            returned(ExFreePool),
	"ExAllocatePoolQuotaUninitialized":      returned(ExFreePool),
	"ExAllocatePoolQuotaZero":               returned(ExFreePool),
	"ExAllocatePoolUninitialized":           returned(ExFreePool),
	"ExAllocatePoolWithQuota":               returned(ExFreePool),
	"ExAllocatePoolWithQuotaTag":            returned(ExFreePool),
	"ExAllocatePoolWithTag":                 returned(ExFreePool),
	"ExAllocatePoolWithTagPriority":         returned(ExFreePool),
	"ExAllocatePoolZero":                    returned(ExFreePool),
	"ExAllocateTimer":                       returned(func(p PVOID) { ExDeleteTimer(PEX_TIMER(p), true, true, nil) }),
	"ExRegisterCallback":                    returned(ExUnregisterCallback),
	"IoAllocateMdl":                         returned(func(p PVOID) { IoFreeMdl(PMDL(p)) }),
	"IoAllocateWorkItem":                    returned(func(p PVOID) { IoFreeWorkItem(PIO_WORKITEM(p)) }),
	"IoInitializeTimer":                     func(a *arguments) { ExFreePool(PVOID(argument[PDEVICE_OBJECT](a, 0).Timer)) },
	"KeRegisterNmiCallback":                 returned(func(p PVOID) { KeDeregisterNmiCallback(p) }),
	"KeRegisterProcessorChangeCallback":     returned(KeDeregisterProcessorChangeCallback),
	"MmAllocateContiguousMemory":            returned(MmFreeContiguousMemory),
	"ObReferenceObjectByHandle":             func(a *arguments) { ObDereferenceObject(*argument[*PVOID](a, 4)) },
	"ObReferenceObjectByHandleWithTag":      func(a *arguments) { ObDereferenceObject(*argument[*PVOID](a, 5)) },
	"PsLookupProcessByProcessId":            func(a *arguments) { ObDereferenceObject(PVOID(*argument[*PEPROCESS](a, 1))) },
	"PsLookupThreadByThreadId":              func(a *arguments) { ObDereferenceObject(PVOID(*argument[*PETHREAD](a, 1))) },

	"KeSetSystemAffinityThread":   func(*arguments) { KeRevertToUserAffinityThread() },
	"KeSetSystemAffinityThreadEx": func(a *arguments) { KeRevertToUserAffinityThreadEx(KAFFINITY(a.result)) },
	"PsSetCreateProcessNotifyRoutine": func(a *arguments) {
		PsSetCreateProcessNotifyRoutine(argument[PCREATE_PROCESS_NOTIFY_ROUTINE](a, 0), true)
	},
	"PsSetCreateThreadNotifyRoutine": func(a *arguments) { PsRemoveCreateThreadNotifyRoutine(argument[PCREATE_THREAD_NOTIFY_ROUTINE](a, 0)) },
}

// returned is for a routine that returns what is to be given back, if not nil.
func returned(giveBack func(p PVOID)) func(a *arguments) {
	return func(a *arguments) {
		if !a.none {
			giveBack(PVOID(a.result))
		}
	}
}

// undo undoes what a call has done that has returned.
func (r *routine) undo(a *arguments) {
	if a.status && !NT_SUCCESS(NTSTATUS(int32(a.result))) {
		return
	}
	if undo := undoes[r.name]; undo != nil {
		undo(a)
	}
	f := reflect.TypeOf(r.fn)
	for i := range f.NumIn() {
		t := f.In(i)
		p := a.words[i][0]
		if t.Kind() != reflect.Pointer || p == 0 {
			continue
		}
		if giveBack := stored[t.Elem()]; giveBack != nil {
			giveBack(PVOID(p))
		}
		if end := ends[t.Elem()]; end != nil {
			end(PVOID(p))
		}
	}
}
