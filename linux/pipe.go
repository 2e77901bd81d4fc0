package linux

import (
	"irqlab/arch"
	"irqlab/irql"
	"irqlab/mm"
)

// pipeBytes is a pipe's capacity; chunkBytes is what is copied in one section
// under the files lock.
const (
	pipePages  = 16
	pipeBytes  = pipePages * arch.PageSize
	chunkBytes = arch.PageSize
)

// pipe is a byte queue with two ends. Guarded by the files lock.
type pipe struct {
	buffer           uintptr // in the pool's addresses
	head, tail       uint32  // bytes ever written, read
	readers, writers uint8
}

var pipes [maxFiles / 2]pipe

func (p *pipe) used() uintptr { return uintptr(p.head - p.tail) }

// release reports the pipe as dead when both ends are closed.
func (p *pipe) release() *pipe {
	if p.readers == 0 && p.writers == 0 {
		return p
	}
	return nil
}

// free gives the buffer back; then the slot is free, too.
func (p *pipe) free() {
	buffer := p.buffer
	mm.UnmapPool(buffer, pipePages)
	level := files.lock.Acquire()
	*p = pipe{}
	files.lock.Release(level)
}

// notify arms the watches of both ends for what may have become possible.
func (p *pipe) notify(events uint32) {
	for i := range files.open {
		if f := &files.open[i]; f.pipe == p && (f.kind == readEnd || f.kind == writeEnd) {
			f.watch.armed |= events
		}
	}
}

func pipe2(p, flags uintptr) uintptr {
	if flags&^(openNonblock|openCloseExec) != 0 {
		return eINVAL.result()
	}
	if !writable(p, 8) {
		return eFAULT.result()
	}
	buffer, ok := mm.MapPool(pipePages)
	if !ok {
		return eNOMEM.result()
	}
	level := files.lock.Acquire()
	r, w := int32(-1), int32(-1)
	for i := range pipes {
		if q := &pipes[i]; q.buffer == 0 {
			nonblock := flags&openNonblock != 0
			if r = allocate(readEnd, nonblock); r < 0 {
				break
			}
			if w = allocate(writeEnd, nonblock); w < 0 {
				files.open[r] = file{}
				break
			}
			*q = pipe{buffer: buffer, readers: 1, writers: 1}
			files.open[r].pipe, files.open[w].pipe = q, q
			break
		}
	}
	files.lock.Release(level)
	if w < 0 {
		mm.UnmapPool(buffer, pipePages)
		return eMFILE.result()
	}
	*(*[2]int32)(pointer(p)) = [2]int32{r, w}
	return 0
}

// readPipe waits for data and takes what there is. Files lock held.
func (s *state) readPipe(fr *arch.Frame, level *irql.Level, fd int32, p, n uintptr) uintptr {
	for {
		f := lookup(fd)
		if f == nil || f.kind != readEnd {
			return eBADF.result()
		}
		q := f.pipe
		switch {
		case n == 0:
			return 0
		case q.used() > 0:
			n = min(n, q.used(), chunkBytes)
			for i := range n {
				*(*byte)(pointer(p + i)) = *(*byte)(pointer(q.buffer + uintptr(q.tail)%pipeBytes))
				q.tail++
			}
			q.notify(pollOut)
			changed()
			return n
		case q.writers == 0:
			return 0
		case f.nonblock:
			return eAGAIN.result()
		case s.interrupted():
			return eINTR.result()
		}
		mayWait(fr, *level)
		s.await(level, 0)
	}
}

// pipeAtomic is PIPE_BUF: a write of up to that many bytes is not split.
const pipeAtomic = 4096

// writePipe appends all of the data, waiting for room if it may. Files lock
// held.
func (s *state) writePipe(fr *arch.Frame, level *irql.Level, fd int32, p, n uintptr) uintptr {
	done := uintptr(0)
	for {
		f := lookup(fd)
		if f == nil || f.kind != writeEnd {
			return eBADF.result()
		}
		q := f.pipe
		if q.readers == 0 {
			return ePIPE.result() // SIGPIPE would be ignored by os.File
		}
		room := pipeBytes - q.used()
		if left := n - done; left <= pipeAtomic && room < left {
			room = 0
		}
		if c := min(n-done, room, chunkBytes); c > 0 {
			for i := range c {
				*(*byte)(pointer(q.buffer + uintptr(q.head)%pipeBytes)) = *(*byte)(pointer(p + done + i))
				q.head++
			}
			done += c
			q.notify(pollIn)
			changed()
			// Between chunks others get the lock.
			files.lock.Release(*level)
			*level = files.lock.Acquire()
			if done < n {
				continue
			}
		}
		switch {
		case done == n:
			return n
		case f.nonblock && done > 0, s.interrupted() && done > 0:
			return done
		case f.nonblock:
			return eAGAIN.result()
		case s.interrupted():
			return eINTR.result()
		}
		mayWait(fr, *level)
		s.await(level, 0)
	}
}
