// Package bugdoc makes docs/bugchecks.md of the tables in the packages bugcheck
// and provoke.
package bugdoc

import (
	"bytes"
	"fmt"

	"irqlab/bugcheck"
	"irqlab/provoke"
)

const head = `# Bug checks

<!-- Made by internal/bugdoc: go test ./internal/bugdoc -update -->

What stops the machine, as the "Bug Check Code Reference" has it, and what the four
parameters mean here. The shell says the same, by "help 0xA". Where there is a way,
"crash 0xA" brings the stop about, by doing what it says.

`

// Markdown returns the page.
func Markdown() []byte {
	var b bytes.Buffer
	b.WriteString(head)
	for i := range bugcheck.Descriptions {
		d := &bugcheck.Descriptions[i]
		fmt.Fprintf(&b, "## 0x%X %s\n\n%s.\n", uint32(d.Code), d.Name, sentence(d.Meaning))
		parameters(&b, d.Parameters[:], 1)
		kinds(&b, d.Code)
		if p, ok := provoke.Find(d.Code); ok {
			with := ""
			if o := p.Option(); o != "" {
				with = " with kernel option `" + o + "`"
			}
			fmt.Fprintf(&b, "\n`crash 0x%X`%s: a driver %s.\n", uint32(d.Code), with, p.What)
		}
		b.WriteString("\n")
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

func sentence(s string) string { return string(bytes.ToUpper([]byte(s[:1]))) + s[1:] }

func parameters(b *bytes.Buffer, p []string, first int) {
	none := true
	for i, text := range p {
		if text != "" {
			if none {
				b.WriteString("\n")
				none = false
			}
			fmt.Fprintf(b, "%d. %s\n", first+i, text)
		}
	}
}

func kinds(b *bytes.Buffer, c bugcheck.Code) {
	none := true
	for i := range bugcheck.Kinds {
		k := &bugcheck.Kinds[i]
		if k.Code != c {
			continue
		}
		if none {
			b.WriteString("\n| parameter 1 | | 2 | 3 | 4 |\n|---|---|---|---|---|\n")
			none = false
		}
		fmt.Fprintf(b, "| 0x%X | %s | %s | %s | %s |\n", k.Value, k.Meaning, k.Parameters[0], k.Parameters[1], k.Parameters[2])
	}
}
