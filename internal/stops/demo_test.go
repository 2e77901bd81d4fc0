package stops

import (
	"strings"
	"testing"

	"irqlab/qemu"
)

// The demo of paging survives without arguments, as package demos tests, and dies
// when it raises.
func TestPagingDemo(t *testing.T) {
	for _, arch := range qemu.Archs {
		t.Run(string(arch), func(t *testing.T) {
			if _, err := qemu.Find(arch); err != nil {
				t.Skip(err)
			}
			out, status := run(t, arch, build(t, arch, "irqlab/demos/paging"), "raise")
			found := line.FindStringSubmatch(out)
			if status != stopStatus || found == nil || found[1] != "000000D1" || found[3] != "0000000000000002" ||
				!strings.Contains(out, "samples).sumRaised") {
				t.Errorf("status %d\n%s", status, out)
			}
		})
	}
}
