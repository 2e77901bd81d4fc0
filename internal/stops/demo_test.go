package stops

import (
	"strings"
	"testing"

	"irqlab/qemu"
)

// The demo of paging survives without arguments, as package demos tests, and dies
// when it raises.
func TestPagingDemo(t *testing.T) {
	each(t, func(t *testing.T, arch qemu.Arch) {
		image := build(t, arch, "irqlab/shell")
		out, status := shell(t, machine(arch, 2, ""), image, "demo paging raise")
		found := line.FindStringSubmatch(out)
		if status != qemu.StopStatus || found == nil || found[1] != "000000D1" || found[3] != "0000000000000002" ||
			!strings.Contains(out, "samples).sumRaised") {
			t.Errorf("status %d\n%s", status, out)
		}
	})
}
