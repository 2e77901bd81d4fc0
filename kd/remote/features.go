package remote

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// register says where a register is in the protocol.
type register struct {
	name   string
	number int
	bytes  int
	offset int // in the answer to g, if it is in there
	block  bool
}

// feature is a target description (gdb manual, "Target Descriptions").
type feature struct {
	Includes []struct {
		Href string `xml:"href,attr"`
	} `xml:"include"`
	Regs []struct {
		Name   string `xml:"name,attr"`
		Bits   int    `xml:"bitsize,attr"`
		Number *int   `xml:"regnum,attr"`
	} `xml:"reg"`
	Features []feature `xml:"feature"`
}

// describe reads the target's registers. A register without a number follows the
// one before. QEMU answers g with the registers of the first feature only.
func (t *Target) describe() error {
	var root feature
	if err := t.document("target.xml", &root); err != nil {
		return err
	}
	parts := root.Features
	for _, i := range root.Includes {
		var part feature
		if err := t.document(i.Href, &part); err != nil {
			return err
		}
		parts = append(parts, part)
	}
	next, offset := 0, 0
	for n, p := range parts {
		for _, r := range p.Regs {
			if r.Number != nil {
				next = *r.Number
			}
			t.registers = append(t.registers, register{strings.ToLower(r.Name), next, r.Bits / 8, offset, n == 0})
			next++
			offset += r.Bits / 8
		}
	}
	if len(t.registers) == 0 {
		return fmt.Errorf("gdb stub: no registers in its target description")
	}
	return nil
}

// document reads a part of the target description.
func (t *Target) document(name string, into *feature) error {
	var text strings.Builder
	for {
		answer, err := t.stream.exchange(fmt.Sprintf("qXfer:features:read:%s:%x,%x", name, text.Len(), maxRead))
		if err != nil {
			return err
		}
		if answer == "" || answer[0] != 'm' && answer[0] != 'l' {
			return fmt.Errorf("gdb stub: no target description %s (%q)", name, answer)
		}
		text.WriteString(answer[1:])
		if answer[0] == 'l' {
			break
		}
	}
	d := xml.NewDecoder(strings.NewReader(text.String()))
	d.Strict = false
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("gdb stub: target description %s: %w", name, err)
	}
	return nil
}
