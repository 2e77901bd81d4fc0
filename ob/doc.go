// Package ob is the object manager: objects with reference and handle counts,
// their types, the tree of names, and the handle table of the system process.
//
// An object is a header (kernel.ObjectHeader) and a body; pointers point to the
// body. It is deleted when the last reference goes. A handle is one reference
// together with the access that was granted when it was made. A name is another,
// the directory's: it goes with the last handle, unless the object is permanent.
//
//	\                  the root directory
//	\BaseNamedObjects  where drivers and programs meet
//	\ObjectTypes       the types themselves
//	\Callback          callback objects
//
// There is one process, whose handles have two forms: those made for the kernel
// (OBJ_KERNEL_HANDLE) have the upper half set and are no use to UserMode, and
// those of the process proper do not.
//
// Lock order: one spin lock guards the handle table, the directories and the
// lists of objects. While it is held the pool may be called, nothing else, and
// nothing is deleted.
//
// IRQL: counting references works at <= DISPATCH_LEVEL; names and handles are for
// PASSIVE_LEVEL by documentation.
//
// Documentation: "Life Cycle of an Object", "Object Names", "Object Handles",
// "Object Directories", "ACCESS_MASK".
package ob
