package stops

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"irqlab/qemu"
)

// hangs are programs that stop only when the crash keys are pressed: at the level
// of the service routine that sees them.
var hangs = map[string]int{
	"hang-never": 4,
	// Its processor, the one that takes the console's interrupts, masks them.
	"hang-device": 13,
	// That one takes no interrupts at all, but another one does.
	"hang-high": 13,
}

// presser is a console where somebody presses Ctrl-\ twice, with something typed
// before, when the guest says that it hangs.
type presser struct {
	bytes.Buffer
	keyboard io.WriteCloser
	pressed  bool
}

func (p *presser) Write(b []byte) (int, error) {
	n, err := p.Buffer.Write(b)
	if !p.pressed && bytes.Contains(p.Bytes(), []byte("it hangs")) {
		p.pressed = true
		go p.keyboard.Write([]byte("hello\x1c?\x1c\x1c"))
	}
	return n, err
}

// rule: bc-e2-manual
func testHangs(t *testing.T, arch qemu.Arch, image string) {
	for name, level := range hangs {
		for _, cpus := range processors(arch, name) {
			line, err := qemu.Cmdline{Args: []string{name}}.Encode()
			if err != nil {
				t.Fatal(err)
			}
			in, keyboard := io.Pipe()
			out := &presser{keyboard: keyboard}
			var errs bytes.Buffer
			m := machine(arch, cpus, "")
			status, err := m.Run(context.Background(), image, line, qemu.Console{In: in, Out: out, Err: &errs}, 5*time.Minute)
			keyboard.Close()
			if err != nil || status != qemu.StopStatus {
				t.Errorf("%s: status %d: %v\n%s%s", name, status, err, &errs, &out.Buffer)
				continue
			}
			want(t, out.String(), "*** STOP 0x000000E2")
			want(t, out.String(), fmt.Sprintf("IRQL %d", level))
		}
	}
}
