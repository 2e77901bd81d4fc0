package linux

import (
	"irqlab/arch"
	"irqlab/irql"
)

// Epoll sets (epoll(7)): the runtime's network poller has one, with a counter
// in it that wakes it, and the pipes of the program. A file can be in one set.
// Everything here is guarded by the files lock.

// Events (epoll_ctl(2)).
const (
	pollIn         = 0x001
	pollOut        = 0x004
	pollErr        = 0x008
	pollHangup     = 0x010
	pollReadHangup = 0x2000
	pollEdge       = 1 << 31

	pollAlways = pollErr | pollHangup // reported without being asked for
)

// watch is the interest of an epoll set in a file.
type watch struct {
	set    int32 // descriptor of the set; 0 for none, since 0 is the terminal
	events uint32
	armed  uint32 // edge-triggered: what may have become true since it was reported
	data   uint64
}

// Operations of epoll_ctl(2).
const (
	pollAdd    = 1
	pollRemove = 2
	pollModify = 3
)

func epollCreate() uintptr {
	level := files.lock.Acquire()
	fd := allocate(poller, false)
	files.lock.Release(level)
	if fd < 0 {
		return eMFILE.result()
	}
	return uintptr(fd)
}

func epollCtl(set int32, op uintptr, fd int32, event uintptr) uintptr {
	if op != pollRemove && !readable(event, epollEventSize) {
		return eFAULT.result()
	}
	level := files.lock.Acquire()
	e := control(set, op, fd, event)
	files.lock.Release(level)
	if e != 0 {
		return e.result()
	}
	return 0
}

func control(set int32, op uintptr, fd int32, event uintptr) errno {
	ep, f := lookup(set), lookup(fd)
	switch {
	case ep == nil || f == nil:
		return eBADF
	case ep.kind != poller || f == ep:
		return eINVAL
	case f.kind != readEnd && f.kind != writeEnd && f.kind != counter:
		return ePERM // not to be waited for, as regular files on Linux
	case op == pollAdd && f.watch.set != 0:
		return eEXIST
	case op != pollAdd && f.watch.set != set:
		return eNOENT
	}
	switch op {
	case pollAdd, pollModify:
		f.watch = watch{
			set:    set,
			events: *(*uint32)(pointer(event)),
			armed:  ^uint32(0),
			data:   *(*uint64)(pointer(event + epollEventData)),
		}
		changed()
	case pollRemove:
		f.watch = watch{}
	default:
		return eINVAL
	}
	return 0
}

// ready returns what can be done with the file now.
func (f *file) ready() uint32 {
	e := uint32(0)
	switch f.kind {
	case counter:
		e = pollOut
		if f.count != 0 {
			e |= pollIn
		}
	case readEnd:
		if f.pipe.used() > 0 {
			e |= pollIn
		}
		if f.pipe.writers == 0 {
			e |= pollHangup
		}
	case writeEnd:
		if f.pipe.used() < pipeBytes {
			e |= pollOut
		}
		if f.pipe.readers == 0 {
			e |= pollErr
		}
	}
	return e
}

// report returns what the set is to be told of the file, once if it asked for
// edges.
func (f *file) report() uint32 {
	w := &f.watch
	e := f.ready() & (w.events | pollAlways)
	if w.events&pollEdge != 0 {
		e &= w.armed
		w.armed &^= e
	}
	return e
}

func epollWait(fr *arch.Frame, s *state, set int32, events, n uintptr, ms int32) uintptr {
	const most = 1024
	if n == 0 || n > most {
		return eINVAL.result()
	}
	if !writable(events, n*epollEventSize) {
		return eFAULT.result()
	}
	until := deadline(0)
	if ms > 0 {
		until = after(int64(ms) * 1_000_000)
	}
	level := files.lock.Acquire()
	r := s.gather(fr, &level, set, events, n, ms, until)
	files.lock.Release(level)
	return r
}

// gather waits until there is something to report. Files lock held.
func (s *state) gather(fr *arch.Frame, level *irql.Level, set int32, events, n uintptr, ms int32, until deadline) uintptr {
	for {
		if ep := lookup(set); ep == nil || ep.kind != poller {
			return eBADF.result()
		}
		found := uintptr(0)
		for i := range files.open {
			f := &files.open[i]
			if f.kind == closed || f.watch.set != set || found == n {
				continue
			}
			if e := f.report(); e != 0 {
				at := events + found*epollEventSize
				*(*uint32)(pointer(at)) = e
				*(*uint64)(pointer(at + epollEventData)) = f.watch.data
				found++
			}
		}
		switch {
		case found != 0 || ms == 0 || until.passed():
			return found
		case s.interrupted():
			return eINTR.result()
		}
		mayWait(fr, *level)
		s.await(level, until)
	}
}
