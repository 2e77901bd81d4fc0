package linux

import (
	"sync/atomic"

	"irqlab/arch"
)

// Unknown counts the calls that were refused with ENOSYS; the last one's number
// is in LastUnknown.
var Unknown, LastUnknown uint64

// Syscall serves the system call in f and stores its result there. It is
// called with interrupts enabled on the thread's kernel stack.
//
// IRQL: of the caller
func Syscall(f *arch.Frame) {
	nr, s := f.Syscall(), current()
	if nr == sysRtSigreturn {
		sigreturn(f, s)
		return
	}
	var a [6]uintptr
	f.Arguments(&a)
	f.SetResult(call(f, s, nr, &a))
}

func call(f *arch.Frame, s *state, nr uintptr, a *[6]uintptr) uintptr {
	switch nr {
	case sysFutex:
		return futex(f, s, a[0], a[1], uint32(a[2]), a[3])
	case sysSchedYield:
		return schedYield(s)
	case sysNanosleep:
		return nanosleep(f, s, a[0], a[1])
	case sysClockNanosleep:
		return clockNanosleep(f, s, a[0], a[1], a[2], a[3])
	case sysClockGettime:
		return clockGettime(a[0], a[1])
	case sysClockGetres:
		return clockGetres(a[0], a[1])
	case sysGetrandom:
		return getrandom(a[0], a[1])

	case sysMmap:
		return mmap(a[0], a[1], a[2], a[3], int32(a[4]))
	case sysMunmap:
		return munmap(a[0], a[1])
	case sysMprotect:
		return mprotect(a[0], a[1], a[2])
	case sysMadvise:
		return madvise(a[0], a[1], a[2])
	case sysMincore:
		return mincore(a[0], a[1], a[2])
	case sysBrk:
		return 0 // no heap of this kind: the break stays where it is, at 0

	case sysClone:
		return clone(f, s, a)
	case sysExit:
		exit(s)
	case sysExitGroup:
		Exit(int32(a[0]))
	case sysTgkill:
		return tgkill(uint32(a[1]), a[2])
	case sysKill:
		return kill(a[1])
	case sysRtSigaction:
		return sigaction(a[0], a[1], a[2], a[3])
	case sysRtSigprocmask:
		return sigprocmask(s, a[0], a[1], a[2])
	case sysSigaltstack:
		return sigaltstack(f, s, a[0], a[1])

	case sysRead:
		return read(f, s, int32(a[0]), a[1], a[2])
	case sysWrite:
		return write(f, s, int32(a[0]), a[1], a[2])
	case sysClose:
		return closeFile(int32(a[0]))
	case sysFcntl:
		return fcntl(int32(a[0]), a[1], a[2])
	case sysIoctl:
		return ioctl(int32(a[0]))
	case sysFstat:
		return fstat(int32(a[0]), a[1])
	case sysLseek, sysPread, sysPwrite:
		return eSPIPE.result()
	case sysOpenat:
		return openat(a[1], a[2])
	case sysPipe2:
		return pipe2(a[0], a[1])
	case sysEventfd2:
		return eventfd2(a[0], a[1])
	case sysEpollCreate1:
		return epollCreate()
	case sysEpollCtl:
		return epollCtl(int32(a[0]), a[1], int32(a[2]), a[3])
	case sysEpollPwait, sysEpollWait:
		return epollWait(f, s, int32(a[0]), a[1], a[2], int32(a[3]))
	case sysNewfstatat, sysReadlinkat, sysFaccessat, sysFaccessat2, sysStatx:
		return eNOENT.result()
	case sysMkdirat, sysUnlinkat:
		return eROFS.result()
	case sysSocket:
		return eAFNOSUPPORT.result()
	case sysGetcwd:
		return getcwd(a[0], a[1])

	case sysGettid:
		return uintptr(s.tid)
	case sysGetpid:
		return processID
	case sysGetppid, sysGetuid, sysGeteuid, sysGetgid, sysGetegid:
		return 0
	case sysSchedGetaffinity:
		return schedGetaffinity(s, a[1], a[2])
	case sysPrlimit64:
		return prlimit(a[1], a[3])
	case sysUname:
		return uname(a[0])
	case sysGetrusage:
		return getrusage(a[1])
	case sysArchPrctl:
		return archCall(s, nr, a)
	case sysPrctl, sysSetitimer, sysTimerCreate, sysTimerSettime, sysTimerDelete:
		// Names for memory areas, and profiling by time: the runtime does
		// without.
		return eINVAL.result()
	}
	atomic.AddUint64(&Unknown, 1)
	atomic.StoreUint64(&LastUnknown, uint64(nr))
	return eNOSYS.result()
}
