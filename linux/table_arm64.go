package linux

// System call numbers (include/uapi/asm-generic/unistd.h).
const (
	sysGetcwd           = 17
	sysEventfd2         = 19
	sysEpollCreate1     = 20
	sysEpollCtl         = 21
	sysEpollPwait       = 22
	sysFcntl            = 25
	sysIoctl            = 29
	sysMkdirat          = 34
	sysUnlinkat         = 35
	sysFaccessat        = 48
	sysOpenat           = 56
	sysClose            = 57
	sysPipe2            = 59
	sysLseek            = 62
	sysRead             = 63
	sysWrite            = 64
	sysPread            = 67
	sysPwrite           = 68
	sysReadlinkat       = 78
	sysNewfstatat       = 79
	sysFstat            = 80
	sysExit             = 93
	sysExitGroup        = 94
	sysFutex            = 98
	sysNanosleep        = 101
	sysSetitimer        = 103
	sysTimerCreate      = 107
	sysTimerSettime     = 110
	sysTimerDelete      = 111
	sysClockGettime     = 113
	sysClockGetres      = 114
	sysClockNanosleep   = 115
	sysSchedGetaffinity = 123
	sysSchedYield       = 124
	sysKill             = 129
	sysTgkill           = 131
	sysSigaltstack      = 132
	sysRtSigaction      = 134
	sysRtSigprocmask    = 135
	sysRtSigreturn      = 139
	sysUname            = 160
	sysGetrusage        = 165
	sysPrctl            = 167
	sysGetpid           = 172
	sysGetppid          = 173
	sysGetuid           = 174
	sysGeteuid          = 175
	sysGetgid           = 176
	sysGetegid          = 177
	sysGettid           = 178
	sysSocket           = 198
	sysBrk              = 214
	sysMunmap           = 215
	sysClone            = 220
	sysMmap             = 222
	sysMprotect         = 226
	sysMincore          = 232
	sysMadvise          = 233
	sysPrlimit64        = 261
	sysGetrandom        = 278
	sysStatx            = 291
	sysFaccessat2       = 439

	// These do not exist here.
	sysArchPrctl = 1 << 16
	sysEpollWait = 1<<16 + 1
)

// struct epoll_event (include/uapi/linux/eventpoll.h).
const (
	epollEventSize = 16
	epollEventData = 8
)

// struct stat (include/uapi/asm-generic/stat.h).
const (
	statSize      = 128
	statMode      = 16
	statNlink     = 20
	statBlockSize = 56
)

// cloneTLS is the argument of clone that has the thread pointer.
const cloneTLS = 3

// machine is what uname reports.
const machine = "aarch64"

// archCall serves the calls that only this architecture has.
func archCall(*state, uintptr, *[6]uintptr) uintptr { return eNOSYS.result() }
