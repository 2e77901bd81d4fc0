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
	NameExists        Status = 0x40000000
	NoYieldPerformed  Status = 0x40000024
	TimerResume       Status = 0x40000025
	Misalignment      Status = -0x7FFFFFFE // 0x80000002, STATUS_DATATYPE_MISALIGNMENT
	Breakpoint        Status = -0x7FFFFFFD // 0x80000003
	SingleStep        Status = -0x7FFFFFFC // 0x80000004
	Unsuccessful      Status = -0x3FFFFFFF // 0xC0000001
	InvalidInfoClass  Status = -0x3FFFFFFD // 0xC0000003
	InfoLength        Status = -0x3FFFFFFC // 0xC0000004
	AccessViolation   Status = -0x3FFFFFFB // 0xC0000005
	InvalidHandle     Status = -0x3FFFFFF8 // 0xC0000008
	InvalidClientID   Status = -0x3FFFFFF5 // 0xC000000B
	InvalidParameter  Status = -0x3FFFFFF3 // 0xC000000D
	NoMemory          Status = -0x3FFFFFE9 // 0xC0000017
	IllegalInstr      Status = -0x3FFFFFE3 // 0xC000001D, STATUS_ILLEGAL_INSTRUCTION
	InvalidRequest    Status = -0x3FFFFFF0 // 0xC0000010, STATUS_INVALID_DEVICE_REQUEST
	AccessDenied      Status = -0x3FFFFFDE // 0xC0000022
	ObjectMismatch    Status = -0x3FFFFFDC // 0xC0000024
	Noncontinuable    Status = -0x3FFFFFDB // 0xC0000025, STATUS_NONCONTINUABLE_EXCEPTION
	ParameterMix      Status = -0x3FFFFFD0 // 0xC0000030
	NameInvalid       Status = -0x3FFFFFCD // 0xC0000033
	NameNotFound      Status = -0x3FFFFFCC // 0xC0000034
	NameCollision     Status = -0x3FFFFFCB // 0xC0000035
	PathNotFound      Status = -0x3FFFFFC6 // 0xC000003A
	PathSyntaxBad     Status = -0x3FFFFFC5 // 0xC000003B
	MutantNotOwned    Status = -0x3FFFFFBA // 0xC0000046
	SemaphoreLimit    Status = -0x3FFFFFB9 // 0xC0000047
	SuspendCount      Status = -0x3FFFFFB6 // 0xC000004A
	ThreadTerminating Status = -0x3FFFFFB5 // 0xC000004B
	DeletePending     Status = -0x3FFFFFAA // 0xC0000056
	InvalidOwner      Status = -0x3FFFFFA6 // 0xC000005A
	PrivilegeNotHeld  Status = -0x3FFFFF9F // 0xC0000061
	NotSupported      Status = -0x3FFFFF45 // 0xC00000BB
	ProcedureNotFound Status = -0x3FFFFF86 // 0xC000007A
	ArrayBounds       Status = -0x3FFFFF74 // 0xC000008C, STATUS_ARRAY_BOUNDS_EXCEEDED
	FloatInvalid      Status = -0x3FFFFF70 // 0xC0000090, STATUS_FLOAT_INVALID_OPERATION
	IntegerDivide     Status = -0x3FFFFF6C // 0xC0000094, STATUS_INTEGER_DIVIDE_BY_ZERO
	NoResources       Status = -0x3FFFFF66 // 0xC000009A
	InvalidParameter1 Status = -0x3FFFFF11 // 0xC00000EF
	InvalidParameter2 Status = -0x3FFFFF10 // 0xC00000F0
	InvalidParameter3 Status = -0x3FFFFF0F // 0xC00000F1
	InvalidParameter4 Status = -0x3FFFFF0E // 0xC00000F2
	InvalidParameter5 Status = -0x3FFFFF0D // 0xC00000F3
	InvalidParameter6 Status = -0x3FFFFF0C // 0xC00000F4
	StackOverflow     Status = -0x3FFFFF03 // 0xC00000FD
	AlreadyLoaded     Status = -0x3FFFFEF2 // 0xC000010E, STATUS_IMAGE_ALREADY_LOADED
	MutantLimit       Status = -0x3FFFFE6F // 0xC0000191
	HandleNotClosable Status = -0x3FFFFDCB // 0xC0000235
	InvalidThread     Status = -0x3FFFF8E4 // 0xC000071C
	AltitudeCollision Status = -0x3FE3FFEF // 0xC01C0011
	GoPanic           Status = -0x1FFFFFB9 // 0xE0000047: a panic of Go, by the customer bit and 'G'
)

// OK is NT_SUCCESS: true for success and informational codes.
func (s Status) OK() bool { return s >= 0 }
