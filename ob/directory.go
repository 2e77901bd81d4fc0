package ob

import (
	"unsafe"

	"irqlab/kernel"
	"irqlab/list"
	"irqlab/ntstatus"
	"irqlab/pool"
)

// directory is the body of a directory (OBJECT_DIRECTORY): objects by name. It
// has a reference to each, and each has one to it. A list serves as well as a
// hash table does for tens of names.
type directory struct {
	entries list.Entry
}

// fixedDirectory is a directory in static data.
type fixedDirectory struct {
	info
	kernel.ObjectHeader
	body directory
}

var root, baseNamedObjects, objectTypes, callbacks fixedDirectory

// fixedNames are the names of objects in static data.
var fixedNames [Types + 2][24]uint16

// Init builds the tree of names. It is called while booting.
func Init() {
	deferred.item.Init(removeDeferred, nil)
	for i := Thread; i < Types; i++ {
		t := &types[i]
		t.index, t.population = i, &t.count
		t.objects.Init()
	}
	Describe(Thread).population = &kernel.ThreadObjects
	root.init(nil, "", 0)
	baseNamedObjects.init(&root.body, "BaseNamedObjects", 0)
	objectTypes.init(&root.body, "ObjectTypes", 1)
	callbacks.init(&root.body, "Callback", int(Types))
	for i := Thread; i < Types; i++ {
		t := &types[i]
		t.info.fix(ObjectType, &objectTypes.body, t.Name, &fixedNames[i])
	}
	initSystem()
	initAlarms()
}

func (d *fixedDirectory) init(parent *directory, name string, n int) {
	d.body.entries.Init()
	d.info.fix(Directory, parent, name, &fixedNames[n])
}

// fix makes static data a permanent object, with a name if there is a directory.
func (i *info) fix(t kernel.ObjectType, d *directory, name string, buf *[24]uint16) {
	o := i.header()
	o.TypeIndex, o.PointerCount, o.InfoMask, o.Flags = t, 1, infoMask, flagPermanent
	i.fixed = true
	typ := Describe(t)
	typ.population.Grow()
	typ.objects.InsertTail(&i.byType)
	if d != nil {
		for n := range len(name) {
			buf[n] = uint16(name[n])
		}
		d.enter(i, &buf[0], len(name))
	}
}

// enter gives an object a name. Lock held, as for all that follow.
func (d *directory) enter(i *info, name *uint16, length int) {
	i.directory, i.name, i.length = d, name, uint16(length)
	d.entries.InsertTail(&i.entry)
	kernel.ObjectOf(unsafe.Pointer(d)).Reference()
	i.header().Reference()
}

// find returns the object of that name, or nil.
func (d *directory) find(name []uint16, fold bool) *kernel.ObjectHeader {
	for e := d.entries.Flink; e != &d.entries; e = e.Flink {
		if i := named(e); same(i.text(), name, fold) {
			return i.header()
		}
	}
	return nil
}

func (i *info) text() []uint16 { return unsafe.Slice(i.name, i.length) }

// name is one that has been taken from its object, with the references that went
// with it.
type name struct {
	object    *kernel.ObjectHeader
	directory *directory
	text      *uint16
}

// unname takes the object's name away.
func (i *info) unname() name {
	n := name{i.header(), i.directory, i.name}
	if i.fixed {
		n.text = nil
	}
	i.entry.Remove()
	i.directory, i.name, i.length = nil, nil, 0
	return n
}

// drop drops a name's references. No lock held.
func (n *name) drop() {
	if n.object == nil {
		return
	}
	if n.text != nil {
		pool.Free(unsafe.Pointer(n.text), nameTag)
	}
	Dereference(n.object.Body())
	Dereference(unsafe.Pointer(n.directory))
}

// expire takes the name of a temporary object without handles away. Lock held.
func expire(o *kernel.ObjectHeader) (n name) {
	if i := infoOf(o); i != nil && i.directory != nil && o.HandleCount == 0 && o.Flags&flagPermanent == 0 {
		n = i.unname()
	}
	return n
}

// MakeTemporary lets the object's name go with its last handle, at once if there
// is none (ObMakeTemporaryObject).
//
// IRQL: <= APC_LEVEL
func MakeTemporary(body unsafe.Pointer) {
	o := headerOf(body)
	old := lock.Acquire()
	o.Flags &^= flagPermanent
	n := expire(o)
	lock.Release(old)
	n.drop()
}

// CreateDirectory makes a directory, or opens it if the attributes allow, and
// returns a handle to it (ZwCreateDirectoryObject).
//
// IRQL: PASSIVE_LEVEL
func CreateDirectory(a *Attributes, access uint32, mode kernel.Mode) (Handle, ntstatus.Status) {
	d := (*directory)(Create(Directory, unsafe.Sizeof(directory{})))
	if d == nil {
		return 0, ntstatus.NoResources
	}
	d.entries.Init()
	return Insert(unsafe.Pointer(d), a, access, mode)
}

// Name writes the object's full name to buf, if it fits, and returns its length;
// an object without a name has none, 0 (ObQueryNameString).
//
// IRQL: <= APC_LEVEL
func Name(body unsafe.Pointer, buf []uint16) int {
	i := infoOf(headerOf(body))
	if i == nil {
		return 0
	}
	old := lock.Acquire()
	n := i.path(buf)
	lock.Release(old)
	return n
}

// path writes the full name to buf, if it fits, and returns its length.
func (i *info) path(buf []uint16) int {
	if i == &root.info {
		if len(buf) > 0 {
			buf[0] = separator
		}
		return 1
	}
	n := 0
	for p := i; p.directory != nil; p = p.parent() {
		n += 1 + int(p.length)
	}
	if n > len(buf) {
		return n
	}
	at := n
	for p := i; p.directory != nil; p = p.parent() {
		at -= int(p.length)
		copy(buf[at:], p.text())
		at--
		buf[at] = separator
	}
	return n
}

// parent returns the directory that the object is in.
func (i *info) parent() *info { return infoOf(kernel.ObjectOf(unsafe.Pointer(i.directory))) }
