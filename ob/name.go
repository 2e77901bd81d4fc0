package ob

import (
	"unicode"
	"unsafe"

	"irqlab/kernel"
	"irqlab/ntstatus"
	"irqlab/pool"
)

// Flags of Attributes, and of handles (OBJ_*).
const (
	ProtectClose    = 0x001 // of handles only
	Inherit         = 0x002
	Permanent       = 0x010
	Exclusive       = 0x020
	CaseInsensitive = 0x040
	OpenIf          = 0x080
	KernelHandle    = 0x200

	handleFlags = ProtectClose | Inherit | KernelHandle
)

// Attributes say how an object is made or opened (OBJECT_ATTRIBUTES).
type Attributes struct {
	Root  Handle   // the directory that Name is relative to, or 0
	Name  []uint16 // nil for none
	Flags uint32
}

const separator = '\\'

const nameTag pool.Tag = 'O' | 'b'<<8 | 'N'<<16 | 'm'<<24

// copyName copies a name to the pool. It returns nil if there is no memory.
func copyName(name []uint16) *uint16 {
	p := (*uint16)(pool.AllocOwn(uintptr(len(name))*2, nameTag))
	if p != nil {
		copy(unsafe.Slice(p, len(name)), name)
	}
	return p
}

// same compares two names, by 16-bit units.
func same(a, b []uint16, fold bool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && (!fold || upper(a[i]) != upper(b[i])) {
			return false
		}
	}
	return true
}

func upper(c uint16) uint16 {
	if c < 0x80 {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		return c
	}
	if u := unicode.ToUpper(rune(c)); u <= 0xFFFF {
		return uint16(u)
	}
	return c
}

// target is what a name leads to.
type target struct {
	object    *kernel.ObjectHeader // nil if there is no such object
	directory *directory           // where it is, or would be; nil for a root
	leaf      []uint16             // its name there
}

// walk follows a name from a directory. A directory that is missing on the way is
// PathNotFound. Lock held.
func walk(d *directory, name []uint16, fold bool) (target, ntstatus.Status) {
	for {
		n := 0
		for n < len(name) && name[n] != separator {
			n++
		}
		if n == 0 {
			return target{}, ntstatus.NameInvalid
		}
		o := d.find(name[:n], fold)
		if n == len(name) {
			return target{o, d, name}, ntstatus.Success
		}
		if o == nil {
			return target{}, ntstatus.PathNotFound
		}
		if o.TypeIndex != Directory {
			return target{}, ntstatus.ObjectMismatch
		}
		d = (*directory)(o.Body())
		name = name[n+1:]
	}
}

// start finds where the search for a name begins and what is left of it. The
// caller drops the directory, which has a reference for it.
func (a *Attributes) start(mode kernel.Mode) (d *directory, rest []uint16, s ntstatus.Status) {
	rooted := len(a.Name) > 0 && a.Name[0] == separator
	if a.Root == 0 {
		if !rooted {
			return nil, nil, ntstatus.PathSyntaxBad
		}
		d = &root.body
		Reference(unsafe.Pointer(d))
		return d, a.Name[1:], ntstatus.Success
	}
	if rooted {
		return nil, nil, ntstatus.PathSyntaxBad
	}
	p, _, s := ReferenceByHandle(a.Root, 0, Directory, mode)
	return (*directory)(p), a.Name, s
}

// find finds the object of a name. A name that has nothing left is the directory
// itself. Lock held.
func find(d *directory, rest []uint16, fold bool) (target, ntstatus.Status) {
	if len(rest) == 0 {
		return target{object: kernel.ObjectOf(unsafe.Pointer(d))}, ntstatus.Success
	}
	return walk(d, rest, fold)
}
