package linux

// System call numbers (arch/x86/entry/syscalls/syscall_64.tbl).
const (
	sysRead             = 0
	sysWrite            = 1
	sysClose            = 3
	sysFstat            = 5
	sysLseek            = 8
	sysMmap             = 9
	sysMprotect         = 10
	sysMunmap           = 11
	sysBrk              = 12
	sysRtSigaction      = 13
	sysRtSigprocmask    = 14
	sysRtSigreturn      = 15
	sysIoctl            = 16
	sysPread            = 17
	sysPwrite           = 18
	sysSchedYield       = 24
	sysMincore          = 27
	sysMadvise          = 28
	sysNanosleep        = 35
	sysSetitimer        = 38
	sysGetpid           = 39
	sysSocket           = 41
	sysClone            = 56
	sysExit             = 60
	sysKill             = 62
	sysUname            = 63
	sysFcntl            = 72
	sysGetcwd           = 79
	sysGetrusage        = 98
	sysGetuid           = 102
	sysGetgid           = 104
	sysGeteuid          = 107
	sysGetegid          = 108
	sysGetppid          = 110
	sysSigaltstack      = 131
	sysPrctl            = 157
	sysArchPrctl        = 158
	sysGettid           = 186
	sysFutex            = 202
	sysSchedGetaffinity = 204
	sysTimerCreate      = 222
	sysTimerSettime     = 223
	sysTimerDelete      = 226
	sysClockGettime     = 228
	sysClockGetres      = 229
	sysClockNanosleep   = 230
	sysExitGroup        = 231
	sysEpollWait        = 232
	sysEpollCtl         = 233
	sysTgkill           = 234
	sysOpenat           = 257
	sysMkdirat          = 258
	sysNewfstatat       = 262
	sysUnlinkat         = 263
	sysReadlinkat       = 267
	sysFaccessat        = 269
	sysEpollPwait       = 281
	sysEventfd2         = 290
	sysEpollCreate1     = 291
	sysPipe2            = 293
	sysPrlimit64        = 302
	sysGetrandom        = 318
	sysStatx            = 332
	sysFaccessat2       = 439
)

// struct epoll_event is packed on x86-64 only (include/uapi/linux/eventpoll.h).
const (
	epollEventSize = 12
	epollEventData = 4
)

// struct stat (arch/x86/include/uapi/asm/stat.h).
const (
	statSize      = 144
	statNlink     = 16
	statMode      = 24
	statBlockSize = 56
)

// cloneTLS is the argument of clone that has the thread pointer.
const cloneTLS = 4

// machine is what uname reports.
const machine = "x86_64"

// archCall serves the calls that only this architecture has.
func archCall(s *state, nr uintptr, a *[6]uintptr) uintptr {
	const setFS = 0x1002 // ARCH_SET_FS, arch_prctl(2)
	if nr == sysArchPrctl && a[0] == setFS {
		s.thread().Context.TLS = a[1]
		return 0
	}
	return eINVAL.result()
}
