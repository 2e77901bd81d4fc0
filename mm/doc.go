// Package mm owns memory: the physical pages, the translation tables, the
// kernel's own addresses (stacks, pool, devices) and the areas that the Go
// runtime maps. Pages of areas are provided on first touch.
//
// # The address space
//
//	0 .. areaFloor            RAM and devices at their physical addresses
//	areaFloor .. areaCeiling  areas of the Go runtime, and its first stack
//	arch.KernelBase .. +64 GiB
//	                          kernel stacks, pool, devices out of the identity map
//
// There is one address space. Page 0 is unmapped, the image's text is
// read-execute, its read-only data read-only, all else no-execute.
//
// # Lock order and IRQL
//
// One lock (see acquire) guards everything here. It is the innermost lock of
// the kernel: whoever holds it takes no other and touches only memory that is
// present. It is held with interrupts disabled, not just at a level, because a
// first touch of a Go heap page may happen anywhere, in an ISR too, and must be
// served there. So sections under it are short: at most a few hundred table
// entries, or one move of the area array. It is taken in kernel context, or by Go
// code at DISPATCH_LEVEL and above: below, the Go runtime may take the processor
// from who holds it. What Go code of a thread asks, it asks of package paging.
//
// A processor that spins for the lock does not answer TLB shootdowns; hence
// nobody asks for one while holding it.
//
// # When memory runs out
//
// The Go runtime reports lack of memory well if mmap tells it, and not at all
// if a page fault does. So Map refuses early: memory that replaces a
// reservation (the heap grows that way) is charged in full, other maps are
// charged nothing, because the runtime makes sparse indexes of 32 MiB that way
// and touches a few pages of them; both are refused once free pages get scarce.
// A fault that still finds no page is bug check NO_PAGES_AVAILABLE.
package mm
