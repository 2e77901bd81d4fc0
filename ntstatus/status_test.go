package ntstatus

import "testing"

// rule: status-values
// rule: status-errors
func TestValues(t *testing.T) {
	for want, s := range map[uint32]Status{
		0x00000000: Wait0, 0x00000080: AbandonedWait0, 0x000000C0: UserAPC, 0x00000100: KernelAPC,
		0x00000101: Alerted, 0x00000102: Timeout, 0x00000103: Pending,
		0x80000002: Misalignment, 0x80000003: Breakpoint, 0x80000004: SingleStep,
		0xC0000005: AccessViolation, 0xC0000008: InvalidHandle, 0xC000001D: IllegalInstr, 0xC0000022: AccessDenied,
		0xC0000024: ObjectMismatch, 0xC0000025: Noncontinuable, 0xC0000046: MutantNotOwned, 0xC0000047: SemaphoreLimit,
		0xC000004A: SuspendCount, 0xC000004B: ThreadTerminating, 0xC000008C: ArrayBounds, 0xC0000090: FloatInvalid,
		0xC0000094: IntegerDivide, 0xC0000191: MutantLimit, 0xE0000047: GoPanic,
	} {
		if uint32(s) != want {
			t.Errorf("%v is %#x, want %#x", s, uint32(s), want)
		}
		if s.OK() != (want>>31 == 0) {
			t.Errorf("%v: OK is %v", s, s.OK())
		}
	}
}
