package main

import (
	"unsafe"

	"irqlab/irql"
	"irqlab/pool"
	"irqlab/tests/kit"
	"irqlab/wdk"
)

func init() {
	for name, stop := range specialStops {
		stops[name] = stop
	}
}

// specialSize is not a multiple of the pool's alignment, 16: between a block of
// special pool and its guard are 8 bytes then.
const specialSize = 40

var specialStops = map[string]func(){
	"special-tag-behind":  func() { write(block(), specialSize+8) },
	"special-tag-raised":  func() { p := block(); irql.Raise(irql.Dispatch); read(p, specialSize+8) },
	"special-tag-freed":   func() { write(freedBlock(), 0) },
	"special-tag-inline":  func() { wdk.InterlockedIncrement((*int32)(freedBlock())) },
	"special-tag-kernel":  func() { e := event(false); pool.Free(unsafe.Pointer(e), kit.Tag); e.Set(0) },
	"special-tag-end":     func() { p := block(); write(p, specialSize); pool.Free(p, kit.Tag) },
	"special-tag-front":   func() { p := block(); write(p, -1); pool.Free(p, kit.Tag) },
	"special-start-front": func() { write(block(), -1) },
	"special-start-end":   func() { p := block(); write(p, specialSize); pool.Free(p, kit.Tag) },
	"special-all-freed":   func() { write(freedBlock(), 0) },
}

func block() unsafe.Pointer { return unsafe.Pointer(alloc[[specialSize]byte]()) }

func freedBlock() unsafe.Pointer {
	p := block()
	pool.Free(p, kit.Tag)
	return p
}

//go:noinline
func write(p unsafe.Pointer, offset int) { *(*byte)(unsafe.Add(p, offset)) = 1 }

//go:noinline
func read(p unsafe.Pointer, offset int) byte { return *(*byte)(unsafe.Add(p, offset)) }
