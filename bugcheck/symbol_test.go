package bugcheck

import (
	"runtime"
	"testing"
)

// TestPositions compares every 16th instruction of the test binary with what
// the runtime says about it.
func TestPositions(t *testing.T) {
	md := lastmoduledatap
	if n := len(md.ftab); n < 1000 || md.text == 0 || md.header.quantum == 0 {
		t.Fatalf("moduledata is not laid out as expected: %d functions", n)
	}
	checked, inlines := 0, 0
	for pc := md.text + 1; pc < md.etext; pc += 16 {
		fn := runtime.FuncForPC(pc)
		if fn == nil {
			continue
		}
		frames := runtime.CallersFrames([]uintptr{pc + 1}) // it subtracts one
		var p positions
		if !p.find(pc) {
			t.Fatalf("no function at %#x, want %s", pc, fn.Name())
		}
		for {
			want, more := frames.Next()
			if want.PC == 0 {
				break
			}
			var got Position
			if !p.next(&got) {
				t.Fatalf("%#x: nothing, want %s", pc, want.Function)
			}
			if runtimeWrapper(want.Function, got.Function) {
				continue
			}
			// The runtime cuts generic arguments short and fills in for
			// functions without a file.
			if got.Function != want.Function && !generic(got.Function) || int(got.Line) != want.Line && got.Line > 0 {
				t.Fatalf("%#x: %s %s:%d, want %s %s:%d", pc, got.Function, got.File, got.Line, want.Function, want.File, want.Line)
			}
			if got.File != want.File && got.File != "" && want.File != "?" {
				t.Fatalf("%#x: %s in %s, want %s", pc, got.Function, got.File, want.File)
			}
			checked++
			if got.Inlined {
				inlines++
			} else if !more && got.Offset != pc-want.Entry {
				t.Fatalf("%#x: offset %#x, want %#x", pc, got.Offset, pc-want.Entry)
			}
			if !more {
				break
			}
		}
	}
	if checked < 10000 || inlines < 1000 {
		t.Errorf("only %d positions and %d inlined ones compared", checked, inlines)
	}
}

func generic(s string) bool {
	for i := range s {
		if s[i] == '[' {
			return true
		}
	}
	return false
}

// runtimeWrapper allows for what CallersFrames leaves out.
func runtimeWrapper(want, got string) bool { return want == "" || got == "" }
