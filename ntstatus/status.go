// Package ntstatus has the status codes that kernel routines return, with the
// documented names and values ([MS-ERREF] section 2.3.1).
package ntstatus

// Status is an NTSTATUS: severity in bits 31-30, facility and code below.
type Status int32

const (
	Success           Status = 0x00000000
	Wait0             Status = 0x00000000
	AbandonedWait0    Status = 0x00000080
	UserAPC           Status = 0x000000C0
	KernelAPC         Status = 0x00000100
	Alerted           Status = 0x00000101
	Timeout           Status = 0x00000102
	Pending           Status = 0x00000103
	NoYieldPerformed  Status = 0x40000024
	Misalignment      Status = -0x7FFFFFFE // 0x80000002, STATUS_DATATYPE_MISALIGNMENT
	Breakpoint        Status = -0x7FFFFFFD // 0x80000003
	SingleStep        Status = -0x7FFFFFFC // 0x80000004
	Unsuccessful      Status = -0x3FFFFFFF // 0xC0000001
	IllegalInstr      Status = -0x3FFFFFE3 // 0xC000001D, STATUS_ILLEGAL_INSTRUCTION
	Noncontinuable    Status = -0x3FFFFFDB // 0xC0000025, STATUS_NONCONTINUABLE_EXCEPTION
	ArrayBounds       Status = -0x3FFFFF74 // 0xC000008C, STATUS_ARRAY_BOUNDS_EXCEEDED
	FloatInvalid      Status = -0x3FFFFF70 // 0xC0000090, STATUS_FLOAT_INVALID_OPERATION
	IntegerDivide     Status = -0x3FFFFF6C // 0xC0000094, STATUS_INTEGER_DIVIDE_BY_ZERO
	GoPanic           Status = -0x1FFFFFB9 // 0xE0000047: a panic of Go, by the customer bit and 'G'
	AccessViolation   Status = -0x3FFFFFFB // 0xC0000005
	InvalidHandle     Status = -0x3FFFFFF8 // 0xC0000008
	InvalidParameter  Status = -0x3FFFFFF3 // 0xC000000D
	NoMemory          Status = -0x3FFFFFE9 // 0xC0000017
	AccessDenied      Status = -0x3FFFFFDE // 0xC0000022
	ObjectMismatch    Status = -0x3FFFFFDC // 0xC0000024
	MutantNotOwned    Status = -0x3FFFFFBA // 0xC0000046
	SemaphoreLimit    Status = -0x3FFFFFB9 // 0xC0000047
	NoResources       Status = -0x3FFFFF66 // 0xC000009A
	ProcedureNotFound Status = -0x3FFFFF86 // 0xC000007A
	MutantLimit       Status = -0x3FFFFE6F // 0xC0000191
	SuspendCount      Status = -0x3FFFFFB6 // 0xC000004A
	ThreadTerminating Status = -0x3FFFFFB5 // 0xC000004B
	DeletePending     Status = -0x3FFFFFAA // 0xC0000056
	InvalidOwner      Status = -0x3FFFFFA6 // 0xC000005A
	InvalidParameter2 Status = -0x3FFFFF10 // 0xC00000F0
	InvalidParameter3 Status = -0x3FFFFF0F // 0xC00000F1
	InvalidParameter4 Status = -0x3FFFFF0E // 0xC00000F2
	InvalidParameter5 Status = -0x3FFFFF0D // 0xC00000F3
	StackOverflow     Status = -0x3FFFFF03 // 0xC00000FD
	InvalidThread     Status = -0x3FFFF8E4 // 0xC000071C
)

// OK is NT_SUCCESS: true for success and informational codes.
func (s Status) OK() bool { return s >= 0 }
