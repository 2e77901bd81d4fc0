package demos

import (
	"fmt"
	"io"
	"unsafe"

	pager "irqlab/paging"
	. "irqlab/wdk"
)

// samples is what the demo keeps in paged pool: several pages.
type samples [16384]byte

// sum is the code that is run twice: where a page that is away can come back, and
// where it cannot.
func (s *samples) sum() (total int) {
	for i := range s {
		total += int(s[i])
	}
	return total
}

// sumRaised is sum with two lines around it.
func (s *samples) sumRaised() int {
	var old KIRQL
	KeRaiseIrql(DISPATCH_LEVEL, &old)
	total := s.sum()
	KeLowerIrql(old)
	return total
}

func paging(w io.Writer, args []string) error {
	raise := len(args) == 1 && args[0] == "raise"
	if len(args) > 0 && !raise {
		return ErrUsage
	}
	s := (*samples)(ExAllocatePool2(POOL_FLAG_PAGED, unsafe.Sizeof(samples{}), tag))
	if s == nil {
		ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES)
	}
	defer ExFreePoolWithTag(PVOID(s), tag)
	want := 0
	for i := range s {
		s[i] = byte(i)
		want += i % 256
	}
	fmt.Fprintf(w, "%d bytes of paged pool are added up after the kernel has taken their pages away.\n", len(s))

	before := pager.ReadStats()
	pager.PageOut()
	atPassive := s.sum()
	in := pager.ReadStats().Read - before.Read
	fmt.Fprintf(w, "  at PASSIVE_LEVEL: %d. %d pages came back from the page file meanwhile.\n", atPassive, in)

	pager.PageOut()
	if raise {
		fmt.Fprintf(w, "  now the same at DISPATCH_LEVEL. No thread can wait for a page there:\n")
		s.sumRaised()
		return verdict(w, false, "the machine goes on")
	}
	var valid bool
	var old KIRQL
	KeRaiseIrql(DISPATCH_LEVEL, &old)
	valid = MmIsAddressValid(PVOID(s))
	KeLowerIrql(old)
	fmt.Fprintf(w, "  at DISPATCH_LEVEL the first page is valid: %v. A touch would be the end; try\n"+
		"  \"demo paging raise\".\n", valid)

	mdl := IoAllocateMdl(PVOID(s), ULONG(len(s)), false, false, nil)
	MmProbeAndLockPages(mdl, KernelMode, IoReadAccess)
	pager.PageOut()
	atDispatch := s.sumRaised()
	MmUnlockPages(mdl)
	IoFreeMdl(mdl)
	fmt.Fprintf(w, "  at DISPATCH_LEVEL, with the pages locked: %d.\n", atDispatch)
	return verdict(w, atPassive == want && atDispatch == want && in >= 4 && !valid,
		"both sums are %d, and without a lock the pages were away", want)
}
