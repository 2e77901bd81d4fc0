package ntstatus

// Exception is what a raised status is in Go: the value of a panic, and an
// error. Recovering from it is what an exception handler does
// (__try/__except with GetExceptionCode).
type Exception struct {
	Status Status
}

// Error returns the status' documented name and what it means.
func (e Exception) Error() string { return e.Status.String() }

// names are those of the statuses that routines return and raise here.
var names = [...]struct {
	status Status
	text   string
}{
	{Success, "STATUS_SUCCESS"},
	{AbandonedWait0, "STATUS_ABANDONED: the mutant's last owner ended without releasing it"},
	{UserAPC, "STATUS_USER_APC: the wait was interrupted by a user APC"},
	{KernelAPC, "STATUS_KERNEL_APC: the wait was interrupted by a kernel APC"},
	{Alerted, "STATUS_ALERTED: the wait was interrupted by an alert"},
	{Timeout, "STATUS_TIMEOUT: the time to wait has passed"},
	{Pending, "STATUS_PENDING"},
	{NoYieldPerformed, "STATUS_NO_YIELD_PERFORMED: no other thread was ready"},
	{Misalignment, "STATUS_DATATYPE_MISALIGNMENT"},
	{Breakpoint, "STATUS_BREAKPOINT"},
	{SingleStep, "STATUS_SINGLE_STEP"},
	{Unsuccessful, "STATUS_UNSUCCESSFUL"},
	{IllegalInstr, "STATUS_ILLEGAL_INSTRUCTION"},
	{Noncontinuable, "STATUS_NONCONTINUABLE_EXCEPTION"},
	{ArrayBounds, "STATUS_ARRAY_BOUNDS_EXCEEDED"},
	{FloatInvalid, "STATUS_FLOAT_INVALID_OPERATION"},
	{IntegerDivide, "STATUS_INTEGER_DIVIDE_BY_ZERO"},
	{GoPanic, "a panic of Go"},
	{AccessViolation, "STATUS_ACCESS_VIOLATION"},
	{InvalidHandle, "STATUS_INVALID_HANDLE"},
	{InvalidParameter, "STATUS_INVALID_PARAMETER"},
	{NoMemory, "STATUS_NO_MEMORY"},
	{AccessDenied, "STATUS_ACCESS_DENIED"},
	{ObjectMismatch, "STATUS_OBJECT_TYPE_MISMATCH"},
	{NameExists, "STATUS_OBJECT_NAME_EXISTS: the object existed and was opened"},
	{NameInvalid, "STATUS_OBJECT_NAME_INVALID"},
	{NameNotFound, "STATUS_OBJECT_NAME_NOT_FOUND"},
	{NameCollision, "STATUS_OBJECT_NAME_COLLISION: there is an object of that name"},
	{PathNotFound, "STATUS_OBJECT_PATH_NOT_FOUND: a directory on the way does not exist"},
	{PathSyntaxBad, "STATUS_OBJECT_PATH_SYNTAX_BAD: the name must begin with a backslash, or, relative to a directory, without one"},
	{ParameterMix, "STATUS_INVALID_PARAMETER_MIX"},
	{PrivilegeNotHeld, "STATUS_PRIVILEGE_NOT_HELD"},
	{InvalidClientID, "STATUS_INVALID_CID"},
	{InvalidInfoClass, "STATUS_INVALID_INFO_CLASS"},
	{InfoLength, "STATUS_INFO_LENGTH_MISMATCH"},
	{TimerResume, "STATUS_TIMER_RESUME_IGNORED: the timer is set, and will not resume the machine"},
	{HandleNotClosable, "STATUS_HANDLE_NOT_CLOSABLE: the handle is protected"},
	{AltitudeCollision, "STATUS_FLT_INSTANCE_ALTITUDE_COLLISION: the altitude is taken"},
	{InvalidParameter1, "STATUS_INVALID_PARAMETER_1"},
	{InvalidParameter6, "STATUS_INVALID_PARAMETER_6"},
	{MutantNotOwned, "STATUS_MUTANT_NOT_OWNED: the mutex was released by a thread that does not own it"},
	{SemaphoreLimit, "STATUS_SEMAPHORE_LIMIT_EXCEEDED: the semaphore's count would pass its limit"},
	{SuspendCount, "STATUS_SUSPEND_COUNT_EXCEEDED"},
	{ThreadTerminating, "STATUS_THREAD_IS_TERMINATING"},
	{DeletePending, "STATUS_DELETE_PENDING: the object is about to be removed"},
	{InvalidOwner, "STATUS_INVALID_OWNER"},
	{InvalidParameter2, "STATUS_INVALID_PARAMETER_2"},
	{InvalidParameter3, "STATUS_INVALID_PARAMETER_3"},
	{InvalidParameter4, "STATUS_INVALID_PARAMETER_4"},
	{InvalidParameter5, "STATUS_INVALID_PARAMETER_5"},
	{InvalidRequest, "STATUS_INVALID_DEVICE_REQUEST: the driver cannot do that"},
	{AlreadyLoaded, "STATUS_IMAGE_ALREADY_LOADED"},
	{NoResources, "STATUS_INSUFFICIENT_RESOURCES"},
	{MutantLimit, "STATUS_MUTANT_LIMIT_EXCEEDED: the mutex was acquired too often"},
	{InvalidThread, "STATUS_INVALID_THREAD: only a system thread may own a mutex, not a goroutine that can move between threads; use PsCreateSystemThread"},
}

// String returns the status' documented name, and its meaning where that is not
// plain.
func (s Status) String() string {
	for i := range names {
		if names[i].status == s {
			return names[i].text
		}
	}
	return "an NTSTATUS without a name here"
}
