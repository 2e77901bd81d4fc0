package wdk

import "irqlab/ntstatus"

// Statuses.
const (
	STATUS_SUCCESS                  = ntstatus.Success
	STATUS_WAIT_0                   = ntstatus.Wait0
	STATUS_WAIT_1                   = ntstatus.Wait0 + 1
	STATUS_WAIT_2                   = ntstatus.Wait0 + 2
	STATUS_WAIT_63                  = ntstatus.Wait0 + 63
	STATUS_ABANDONED                = ntstatus.AbandonedWait0
	STATUS_ABANDONED_WAIT_0         = ntstatus.AbandonedWait0
	STATUS_USER_APC                 = ntstatus.UserAPC
	STATUS_KERNEL_APC               = ntstatus.KernelAPC
	STATUS_ALERTED                  = ntstatus.Alerted
	STATUS_TIMEOUT                  = ntstatus.Timeout
	STATUS_PENDING                  = ntstatus.Pending
	STATUS_NO_YIELD_PERFORMED       = ntstatus.NoYieldPerformed
	STATUS_DATATYPE_MISALIGNMENT    = ntstatus.Misalignment
	STATUS_BREAKPOINT               = ntstatus.Breakpoint
	STATUS_SINGLE_STEP              = ntstatus.SingleStep
	STATUS_ILLEGAL_INSTRUCTION      = ntstatus.IllegalInstr
	STATUS_NONCONTINUABLE_EXCEPTION = ntstatus.Noncontinuable
	STATUS_ARRAY_BOUNDS_EXCEEDED    = ntstatus.ArrayBounds
	STATUS_INTEGER_DIVIDE_BY_ZERO   = ntstatus.IntegerDivide
	STATUS_UNSUCCESSFUL             = ntstatus.Unsuccessful
	STATUS_ACCESS_VIOLATION         = ntstatus.AccessViolation
	STATUS_INVALID_HANDLE           = ntstatus.InvalidHandle
	STATUS_INVALID_PARAMETER        = ntstatus.InvalidParameter
	STATUS_NO_MEMORY                = ntstatus.NoMemory
	STATUS_ACCESS_DENIED            = ntstatus.AccessDenied
	STATUS_OBJECT_TYPE_MISMATCH     = ntstatus.ObjectMismatch
	STATUS_MUTANT_NOT_OWNED         = ntstatus.MutantNotOwned
	STATUS_SEMAPHORE_LIMIT_EXCEEDED = ntstatus.SemaphoreLimit
	STATUS_SUSPEND_COUNT_EXCEEDED   = ntstatus.SuspendCount
	STATUS_THREAD_IS_TERMINATING    = ntstatus.ThreadTerminating
	STATUS_INSUFFICIENT_RESOURCES   = ntstatus.NoResources
	STATUS_INVALID_PARAMETER_3      = ntstatus.InvalidParameter3
	STATUS_INVALID_PARAMETER_4      = ntstatus.InvalidParameter4
	STATUS_STACK_OVERFLOW           = ntstatus.StackOverflow
	STATUS_NOT_SUPPORTED            = ntstatus.NotSupported
	STATUS_PROCEDURE_NOT_FOUND      = ntstatus.ProcedureNotFound
	STATUS_MUTANT_LIMIT_EXCEEDED    = ntstatus.MutantLimit

	STATUS_OBJECT_NAME_EXISTS              = ntstatus.NameExists
	STATUS_TIMER_RESUME_IGNORED            = ntstatus.TimerResume
	STATUS_INVALID_INFO_CLASS              = ntstatus.InvalidInfoClass
	STATUS_INFO_LENGTH_MISMATCH            = ntstatus.InfoLength
	STATUS_INVALID_CID                     = ntstatus.InvalidClientID
	STATUS_INVALID_PARAMETER_MIX           = ntstatus.ParameterMix
	STATUS_OBJECT_NAME_INVALID             = ntstatus.NameInvalid
	STATUS_OBJECT_NAME_NOT_FOUND           = ntstatus.NameNotFound
	STATUS_OBJECT_NAME_COLLISION           = ntstatus.NameCollision
	STATUS_OBJECT_PATH_NOT_FOUND           = ntstatus.PathNotFound
	STATUS_OBJECT_PATH_SYNTAX_BAD          = ntstatus.PathSyntaxBad
	STATUS_PRIVILEGE_NOT_HELD              = ntstatus.PrivilegeNotHeld
	STATUS_HANDLE_NOT_CLOSABLE             = ntstatus.HandleNotClosable
	STATUS_FLT_INSTANCE_ALTITUDE_COLLISION = ntstatus.AltitudeCollision
	STATUS_INVALID_THREAD                  = ntstatus.InvalidThread
	STATUS_INVALID_PARAMETER_1             = ntstatus.InvalidParameter1
	STATUS_INVALID_PARAMETER_6             = ntstatus.InvalidParameter6
)

// NT_SUCCESS reports whether s is a success or informational code. Waits return
// several of those: compare with the exact one.
//
// IRQL: any
func NT_SUCCESS(s NTSTATUS) BOOLEAN { return s >= 0 }

// NT_INFORMATION reports whether s is an informational code.
//
// IRQL: any
func NT_INFORMATION(s NTSTATUS) BOOLEAN { return uint32(s)>>30 == 1 }

// NT_WARNING reports whether s is a warning.
//
// IRQL: any
func NT_WARNING(s NTSTATUS) BOOLEAN { return uint32(s)>>30 == 2 }

// NT_ERROR reports whether s is an error.
//
// IRQL: any
func NT_ERROR(s NTSTATUS) BOOLEAN { return uint32(s)>>30 == 3 }
