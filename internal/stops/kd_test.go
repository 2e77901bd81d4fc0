package stops

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"irqlab/dump/load"
	"irqlab/kd"
	"irqlab/kd/core"
)

// images are those that the kernel debugger has read: it takes a moment. An image is
// for one session at a time, which holds the lock.
var images = struct {
	sync.Mutex
	open map[string]*kd.Image
}{open: map[string]*kd.Image{}}

func debuggerImage(t *testing.T, path string) *kd.Image {
	t.Helper()
	if i := images.open[path]; i != nil {
		return i
	}
	i, err := kd.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	images.open[path] = i
	return i
}

var faulting = regexp.MustCompile(`(?m)^FAULTING_FUNCTION:  (.+)$`)

// analyzes has the kernel debugger explain a dump. It must name the code that the
// screen does, and as the faulting routine one that the screen shows, be it in
// the trace or as a parameter.
func analyzes(t *testing.T, image string, d *load.Dump, screen string) {
	t.Helper()
	var out bytes.Buffer
	images.Lock()
	defer images.Unlock()
	session := kd.New(debuggerImage(t, image), core.New(d), &out)
	if err := session.Execute(t.Context(), ".bugcheck; !analyze -v"); err != nil {
		t.Errorf("kd: %v\n%s", err, &out)
	}
	name := regexp.MustCompile(`(?m)^\*\*\* ([A-Z0-9_]+): `).FindStringSubmatch(screen)
	if name == nil || !strings.HasPrefix(out.String(), fmt.Sprintf("Bugcheck code %08X %s\n", d.Stop.Code, name[1])) ||
		!strings.Contains(out.String(), fmt.Sprintf("\n%s (%x)\n", name[1], d.Stop.Code)) {
		t.Errorf("kd does not name the stop\n%s\n%s", screen, &out)
	}
	// The debugger finds functions that the screen misses: those that a trap
	// interrupted before they had a frame, such as a closure of one that it shows.
	f := faulting.FindStringSubmatch(out.String())
	if f == nil {
		f = []string{"", "none"}
	}
	if outer, _, _ := strings.Cut(f[1], ".func"); !strings.Contains(screen, outer) {
		t.Errorf("kd does not name a routine that the screen does\n%s\n%s", screen, &out)
	}
}
