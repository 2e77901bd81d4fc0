package linux

import (
	"sync/atomic"
	"unsafe"

	"irqlab/arch"
	"irqlab/bugcheck"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/sync/spin"
)

// Signals, as far as they are treated by name (signal(7)).
const (
	sigILL   = 4
	sigTRAP  = 5
	sigBUS   = 7
	sigFPE   = 8
	sigKILL  = 9
	sigSEGV  = 11
	sigCHLD  = 17
	sigCONT  = 18
	sigSTOP  = 19
	sigTSTP  = 20
	sigTTIN  = 21
	sigTTOU  = 22
	sigURG   = 23
	sigWINCH = 28

	signals = 64
)

// Codes of siginfo (sigaction(2)).
const (
	codeTkill    = -6 // SI_TKILL
	codeKernel   = 128
	codeMapErr   = 1 // SEGV_MAPERR
	codeAccErr   = 2 // SEGV_ACCERR
	codeDivide   = 1 // FPE_INTDIV
	codeFloat    = 7 // FPE_FLTINV
	codeOpcode   = 1 // ILL_ILLOPC
	codeAlign    = 1 // BUS_ADRALN
	codeBreak    = 1 // TRAP_BRKPT
	codeTrace    = 2 // TRAP_TRACE
	siginfoBytes = 128
)

// action is struct sigaction of the kernel; the runtime's sigactiont.
type action struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

const (
	handlerDefault = 0
	handlerIgnore  = 1

	flagOnStack = 0x08000000
	flagNoDefer = 0x40000000
	flagReset   = 0x80000000
)

// actions is what the process does about signals. The lock is held at
// DISPATCH_LEVEL while an entry is copied, nothing else.
var (
	actions     [signals + 1]action
	actionsLock spin.Lock
)

func loadAction(sig uint) action {
	old := actionsLock.Acquire()
	a := actions[sig]
	actionsLock.Release(old)
	return a
}

func sigaction(sig, act, old, size uintptr) uintptr {
	const bytes = unsafe.Sizeof(action{})
	if sig == 0 || sig > signals || size != 8 || act != 0 && (sig == sigKILL || sig == sigSTOP) {
		return eINVAL.result()
	}
	if act != 0 && !readable(act, bytes) || old != 0 && !writable(old, bytes) {
		return eFAULT.result()
	}
	// Copied outside the lock: the program's memory may have to be provided.
	var new, was action
	if act != 0 {
		new = *(*action)(pointer(act))
	}
	level := actionsLock.Acquire()
	was = actions[sig]
	if act != 0 {
		actions[sig] = new
	}
	actionsLock.Release(level)
	if old != 0 {
		*(*action)(pointer(old)) = was
	}
	return 0
}

// unblockable are the signals that a mask has no power over.
const unblockable = 1<<(sigKILL-1) | 1<<(sigSTOP-1)

func sigprocmask(s *state, how, set, old uintptr) uintptr {
	if set != 0 && !readable(set, 8) || old != 0 && !writable(old, 8) {
		return eFAULT.result()
	}
	was := s.mask
	if set != 0 {
		m := *(*uint64)(pointer(set))
		switch how {
		case 0: // SIG_BLOCK
			m |= was
		case 1: // SIG_UNBLOCK
			m = was &^ m
		case 2: // SIG_SETMASK
		default:
			return eINVAL.result()
		}
		s.setMask(m)
	}
	if old != 0 {
		*(*uint64)(pointer(old)) = was
	}
	return 0
}

// setMask changes the thread's mask. Signals that it lets through are delivered
// on the way back to Go code.
func (s *state) setMask(m uint64) {
	// An exchange, so that the look at what is pending comes after it (see
	// docs/caveats.md, Hardware).
	atomic.SwapUint64(&s.mask, m&^unblockable)
	if s.interrupted() {
		atomic.StoreUint32(&s.thread().Context.Attention, 1)
	}
}

// altStack is stack_t (sigaltstack(2)).
type altStack struct {
	base  uintptr
	flags int32
	_     int32
	size  uintptr
}

