//go:build irqlab

package seh

import (
	"testing"

	. "irqlab/wdk"
)

// rule: seh-raise-av
func TestWDK(t *testing.T) {
	for name, c := range map[string]struct {
		body func()
		want NTSTATUS
	}{
		"status":       {func() { ExRaiseStatus(STATUS_TIMEOUT) }, STATUS_TIMEOUT},
		"violation":    {ExRaiseAccessViolation, STATUS_ACCESS_VIOLATION},
		"misalignment": {ExRaiseDatatypeMisalignment, STATUS_DATATYPE_MISALIGNMENT},
		"probe":        {func() { ProbeForRead(PVOID(MmUserProbeAddress), 1, 1) }, STATUS_ACCESS_VIOLATION},
		"probe write":  {func() { ProbeForWrite(nil, 1, 1) }, STATUS_ACCESS_VIOLATION},
	} {
		var seen, handled NTSTATUS
		abnormal := false
		TryExcept(func() {
			TryFinally(c.body, func(a BOOLEAN) { abnormal = a })
		}, func(p PEXCEPTION_POINTERS) LONG {
			seen = p.ExceptionRecord.Code
			return EXCEPTION_EXECUTE_HANDLER
		}, func(code NTSTATUS) { handled = code })
		if seen != c.want || handled != c.want || !abnormal {
			t.Errorf("%s: filter %v, handler %v, abnormal %v", name, seen, handled, abnormal)
		}
	}
}
