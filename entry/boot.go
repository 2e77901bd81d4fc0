package entry

import (
	"sync/atomic"
	_ "unsafe" // for go:linkname

	"irqlab/arch"
	"irqlab/board"
	"irqlab/bugcheck"
	"irqlab/chance"
	"irqlab/crash"
	"irqlab/disk"
	"irqlab/dpc"
	"irqlab/ipi"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/linux"
	"irqlab/mm"
	"irqlab/ob"
	"irqlab/paging"
	"irqlab/pool"
	"irqlab/sync"
	"irqlab/sync/spin"
	"irqlab/verifier"
)

// Counter is what arch.Counter was when the firmware had done its part.
var Counter uint64

// released lets the other processors schedule threads.
var released uint32

// The DPC watchdog's patience in clock ticks: 20 s for one DPC, 120 s at
// DISPATCH_LEVEL or above in a row, as Windows has them
// (KDPC_WATCHDOG_INFORMATION).
const (
	dpcTicks    = 20 * kernel.Second / kernel.TimeIncrement
	raisedTicks = 120 * kernel.Second / kernel.TimeIncrement
)

// boot is the first Go code of the boot processor, on the boot stack, with
// interrupts disabled.
//
//go:linkname boot
func boot() {
	Counter = arch.Counter()
	arch.Entry = arch.EntryPoints{Trap: trap, Syscall: syscall}
	irql.Set(irql.High)
	if !board.Init() {
		bugcheck.Print("irqlab: the loader says nothing about memory that could be understood\n")
	}
	if seed := linux.Seed(); seed != 0 {
		chance.Start(seed)
	}
	armFault()
	irql.Start()
	kernel.StartLock()
	irql.Locked = kernel.RunsLocked
	dpc.TimerOf = kernel.TimerOf
	spin.SetChecked(true)
	verified := verifierRules()
	if verified == 0 && isOption("checks", "off") {
		checksOff()
	}
	if verified&verifier.Leaks != 0 {
		pool.SetTraced()
	}
	mm.Init()
	mm.Shootdown = ipi.FlushTLB
	bugcheck.Thread = currentThread
	bugcheck.WriteDump = crash.Write
	bugcheck.Restart = isOption("stop", "restart")
	dpc.SingleLimit, dpc.SumLimit = dpcTicks, raisedTicks
	dpc.APCDisable = kernel.APCDisable
	pool.OnFree(dpc.CheckFree)
	pool.OnFree(kernel.CheckFree)
	pool.OnFree(sync.CheckFree)
	setSpecialPool()
	ob.Init()
	prepare(0)
	board.InitInterrupts()
	board.InitCPU(0)
	board.Calibrate()
	kernel.InitTime()
	if !verifier.Start(verified) {
		bugcheck.Stop(bugcheck.NoPagesAvailable, 0, 0, 0, 0)
	}
	kernel.Launch(0)
}

// secondary is the first Go code of every other processor, on what will be its
// DPC stack, with interrupts disabled.
//
//go:linkname secondary
func secondary(id uint32) {
	irql.Set(irql.High)
	board.InitCPU(id)
	atomic.StoreUint32(&arch.CPUs[id].Started, 1)
	for atomic.LoadUint32(&released) == 0 {
		arch.Pause()
	}
	for id >= atomic.LoadUint32(&arch.NumCPUs) {
		arch.Halt() // it has come too late
	}
	kernel.Launch(id)
}

// prepare gives a processor its stacks and its idle thread.
func prepare(id uint32) {
	lo, hi, ok := mm.AllocStack()
	c := &arch.CPUs[id]
	ilo, ihi, iok := mm.AllocInterruptStack()
	dlo, dhi, dok := mm.AllocStack()
	if !ok || !iok || !dok {
		bugcheck.Stop(bugcheck.NoPagesAvailable, uintptr(id), 0, 0, 0)
	}
	c.Interrupt.Init(ilo, ihi)
	c.Deferred.Init(dlo, dhi)
	kernel.InitIdle(id, lo, hi, idle)
}

// idle is the idle thread of a processor. The boot processor's first finishes
// what needs interrupts and threads.
func idle(id uintptr) {
	if id == 0 {
		startOthers()
		disk.Init()
		crash.Init(dumpKind())
		kernel.StartThreads()
		paging.Start()
		linux.Start()
	}
	kernel.Idle()
}

// startOthers starts the other processors and waits until they have reported.
func startOthers() {
	var stacks [arch.MaxCPUs]uintptr
	n := min(board.CPUCount(), arch.MaxCPUs)
	for i := uint32(1); i < n; i++ {
		prepare(i)
		stacks[i] = arch.CPUs[i].Deferred.Hi
	}
	lo, hi := board.StartPages()
	mm.ProtectKernel(lo, hi, arch.ProtWrite|arch.ProtExec)
	up := board.StartCPUs(n, &stacks)
	mm.ProtectKernel(lo, hi, arch.ProtWrite)
	if up < n {
		bugcheck.Print("irqlab: processors that have not started: ")
		bugcheck.PrintDecimal(uintptr(n - up))
		bugcheck.Print("\n")
	}
	atomic.StoreUint32(&arch.NumCPUs, up)
	atomic.StoreUint32(&released, 1)
}

// started is the first thing a new thread does.
//
//go:linkname started
func started() { kernel.Started() }

// currentThread names the running thread for the stop screen.
func currentThread() (uint32, *[16]byte) {
	if arch.ThisContext() == nil {
		return 0, nil
	}
	t := kernel.Current()
	return t.ID, &t.Name
}