const (
	stackInUse    = 1 // SS_ONSTACK
	stackDisabled = 2 // SS_DISABLE
)

// contains reports whether sp is on the stack, which grows down.
func (a *altStack) contains(sp uintptr) bool {
	return a.flags&stackDisabled == 0 && sp > a.base && sp <= a.base+a.size
}

func sigaltstack(f *arch.Frame, s *state, set, old uintptr) uintptr {
	const bytes = unsafe.Sizeof(altStack{})
	if set != 0 && !readable(set, bytes) || old != 0 && !writable(old, bytes) {
		return eFAULT.result()
	}
	was := s.alt
	inUse := was.contains(f.SP())
	if inUse {
		was.flags |= stackInUse
	}
	if set != 0 {
		if inUse {
			return ePERM.result()
		}
		s.alt = *(*altStack)(pointer(set))
		if s.alt.flags&stackDisabled != 0 {
			s.alt = altStack{flags: stackDisabled}
		} else {
			s.alt.flags = 0
		}
	}
	if old != 0 {
		*(*altStack)(pointer(old)) = was
	}
	return 0
}

// tgkill posts a signal to a thread. The runtime asks threads that way to stop
// for the collector (SIGURG), and all others of Go wait for them; so the target
// gets to run soon.
func tgkill(tid uint32, sig uintptr) uintptr {
	if sig > signals {
		return eINVAL.result()
	}
	old := kernel.LockDispatcher()
	t := threadOf(tid)
	if t == nil {
		kernel.UnlockDispatcher(old)
		return eSRCH.result()
	}
	t.Reference()
	kernel.UnlockDispatcher(old)
	if sig != 0 {
		stateOf(t).post(uint(sig))
	}
	old = kernel.LockDispatcher()
	renewed := threadOf(tid) != t
	t.Dereference()
	kernel.UnlockDispatcher(old)
	if renewed {
		return tgkill(tid, sig) // it may not have seen this
	}
	return 0
}

// post makes the signal pending and has the thread look.
func (s *state) post(sig uint) {
	bit := uint64(1) << (sig - 1)
	atomic.OrUint64(&s.pending, bit)
	if bit&^atomic.LoadUint64(&s.mask) == 0 {
		return // setMask looks again
	}
	t := s.thread()
	kernel.Attention(t)
	if sig == sigURG {
		kernel.BoostForSignal(t)
	}
	s.wake()
}

// kill posts a signal to the process: to the caller, as the threads of the
// runtime block signals only for moments (runtime.raiseproc).
func kill(sig uintptr) uintptr { return tgkill(current().tid, sig) }

// Leave delivers pending signals before Go code resumes at f. It is called and
// returns with interrupts disabled, when the thread's attention is wanted and
// f is at PASSIVE_LEVEL. The processor may still be at the level of the
// interrupt that is being left.
func Leave(f *arch.Frame) {
	c := arch.ThisContext()
	irql.Set(irql.Passive)
	for f.InterruptsEnabled() && atomic.LoadUint32(&c.Attention) != 0 {
		atomic.SwapUint32(&c.Attention, 0) // likewise
		arch.EnableInterrupts()
		s := current()
		for s.deliver(f) {
		}
		arch.DisableInterrupts()
	}
}

// deliver makes f call the handler of the lowest pending signal that is not
// blocked. It reports whether there was one.
func (s *state) deliver(f *arch.Frame) bool {
	ready := atomic.LoadUint64(&s.pending) &^ s.mask
	if ready == 0 {
		return false
	}
	sig := lowest(ready)
	atomic.AndUint64(&s.pending, ^(1 << (sig - 1)))
	a := loadAction(sig)
	switch {
	case a.handler == handlerIgnore:
	case a.handler == handlerDefault:
		if fatal(sig) {
			Exit(128 + int32(sig)) // as a shell reports it
		}
	default:
		s.push(f, sig, codeTkill, 0, &a)
	}
	return true
}

