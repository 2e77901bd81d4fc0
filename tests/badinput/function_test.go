package badinput

import (
	"reflect"
	"testing"

	"irqlab/irql"
	. "irqlab/wdk"
)

// noRoutine is the outcome of nil for a routine that the caller has called.
const noRoutine = "stop 0xc4/0x1ab0005"

// An array is bad in these ways: in Go it knows how long it is, and a count that
// says more is wrong.
const isEmpty = "shorter than its count"

// functionsOf checks what a routine is to call, and its arrays.
func (b *bench) functionsOf(r *routine) {
	f := reflect.TypeOf(r.fn)
	for i := range f.NumIn() {
		t := f.In(i)
		var bad map[string]reflect.Value
		want := noRoutine
		switch t.Kind() {
		case reflect.Func:
			bad = map[string]reflect.Value{isNil: reflect.Zero(t)}
		case reflect.Slice:
			want = violation
			if t == of[[]HANDLE]() {
				want = refused
			}
			bad = map[string]reflect.Value{isNil: reflect.Zero(t), isEmpty: reflect.MakeSlice(t, 0, 1)}
		}
		for kind, v := range bad {
			b.check(r, i, kind, irql.Passive, func() reflect.Value { return v }, want)
		}
	}
}

// TestFunctions gives every routine nil for what it is to call, and for its arrays.
func TestFunctions(t *testing.T) {
	b := newBench(t)
	watch(t, func(step func(string)) {
		b.step = step
		for i := range routines {
			if reasons[routines[i].name] == "" {
				b.functionsOf(&routines[i])
			}
		}
	})
	t.Logf("%d calls", b.cases)
}

// A routine to call may also come in a structure.
func TestMembers(t *testing.T) {
	noLeaks(t)
	var none PCREATE_THREAD_NOTIFY_ROUTINE
	ignore := OB_OPERATION_REGISTRATION{ObjectType: PsThreadType, Operations: OB_OPERATION_HANDLE_CREATE}
	for _, m := range []struct {
		name string
		call func() NTSTATUS
		want string
	}{
		{"IoConnectInterruptEx", func() NTSTATUS {
			var i PKINTERRUPT
			p := IO_CONNECT_INTERRUPT_PARAMETERS{Version: CONNECT_FULLY_SPECIFIED}
			p.FullySpecified.InterruptObject = &i
			p.FullySpecified.Vector, p.FullySpecified.Irql, p.FullySpecified.SynchronizeIrql = SoftwareVector, 5, 5
			p.FullySpecified.ProcessorEnableMask = 1
			return IoConnectInterruptEx(&p)
		}, noRoutine},
		{"ObRegisterCallbacks", func() NTSTATUS {
			var h PVOID
			return ObRegisterCallbacks(&OB_CALLBACK_REGISTRATION{
				Version: OB_FLT_REGISTRATION_VERSION, OperationRegistrationCount: 1, OperationRegistration: []OB_OPERATION_REGISTRATION{ignore},
			}, &h)
		}, "returns 0xc000000d"},
		{"ObRegisterCallbacks, of fewer than it says", func() NTSTATUS {
			var h PVOID
			return ObRegisterCallbacks(&OB_CALLBACK_REGISTRATION{Version: OB_FLT_REGISTRATION_VERSION, OperationRegistrationCount: 1}, &h)
		}, "returns 0xc000000d"},
		{"PsSetCreateThreadNotifyRoutineEx", func() NTSTATUS {
			s := PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifySubsystems, PVOID(&none))
			PsRemoveCreateThreadNotifyRoutine(nil)
			return s
		}, "returns 0x0"},
	} {
		r := routine{name: m.name, call: func(a *arguments) { result(a, m.call()) }}
		watch(t, func(step func(string)) {
			step(m.name)
			if got := r.outcome(irql.Passive, new(arguments), m.want); !allowed(m.want, got) {
				t.Errorf("%s: %s, want %s", m.name, got, m.want)
			}
		})
	}
}
