package schedules

import (
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/anishathalye/porcupine"

	"irqlab/tests/kit"
	. "irqlab/wdk"
)

func init() { add(lists); add(deviceQueues) }

// Further operations of lists. The argument of the others is an entry, or a key
// where the first one from it on is removed.
const (
	flush    = cancel + 1 + iota
	takeBack // result 1 if the entry was queued
)

// entries is how many entries the threads have.
const entries = threads * 8

// index is the number of an entry of an array, or timedOut for nil.
func index(e, array unsafe.Pointer, size uintptr) int32 {
	if e == nil {
		return timedOut
	}
	return int32((uintptr(e) - uintptr(array)) / size)
}

// letter stands for an entry in the state of a list; entryOf is the reverse.
func letter(e int32) string { return string(rune('a' + e)) }

func entryOf(c byte) int32 { return int32(c - 'a') }

// listModel is a doubly linked list, whose insertions tell the entry that was there
// first, or last.
var listModel = &porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		l, s := state.(string), input.(*step)
		first, last := int32(timedOut), int32(timedOut)
		if l != "" {
			first, last = entryOf(l[0]), entryOf(l[len(l)-1])
		}
		switch {
		case s.op == insert:
			return s.result == last, l + letter(s.arg)
		case s.op == insertHead:
			return s.result == first, letter(s.arg) + l
		case l == "":
			return s.result == timedOut, l
		}
		return s.result == first, l[1:]
	},
}

// stackModel is an S-list. What a flush returns is the set of the entries.
var stackModel = &porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		q, s := state.(string), input.(*step)
		top := int32(timedOut)
		if q != "" {
			top = int32(q[0] - 'a')
		}
		switch {
		case s.op == insert:
			return s.result == top, string(rune('a'+s.arg)) + q
		case s.op == flush:
			set := int32(0)
			for i := range len(q) {
				set |= 1 << entryOf(q[i])
			}
			return s.result == set, ""
		case q == "":
			return s.result == timedOut, q
		}
		return s.result == top, q[1:]
	},
}

// using is a script that draws, for each of the thread's entries, one of a list of
// operations.
func using(ops map[int32]func(*player, int32) int32, list ...int32) func(*player) {
	return func(p *player) {
		for i := range int32(8) {
			op := list[p.draw(len(list))]
			p.do(op, p.id*8+i, ops[op])
		}
	}
}

var lists = map[string]scenario{
	"SLIST_HEADER": {model: stackModel, setup: func(t *testing.T) (func(), func(*player)) {
		h := kit.New[SLIST_HEADER](t)
		all := kit.New[[entries]struct {
			SLIST_ENTRY
			_ uintptr
		}](t)
		which := func(e PSLIST_ENTRY) int32 { return index(PVOID(e), PVOID(all), 16) }
		return func() { InitializeSListHead(h) }, using(map[int32]func(*player, int32) int32{
			insert: func(_ *player, i int32) int32 {
				return which(InterlockedPushEntrySList(h, &all[i].SLIST_ENTRY))
			},
			remove: func(*player, int32) int32 { return which(InterlockedPopEntrySList(h)) },
			flush: func(*player, int32) (set int32) {
				for e := InterlockedFlushSList(h); e != nil; e = e.Next {
					set |= 1 << which(e)
				}
				return set
			},
		}, insert, insert, insert, remove, remove, flush)
	}},
	"ExInterlocked list": {model: listModel, setup: func(t *testing.T) (func(), func(*player)) {
		lock, head, all := kit.New[KSPIN_LOCK](t), kit.New[LIST_ENTRY](t), kit.New[[entries]LIST_ENTRY](t)
		which := func(e PLIST_ENTRY) int32 { return index(unsafe.Pointer(e), unsafe.Pointer(all), unsafe.Sizeof(*e)) }
		return func() { InitializeListHead(head) }, using(map[int32]func(*player, int32) int32{
			insert:     func(_ *player, i int32) int32 { return which(ExInterlockedInsertTailList(head, &all[i], lock)) },
			insertHead: func(_ *player, i int32) int32 { return which(ExInterlockedInsertHeadList(head, &all[i], lock)) },
			remove:     func(*player, int32) int32 { return which(ExInterlockedRemoveHeadList(head, lock)) },
		}, insert, insertHead, remove, remove)
	}},
	"ExInterlocked single list": {model: stackModel, setup: func(t *testing.T) (func(), func(*player)) {
		lock, head, all := kit.New[KSPIN_LOCK](t), kit.New[SINGLE_LIST_ENTRY](t), kit.New[[entries]SINGLE_LIST_ENTRY](t)
		which := func(e PSINGLE_LIST_ENTRY) int32 {
			return index(unsafe.Pointer(e), unsafe.Pointer(all), unsafe.Sizeof(*e))
		}
		return func() { head.Next = nil }, using(map[int32]func(*player, int32) int32{
			insert: func(_ *player, i int32) int32 { return which(ExInterlockedPushEntryList(head, &all[i], lock)) },
			remove: func(*player, int32) int32 { return which(ExInterlockedPopEntryList(head, lock)) },
		}, insert, remove)
	}},
}

