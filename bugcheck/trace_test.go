package bugcheck

import (
	"runtime"
	"strings"
	"testing"

	"irqlab/arch"
)

//go:noinline
func caller() (chain, unwound uintptr) { chain, unwound = callee(); return chain, unwound + 0 }

//go:noinline
func callee() (chain, unwound uintptr) {
	var pcs [1]uintptr
	runtime.Callers(2, pcs[:]) // from caller on
	return *(*uintptr)(pointer(arch.FramePointer() + 8)), pcs[0]
}

// The chain that FramePointer starts is the one the runtime unwinds.
func TestFramePointer(t *testing.T) {
	if chain, unwound := caller(); chain != unwound {
		t.Errorf("return address %#x, want %#x", chain, unwound)
	}
}

func TestDescriptions(t *testing.T) {
	for i, d := range Descriptions {
		if d.Name == "" || d.Meaning == "" || strings.ToUpper(d.Name) != d.Name {
			t.Errorf("%#x: name %q, meaning %q", d.Code, d.Name, d.Meaning)
		}
		if i > 0 && Descriptions[i-1].Code >= d.Code {
			t.Errorf("%#x is out of order", d.Code)
		}
		if Describe(d.Code).Name != d.Name {
			t.Errorf("%#x is not found", d.Code)
		}
	}
	if Describe(0xFFFF).Name != "" {
		t.Error("an unknown code has a name")
	}
}

//go:noinline
func pcOf() uintptr {
	pc, _, _, _ := runtime.Caller(0)
	return pc
}

func TestMisuse(t *testing.T) {
	for _, c := range []struct{ function, text string }{
		{"runtime.mallocgc", "heap allocation"},
		{"runtime.mallocgcTiny", "heap allocation"},
		{"runtime.mapassign_fast64", "map write"},
		{"runtime.morestack_noctxt", "kernel stack overflow"},
		{"runtime.chansend1", "channel"},
		{"gcWriteBarrier", "Go-heap pointer"},
		{"fmt.Println", "package fmt"},
		{"runtime.nanotime1", ""},
		{"irqlab/kernel.Wait", ""},
	} {
		if got := misuse(c.function); !strings.HasPrefix(got, c.text) || (c.text == "") != (got == "") {
			t.Errorf("%s: %q", c.function, got)
		}
	}
	var tr Trace
	tr.add(pcOf(), 0)
	if text, f := tr.Misuse(); text != "" || f != "" {
		t.Errorf("a trace of this package is misuse: %s %s", text, f)
	}
}

func TestDistributed(t *testing.T) {
	for f, want := range map[string]bool{
		"runtime.mallocgc":         true,
		"internal/runtime/maps.X":  true,
		"sync.(*Pool).Get":         true,
		"systemCall":               true,
		"main.main":                false,
		"irqlab/kernel.Wait":       false,
		"example.com/driver.start": false,
		"timers.Start":             false,
	} {
		if distributed(f) != want {
			t.Errorf("distributed(%q) = %v", f, !want)
		}
	}
}

func TestResident(t *testing.T) {
	for f, want := range map[string]bool{
		"irqlab/kernel.(*Thread).Wait":     true,
		"irqlab/sync/spin.(*Lock).Acquire": true,
		"irqlab/kernelish.Wait":            false,
		"irqlab/demos/mutex.main":          false,
		"main.main":                        false,
		"runtime.mallocgc":                 false,
	} {
		if resident(f) != want {
			t.Errorf("resident(%q) = %v", f, !want)
		}
	}
	if !driver(0x1234) {
		t.Error("a call into nowhere is the kernel's fault")
	}
	if driver(pcOf()) {
		t.Error("this package is not resident")
	}
}

func TestPackageOf(t *testing.T) {
	for f, want := range map[string]string{
		"main.main":                                           "main",
		"irqlab/demos.mutex.func1":                            "irqlab/demos",
		"irqlab/sync/spin.(*Lock).Acquire":                    "irqlab/sync/spin",
		"irqlab/wdk.hold[go.shape.func(a/b.T)]":               "irqlab/wdk",
		"irqlab/tests/kit.(*list[irqlab/kernel.Thread]).next": "irqlab/tests/kit",
		"gosave_systemstack_switch":                           "",
	} {
		if got := packageOf(f); got != want {
			t.Errorf("packageOf(%q) = %q", f, got)
		}
	}
	if got := PackageOf(pcOf()); got != "irqlab/bugcheck" {
		t.Errorf("this is %q", got)
	}
}

func TestTail(t *testing.T) {
	for in, want := range map[string]string{"/a/b/c.go": "b/c.go", "c.go": "c.go", "b/c.go": "b/c.go", "": ""} {
		if got := tail(in); got != want {
			t.Errorf("tail(%q) = %q", in, got)
		}
	}
}
