package crash

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/dump"
	"irqlab/kernel"
)

// stop is the note of the stop, too large for a kernel stack.
var stop dump.Stop

// called is the back trace of a processor that called to stop the machine when
// another one had; too large for a kernel stack.
var called bugcheck.Trace

// notes writes the registers of the processors that have answered, the stopping
// one first, and what is known of the stop.
func (w *writer) notes(kind dump.Kind, r *bugcheck.Record) {
	w.registers(r, r.CPU)
	for cpu := range arch.NumCPUs {
		if cpu != r.CPU && r.Answered>>cpu&1 != 0 {
			w.registers(r, cpu)
		}
	}
	describe(&stop, kind, r)
	w.note(dump.Owner, dump.TypeStop, unsafe.Pointer(&stop), unsafe.Sizeof(stop))
	for i := range added.n {
		a := &added.blocks[i]
		w.note(dump.Owner, dump.TypeSecondary, unsafe.Pointer(&added.bytes[a.at]), a.size)
	}
}

// statuses returns the size of the notes with registers.
func statuses(r *bugcheck.Record) uintptr {
	n := uintptr(0)
	for cpu := range arch.NumCPUs {
		n += uintptr(r.Answered >> cpu & 1)
	}
	return n * noteSize(unsafe.Sizeof(prStatus{}))
}

func (w *writer) registers(r *bugcheck.Record, cpu uint32) {
	var s prStatus
	s.PID = int32(cpu) + 1
	const signalAbort = 6
	s.Signal, s.Current = signalAbort, signalAbort
	switch f := r.Frames[cpu]; {
	case f != nil:
		fromFrame(&s.Registers, f)
	case cpu == r.CPU:
		fromCaller(&s.Registers, &r.Trace)
	default:
		called.FromStack(r.Stacks[cpu])
		fromCaller(&s.Registers, &called)
	}
	complete(&s.Registers, r, cpu)
	w.note(dump.CoreOwner, dump.TypePRStatus, unsafe.Pointer(&s), unsafe.Sizeof(s))
}

func (w *writer) note(owner string, kind uint32, content unsafe.Pointer, n uintptr) {
	head := struct {
		nameSize, size, kind uint32
		name                 [ownerSize]byte
	}{uint32(len(owner) + 1), uint32(n), kind, [ownerSize]byte{}}
	copy(head.name[:], owner)
	w.put(unsafe.Pointer(&head), unsafe.Sizeof(head))
	w.put(content, (n+3)&^3)
}

func describe(s *dump.Stop, kind dump.Kind, r *bugcheck.Record) {
	*s = dump.Stop{
		Version: dump.Version, Kind: kind, Code: uint32(r.Code), CPU: r.CPU,
		CPUs: arch.NumCPUs, Answered: r.Answered, TraceCount: uint32(r.Trace.N),
		Time: board.WallClock(), Counter: arch.Counter(), Hz: board.CounterHz(),
		RootTable: uint64(arch.RootTable()), Record: uint64(uintptr(unsafe.Pointer(r))),
	}
	for i, p := range &r.Parameters {
		s.Parameters[i] = uint64(p)
	}
	for i, pc := range r.Trace.PCs[:r.Trace.N] {
		s.Trace[i] = uint64(pc)
	}
	copy(s.Text[:], r.Text)
	text, etext := bugcheck.Text()
	_, _, _, _, _, end := arch.ImageBounds()
	s.Image = [2]uint64{uint64(text), uint64(end)}
	s.ImageID = dump.ImageID(func(i int) uint64 { return *(*uint64)(pointer(text + uintptr(i)*8)) }, int(etext-text)/8)
	for cpu := range arch.NumCPUs {
		p := &s.Processors[cpu]
		p.Block = uint64(uintptr(unsafe.Pointer(&arch.CPUs[cpu])))
		p.IRQL = uint32(r.Levels[cpu])
		if f := r.Frames[cpu]; f != nil {
			p.Frame = uint64(uintptr(unsafe.Pointer(f)))
			if f.FromKernel() {
				p.Kernel = 1
			}
		} else {
			s.Called |= r.Answered & (1 << cpu)
		}
		if c := r.Threads[cpu]; c != nil {
			t := kernel.ThreadOf(c)
			p.Thread = uint64(uintptr(unsafe.Pointer(t)))
			if cpu == r.CPU {
				s.Thread, s.ThreadID, s.ThreadName = p.Thread, t.ID, t.Name
			}
		}
	}
}