// keys is how many keys there are; an entry's follows from its number.
const keys = 3

func keyOf(e int32) ULONG { return ULONG(e % keys) }

// busyDevice is the state of a device queue.
type busyDevice struct {
	busy    bool
	waiting string
}

// deviceModel is a device queue, sorted by key or not.
func deviceModel(sorted bool) *porcupine.Model {
	return &porcupine.Model{
		Init: func() any { return busyDevice{} },
		Step: func(state, input, output any) (bool, any) {
			d, s := state.(busyDevice), input.(*step)
			switch {
			case s.op == insert && !d.busy:
				return s.result == 0, busyDevice{busy: true}
			case s.op == insert:
				at := len(d.waiting)
				if sorted {
					behind := func(c rune) bool { return keyOf(int32(c-'a')) > keyOf(s.arg) }
					if i := strings.IndexFunc(d.waiting, behind); i >= 0 {
						at = i
					}
				}
				d.waiting = d.waiting[:at] + letter(s.arg) + d.waiting[at:]
				return s.result == 1, d
			case s.op == takeBack:
				i := strings.Index(d.waiting, letter(s.arg))
				if i < 0 {
					return s.result == 0, d
				}
				d.waiting = d.waiting[:i] + d.waiting[i+1:]
				return s.result == 1, d
			case d.waiting == "":
				return s.result == timedOut, busyDevice{}
			}
			at := 0
			if sorted {
				due := func(c byte) bool { return keyOf(entryOf(c)) >= ULONG(s.arg) }
				at = max(0, slices.IndexFunc([]byte(d.waiting), due))
			}
			e := entryOf(d.waiting[at])
			d.waiting = d.waiting[:at] + d.waiting[at+1:]
			return s.result == e, d
		},
	}
}

// servingDevice is a scenario: whose request finds the device idle serves all that
// come, until there is none.
func servingDevice(sorted bool) scenario {
	return scenario{model: deviceModel(sorted), setup: func(t *testing.T) (func(), func(*player)) {
		q, all := kit.New[KDEVICE_QUEUE](t), kit.New[[entries]KDEVICE_QUEUE_ENTRY](t)
		atDispatch := func(fn func(arg int32) int32) func(*player, int32) int32 {
			return func(p *player, arg int32) int32 {
				KeRaiseIrql(DISPATCH_LEVEL, &p.old)
				result := fn(arg)
				KeLowerIrql(p.old)
				return result
			}
		}
		put := func(e int32) int32 {
			if sorted {
				return yes(KeInsertByKeyDeviceQueue(q, &all[e], keyOf(e)))
			}
			return yes(KeInsertDeviceQueue(q, &all[e]))
		}
		next := func(key int32) int32 {
			var e PKDEVICE_QUEUE_ENTRY
			if sorted {
				e = KeRemoveByKeyDeviceQueue(q, ULONG(key))
			} else {
				e = KeRemoveDeviceQueue(q)
			}
			return index(unsafe.Pointer(e), unsafe.Pointer(all), unsafe.Sizeof(*e))
		}
		ops := map[int32]func(*player, int32) int32{
			insert:   atDispatch(put),
			remove:   atDispatch(next),
			takeBack: func(_ *player, e int32) int32 { return yes(KeRemoveEntryDeviceQueue(q, &all[e])) },
		}
		return func() { KeInitializeDeviceQueue(q) }, func(p *player) {
			for i := range int32(5) {
				e := p.id*8 + i
				switch {
				case p.do(insert, e, ops[insert]) == 0:
					for served := int32(0); served != timedOut; {
						p.rest()
						served = p.do(remove, int32(p.draw(keys)), ops[remove])
					}
				case p.draw(4) == 0:
					p.do(takeBack, e, ops[takeBack])
				}
			}
		}
	}}
}

var deviceQueues = map[string]scenario{
	"KDEVICE_QUEUE":        servingDevice(false),
	"KDEVICE_QUEUE by key": servingDevice(true),
}
