package stops

import (
	"strings"
	"testing"

	"irqlab/qemu"
)

func init() {
	stops["callbacks"] = stop{0xE2, [4]uint64{}}
	stops["callback-fault"] = stop{0xE2, [4]uint64{}}
	stops["nmi-unclaimed"] = stop{0x80, [4]uint64{0x4F4454, 0, 0, 0}}
}

// rule: bc-callback-order
// rule: bc-callback-register
// rule: bc-raise-high
// rule: irql-bugcheck-callback
// levels: KBUGCHECK_CALLBACK_ROUTINE
// levels: KBUGCHECK_REASON_CALLBACK_ROUTINE
func testCallbacks(t *testing.T, arch qemu.Arch, image string) {
	s := newStopped(t, arch, image, diskSize)
	out := s.boot(t, "callbacks")
	at := 0
	for _, say := range []string{"*** STOP", "callback for the dump at IRQL 15", "Crash dump: kernel", "callback one at IRQL 15", "callback two at IRQL 15", "irqlab: exit"} {
		i := strings.Index(out[at:], say)
		if i < 0 {
			t.Fatalf("no %q, or not in its place\n%s", say, out)
		}
		at += i
	}
	for _, say := range []string{"gone", "damaged", "twice", "another"} {
		if strings.Contains(out, say) {
			t.Errorf("%q\n%s", say, out)
		}
	}
	d, _ := s.fetch(t)
	if len(d.Added) != 1 || string(d.Added[0].Data) != "a driver's last words" || d.Added[0].GUID[0] != 42 {
		t.Errorf("added: %q", d.Added)
	}
	s = newStopped(t, arch, image, diskSize)
	want(t, s.boot(t, "callback-fault"), "while running a bug check callback")
}
