// Package paging is paged pool: memory whose pages the kernel may take away. They
// go to the page file and come back when they are touched, which takes a thread
// that can wait: below DISPATCH_LEVEL, with interrupts enabled. Anywhere else the
// touch of a page that is away is bug check IRQL_NOT_LESS_OR_EQUAL.
//
// A page is present, on standby (in memory, but not mapped; a touch maps it
// again), in the page file, or all zeroes and nowhere: see mm.PageState. Which
// pages go, and when, is up to
//
//	Trim     unmaps every page that is not locked: none leaves memory
//	PageOut  writes pages on standby to the page file and frees their memory
//	the pager's thread, which does both when free memory gets low
//	the verifier's rule paging, which trims whenever a driver raises to
//	         DISPATCH_LEVEL or above, so that a touch there never goes unnoticed
//
// The page file is the area of that name on the disk (package disk). Without a
// disk, or while that area holds a crash dump that nobody has fetched, pages of
// RAM stand in for it.
//
// A page that is locked (Lock, MmProbeAndLockPages) stays.
//
// # Lock order and IRQL
//
//	heapGate    the allocator's data, which lies in paged pool itself
//	pagerGate   where every page is, and the page file; holds a page in its hands
//	            while it reads or writes
//
// in this order; a fault needs the second one only. Both are held at APC_LEVEL by
// threads in kernel context, which touch no paged pool under the second one. Below
// them are the dispatcher's lock, the disk's and mm's.
//
// Documentation: "ExAllocatePool2", "Using MDLs", "Making Drivers Pageable".
package paging
