package sync

import (
	"unsafe"

	"irqlab/arch"
	"irqlab/irql"
	"irqlab/kernel"
	"irqlab/ntstatus"
)

// Delay puts the thread to sleep (KeDelayExecutionThread). The interval is in
// units of 100 ns, relative if negative and an absolute system time if positive;
// 0 passes the processor to another thread of the same priority.
//
// It returns STATUS_SUCCESS, never before the time has passed, and
// STATUS_ALERTED or STATUS_USER_APC if the delay is alertable.
//
// IRQL: <= APC_LEVEL
func Delay(interval int64, alertable bool, mode kernel.Mode) ntstatus.Status {
	d := delay{interval: interval, alertable: alertable, mode: mode, kernel: arch.InKernel()}
	a := kernel.Args{P: unsafe.Pointer(&d)}
	if irql.Current() >= irql.Dispatch {
		kernel.Enter(sleep, &a) // which stops the machine
	}
	if !d.kernel {
		kernel.Attend()
	}
	for {
		kernel.EnterBlocking(sleep, &a)
		if d.status != ntstatus.KernelAPC {
			return d.status
		}
	}
}

// delay carries a delay into the kernel.
type delay struct {
	interval  int64
	alertable bool
	mode      kernel.Mode
	kernel    bool // called by kernel context, which calls nothing of Go
	rewait    kernel.Rewait
	status    ntstatus.Status
}

func sleep(a *kernel.Args) {
	d := (*delay)(a.P)
	r := &d.rewait
	if d.kernel {
		r = nil
	}
	d.status = kernel.DelayFromGo(d.interval, d.alertable, d.mode, r)
}
