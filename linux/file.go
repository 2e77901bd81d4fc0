package linux

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/list"
	"irqlab/sync/spin"
)

// The files lock guards descriptors, pipes, event counters, epoll sets and the
// list of threads that wait for any of them. It is held at DISPATCH_LEVEL while
// a chunk of data is copied, so at most chunkBytes; the dispatcher lock is
// taken below it.
var files struct {
	lock spin.Lock
	open [maxFiles]file
	wait list.Entry // states, by poll
}

const maxFiles = 64

// kind is what a descriptor leads to.
type kind uint8

const (
	closed kind = iota
	terminal
	null
	entropy // /dev/urandom
	readEnd
	writeEnd
	counter // eventfd
	poller  // epoll
)

// file is what a descriptor stands for. Nothing here can be duplicated or
// inherited, so descriptor and open file description are one.
type file struct {
	kind     kind
	nonblock bool
	pipe     *pipe  // of the ends
	count    uint64 // of a counter
	watch    watch  // how an epoll set watches the file
}

func initFiles() {
	files.wait.Init()
	for fd := range 3 {
		files.open[fd].kind = terminal
	}
}

// lookup returns the file of a descriptor, or nil. Files lock held.
func lookup(fd int32) *file {
	if fd < 0 || fd >= maxFiles || files.open[fd].kind == closed {
		return nil
	}
	return &files.open[fd]
}

// allocate returns the lowest free descriptor, or -1. Files lock held.
func allocate(k kind, nonblock bool) int32 {
	for fd := range files.open {
		if f := &files.open[fd]; f.kind == closed {
			*f = file{kind: k, nonblock: nonblock}
			return int32(fd)
		}
	}
	return -1
}

// changed wakes the threads that wait for a file: those few look themselves
// whether it concerns them. Files lock held.
func changed() {
	for e := files.wait.Flink; e != &files.wait; e = e.Flink {
		(*state)(e.Container(unsafe.Offsetof(state{}.poll))).wake()
	}
}

// await waits for any change of any file, a signal or the deadline. The files
// lock is held at the call and at return, but not meanwhile.
func (s *state) await(level *irql.Level, until deadline) {
	files.wait.InsertTail(&s.poll)
	files.lock.Release(*level)
	s.sleep(until)
	*level = files.lock.Acquire()
	s.poll.Remove()
}

// Open flags (open(2), generic values).
const (
	openNonblock  = 0x800
	openCloseExec = 0x80000
	accessMode    = 3
	readWrite     = 2
)

// openat knows two devices that programs ask for by name.
func openat(path, flags uintptr) uintptr {
	k := closed
	switch {
	case pathIs(path, "/dev/null"):
		k = null
	case pathIs(path, "/dev/urandom"), pathIs(path, "/dev/random"):
		k = entropy
	default:
		return eNOENT.result()
	}
	level := files.lock.Acquire()
	fd := allocate(k, flags&openNonblock != 0)
	files.lock.Release(level)
	if fd < 0 {
		return eMFILE.result()
	}
	return uintptr(fd)
}

// pathIs compares a zero-terminated string of the program.
func pathIs(p uintptr, name string) bool {
	n := uintptr(len(name)) + 1
	if !readable(p, n) {
		return false
	}
	b := bytesAt(p, n)
	for i := range len(name) {
		if b[i] != name[i] {
			return false
		}
	}
	return b[len(name)] == 0
}

func closeFile(fd int32) uintptr {
	level := files.lock.Acquire()
	f := lookup(fd)
	if f == nil {
		files.lock.Release(level)
		return eBADF.result()
	}
	var dead *pipe
	switch f.kind {
	case readEnd:
		f.pipe.readers--
		f.pipe.notify(pollOut | pollErr)
		dead = f.pipe.release()
	case writeEnd:
		f.pipe.writers--
		f.pipe.notify(pollIn | pollHangup)
		dead = f.pipe.release()
	case poller:
		for i := range files.open {
			if w := &files.open[i].watch; w.set == fd {
				*w = watch{}
			}
		}
	}
	*f = file{}
	changed()
	files.lock.Release(level)
	if dead != nil {
		dead.free()
	}
	return 0
}

func read(fr *arch.Frame, s *state, fd int32, p, n uintptr) uintptr {
	if !writable(p, n) {
		return eFAULT.result()
	}
	level := files.lock.Acquire()
	f := lookup(fd)
	if f == nil {
		files.lock.Release(level)
		return eBADF.result()
	}
	k := f.kind
	var r uintptr
	switch k {
	case readEnd:
		r = s.readPipe(fr, &level, fd, p, n)
	case counter:
		r = s.readCounter(fr, &level, fd, p, n)
	case terminal:
		r = s.readTerminal(fr, &level, fd, p, n)
	case null:
		r = 0
	case entropy:
		r = n
	default:
		r = eBADF.result()
	}
	files.lock.Release(level)
	if k == entropy {
		fillRandom(bytesAt(p, n))
	}
	return r
}

func write(fr *arch.Frame, s *state, fd int32, p, n uintptr) uintptr {
	if !readable(p, n) {
		return eFAULT.result()
	}
	if fd == 1 || fd == 2 {
		// The runtime prints at any level, and the lock would not do there.
		writeBytes(bytesAt(p, n))
		return n
	}
	level := files.lock.Acquire()
	r := eBADF.result()
	if f := lookup(fd); f != nil {
		switch f.kind {
		case writeEnd:
			r = s.writePipe(fr, &level, fd, p, n)
		case counter:
			r = writeCounter(f, p, n)
		case null, entropy:
			r = n
		}
	}
	files.lock.Release(level)
	return r
}

// Commands of fcntl(2).
const (
	getDescriptor = 1
	setDescriptor = 2
	getFlags      = 3
	setFlags      = 4
)

func fcntl(fd int32, command, arg uintptr) uintptr {
	level := files.lock.Acquire()
	r := eBADF.result()
	if f := lookup(fd); f != nil {
		switch command {
		case getDescriptor:
			r = 1 // FD_CLOEXEC; there is no exec
		case setDescriptor:
			r = 0
		case getFlags:
			r = f.access()
			if f.nonblock {
				r |= openNonblock
			}
		case setFlags:
			f.nonblock = arg&openNonblock != 0
			r = 0
		default:
			r = eINVAL.result()
		}
	}
	files.lock.Release(level)
	return r
}

func (f *file) access() uintptr {
	switch f.kind {
	case readEnd:
		return 0
	case writeEnd:
		return 1
	}
	return readWrite
}

func ioctl(fd int32) uintptr {
	level := files.lock.Acquire()
	f := lookup(fd)
	files.lock.Release(level)
	if f == nil {
		return eBADF.result()
	}
	return eNOTTY.result()
}

// File types in st_mode (inode(7)).
const (
	modeFIFO      = 0x1000
	modeCharacter = 0x2000
	modeOwner     = 0x180 // rw-------
)

func fstat(fd int32, p uintptr) uintptr {
	if !writable(p, statSize) {
		return eFAULT.result()
	}
	level := files.lock.Acquire()
	mode := uint32(modeOwner)
	f := lookup(fd)
	if f != nil {
		switch f.kind {
		case readEnd, writeEnd:
			mode |= modeFIFO
		case terminal, null, entropy:
			mode |= modeCharacter
		}
	}
	files.lock.Release(level)
	if f == nil {
		return eBADF.result()
	}
	clear(bytesAt(p, statSize))
	*(*uint32)(pointer(p + statMode)) = mode
	*(*uint32)(pointer(p + statNlink)) = 1
	*(*uint32)(pointer(p + statBlockSize)) = arch.PageSize
	return 0
}
