package linux

import (
	"irqlab/arch"
	"irqlab/irql"
)

// eventfd2(2) flags are those of open.
func eventfd2(initial, flags uintptr) uintptr {
	if flags&^(openNonblock|openCloseExec) != 0 {
		return eINVAL.result() // no semaphores
	}
	level := files.lock.Acquire()
	fd := allocate(counter, flags&openNonblock != 0)
	if fd >= 0 {
		files.open[fd].count = uint64(uint32(initial))
	}
	files.lock.Release(level)
	if fd < 0 {
		return eMFILE.result()
	}
	return uintptr(fd)
}

// readCounter takes the count and sets it to zero. Files lock held.
func (s *state) readCounter(fr *arch.Frame, level *irql.Level, fd int32, p, n uintptr) uintptr {
	if n < 8 {
		return eINVAL.result()
	}
	for {
		f := lookup(fd)
		if f == nil || f.kind != counter {
			return eBADF.result()
		}
		switch {
		case f.count != 0:
			*(*uint64)(pointer(p)) = f.count
			f.count = 0
			f.watch.armed |= pollOut
			changed()
			return 8
		case f.nonblock:
			return eAGAIN.result()
		case s.interrupted():
			return eINTR.result()
		}
		mayWait(fr, *level)
		s.await(level, 0)
	}
}

// writeCounter adds to the count. It never gets near overflow, where it would
// have to wait. Files lock held.
func writeCounter(f *file, p, n uintptr) uintptr {
	if n < 8 {
		return eINVAL.result()
	}
	f.count += *(*uint64)(pointer(p))
	f.watch.armed |= pollIn
	changed()
	return 8
}