func lowest(set uint64) uint {
	n := uint(1)
	for set&1 == 0 {
		set >>= 1
		n++
	}
	return n
}

// fatal reports whether a signal's default action ends the process. Stopping
// it, which some ask for, makes no sense here.
func fatal(sig uint) bool {
	switch sig {
	case sigCHLD, sigCONT, sigURG, sigWINCH, sigSTOP, sigTSTP, sigTTIN, sigTTOU:
		return false
	}
	return true
}

// push makes f call the signal's handler: it puts the signal frame on the
// program's stack and blocks what the action asks for.
func (s *state) push(f *arch.Frame, sig uint, code int32, addr uintptr, a *action) {
	sp := f.SP()
	if a.flags&flagOnStack != 0 && s.alt.flags&stackDisabled == 0 && !s.alt.contains(sp) {
		sp = s.alt.base + s.alt.size
	} else {
		sp -= redZone
	}
	pushFrame(f, s, sp, sig, code, addr, a)
	mask := s.mask | a.mask
	if a.flags&flagNoDefer == 0 {
		mask |= 1 << (sig - 1)
	}
	atomic.StoreUint64(&s.mask, mask&^unblockable)
	if a.flags&flagReset != 0 {
		level := actionsLock.Acquire()
		actions[sig].handler = handlerDefault
		actionsLock.Release(level)
	}
}

// info is siginfo_t as far as it is filled (sigaction(2)).
type info struct {
	signo, errno, code, _ int32
	addr                  uintptr // of a fault; sender's process ID and user ID of others
	_                     [siginfoBytes - 24]byte
}

func (i *info) set(sig uint, code int32, addr uintptr) {
	*i = info{signo: int32(sig), code: code, addr: addr}
	if code == codeTkill {
		i.addr = processID // and user 0
	}
}

// Fault gives the exception that Go code caused to the program: as a signal,
// which the runtime turns into a panic, or as the end if the program is not
// prepared for it. Within a try block every exception becomes a panic, by the
// one signal that the runtime makes a panic of whatever the address is, as long
// as that is nil; what happened is in the block's registration. Interrupts are
// disabled, also at return.
//
// IRQL: <= APC_LEVEL
func Fault(f *arch.Frame, va uintptr, access arch.Access) {
	sig, code, addr := classify(f, va)
	s := current()
	arch.EnableInterrupts()
	if kernel.Faulted(f, va, access) {
		sig, code, addr = sigSEGV, codeMapErr, 0
	}
	a := loadAction(sig)
	if a.handler <= handlerIgnore || s.mask&(1<<(sig-1)) != 0 {
		bugcheck.StopFrame(bugcheck.KmodeExceptionNotHandled, bugcheck.ExceptionCode(f), f.PC(), uintptr(access), va, f)
	}
	s.push(f, sig, code, addr, &a)
	arch.DisableInterrupts()
}

// classify returns the signal for an exception, as Linux chooses it.
func classify(f *arch.Frame, va uintptr) (sig uint, code int32, addr uintptr) {
	switch f.Cause() {
	case arch.CausePageFault:
		return sigSEGV, codeMapErr, va
	case arch.CauseDivide:
		return sigFPE, codeDivide, f.PC()
	case arch.CauseFloat:
		return sigFPE, codeFloat, f.PC()
	case arch.CauseBreakpoint:
		return sigTRAP, codeBreak, f.PC()
	case arch.CauseDebug:
		return sigTRAP, codeTrace, f.PC()
	case arch.CauseUndefined:
		return sigILL, codeOpcode, f.PC()
	case arch.CauseAlignment:
		return sigBUS, codeAlign, va
	}
	return sigSEGV, codeKernel, 0
}

// badSignalFrame ends the machine: what the handler was to return to is lost.
func badSignalFrame(f *arch.Frame) {
	bugcheck.StopText("a signal handler returned on another stack than it was called on",
		bugcheck.KmodeExceptionNotHandled, bugcheck.ExceptionCode(f), f.PC(), f.SP(), 0, f)
}
