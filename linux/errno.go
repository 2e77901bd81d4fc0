package linux

// errno is an error number of Linux (include/uapi/asm-generic/errno-base.h and
// errno.h); they are the same on both architectures.
type errno uintptr

const (
	ePERM        errno = 1
	eNOENT       errno = 2
	eSRCH        errno = 3
	eINTR        errno = 4
	eBADF        errno = 9
	eAGAIN       errno = 11
	eNOMEM       errno = 12
	eFAULT       errno = 14
	eEXIST       errno = 17
	eNODEV       errno = 19
	eINVAL       errno = 22
	eMFILE       errno = 24
	eNOTTY       errno = 25
	eSPIPE       errno = 29
	eROFS        errno = 30
	ePIPE        errno = 32
	eRANGE       errno = 34
	eNOSYS       errno = 38
	eAFNOSUPPORT errno = 97
	eTIMEDOUT    errno = 110
)

// result is how a call reports the error: as a small negative number.
func (e errno) result() uintptr { return -uintptr(e) }
