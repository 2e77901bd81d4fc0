//go:build !irqlab

package main

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"irqlab/kd"
	"irqlab/kd/core"
)

// damaged is a machine in whose memory some words are not what they were.
type damaged struct {
	kd.Target
	random *rand.Rand
	near   uint64 // an address that is valid
}

func (d *damaged) ReadMemory(addr uint64, b []byte) error {
	if err := d.Target.ReadMemory(addr, b); err != nil {
		return err
	}
	for ; len(b) >= 8; b = b[8:] {
		w := d.random.Uint64()
		switch d.random.IntN(100) {
		case 0:
		case 1:
			w %= 300
		case 2:
			w = d.near + w%(1<<20)&^7
		default:
			continue
		}
		binary.LittleEndian.PutUint64(b, w)
	}
	return nil
}

// withstandsDamage runs every command on a dump with damaged memory. Whatever is
// in there, a command ends, and says what it can.
func withstandsDamage(t *testing.T, image, file string) {
	i, err := kd.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	for seed := range uint64(16) {
		dump, err := core.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		regs, err := dump.Registers(0)
		if err != nil {
			t.Fatal(err)
		}
		near := regs["rsp"]
		if near == 0 {
			near = regs["sp"]
		}
		d := kd.New(i, &damaged{dump, rand.New(rand.NewPCG(seed, 0)), near}, io.Discard)
		for command := range strings.SplitSeq(kdLook+"; uf; db; da; dps; dt -r kernel.processor @$csp; !object; !object \\; !verifier", ";") {
			start := time.Now()
			d.Execute(t.Context(), strings.TrimSpace(command))
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("seed %d: %s took %v", seed, command, took)
			}
		}
		dump.Close()
	}
}
