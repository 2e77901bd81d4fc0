// Package ob is the object manager: objects with reference counts, their
// types, and the handle table of the system process. Names come later.
//
// An object is a header (kernel.ObjectHeader) and a body; pointers point to the
// body. It is deleted when the last reference goes. A handle is one reference
// together with the access that was granted when it was made.
//
// Lock order: one spin lock guards the handle table. While it is held the pool
// may be called, nothing else.
//
// IRQL: counting references works at <= DISPATCH_LEVEL; handles are for
// PASSIVE_LEVEL by documentation, though nothing here needs that.
//
// Documentation: "Life Cycle of an Object", "Object Handles",
// "ObReferenceObjectByHandle", "ACCESS_MASK".
package ob
