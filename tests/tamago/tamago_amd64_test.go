package tamago

import (
	"testing"
	"time"
	"unsafe"

	_ "irqlab/entry"

	"github.com/usbarmory/tamago/amd64/lapic"
	"github.com/usbarmory/tamago/dma"
	"github.com/usbarmory/tamago/soc/intel/ioapic"
	"github.com/usbarmory/tamago/soc/intel/pci"
	"github.com/usbarmory/tamago/soc/intel/rtc"
)

// The real-time clock as the driver reads it and the kernel's wall clock, which
// was set from it at boot, agree.
func TestRTC(t *testing.T) {
	clock := rtc.RTC{}
	var now time.Time
	for try := 0; ; try++ {
		var err error
		if now, err = clock.Now(); err == nil {
			break
		}
		if try == 100 {
			t.Fatal(err) // an update takes 2 ms and comes once a second
		}
		time.Sleep(time.Millisecond)
	}
	if d := time.Since(now); d < -2*time.Second || d > 2*time.Second {
		t.Errorf("the clock says %v, which differs by %v", now, d)
	}
}

// q35's host bridge and its ISA bridge are where the chipset has them.
func TestPCI(t *testing.T) {
	const intel, hostBridge, isaBridge = 0x8086, 0x29C0, 0x2918
	found := map[uint16]bool{}
	for _, d := range pci.Devices(0) {
		if d.Vendor == intel {
			found[d.Device] = true
		}
	}
	if !found[hostBridge] || !found[isaBridge] {
		t.Errorf("found %v", found)
	}
}

func TestControllers(t *testing.T) {
	l := lapic.LAPIC{Base: 0xFEE00000}
	if v := l.Version() & 0xff; v < 0x10 || v > 0x1f { // integrated (Intel SDM vol. 3A, 11.4.8)
		t.Errorf("local APIC version %#x", v)
	}
	io := ioapic.IOAPIC{Base: 0xFEC00000}
	if n := io.Entries(); n != 24 {
		t.Errorf("I/O APIC with %d inputs, q35 has 24", n)
	}
}

// A DMA region lies where the program says; here, in memory that it owns.
func TestDMA(t *testing.T) {
	const size = 64 << 10
	memory := make([]byte, size+4096)
	start := (uint(uintptr(unsafe.Pointer(&memory[0]))) + 4095) &^ 4095
	region, err := dma.NewRegion(start, size, false)
	if err != nil {
		t.Fatal(err)
	}
	at, b := region.Reserve(4096, 4096)
	if len(b) != 4096 || at%4096 != 0 || at < start {
		t.Errorf("%d bytes at %#x of the region at %#x", len(b), at, start)
	}
	region.Release(at)
}
