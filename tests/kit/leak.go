package kit

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"irqlab/ob"
)

// balance is what must not have grown at the end of a test: by type, the
// objects, the handles, and the references. Of threads, those that have ended
// count as objects, since others come and go at the Go runtime's pleasure, and a
// thread's reference to itself does not count.
type balance [ob.Types]ob.Census

func takeBalance() (b balance) {
	for t := ob.Thread; t < ob.Types; t++ {
		b[t] = ob.Describe(t).Count()
		b[t].Objects -= b[t].Live
	}
	return b
}

// grown says what has grown since then, one line for each type.
func (before *balance) grown() (lines []string) {
	now := takeBalance()
	for t := ob.Thread; t < ob.Types; t++ {
		b, n := &before[t], &now[t]
		if n.Objects > b.Objects || n.Handles > b.Handles || n.References > b.References {
			lines = append(lines, fmt.Sprintf("%s: %+d objects, %+d handles, %+d references", ob.Describe(t).Name,
				n.Objects-b.Objects, n.Handles-b.Handles, n.References-b.References))
		}
	}
	return lines
}

// settled waits until nothing has grown, which may take a moment: threads end,
// and workers delete objects, when the processors find the time.
func (before *balance) settled(patience time.Duration) (lines []string) {
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if lines = before.grown(); lines == nil || time.Now().After(end) {
			return lines
		}
	}
}

// leakPatience is how long a test may take to settle.
var leakPatience = Patience

var (
	watchedLock sync.Mutex
	watched     []testing.TB
)

// NoLeaks checks at the end of the test, after all that the test has cleaned up,
// that handles and objects are as many as they are now. The kit's other functions
// call it when they are first given a test, so only a test that uses none of them
// needs to.
func NoLeaks(t testing.TB) {
	t.Helper()
	watchedLock.Lock()
	defer watchedLock.Unlock()
	if slices.Contains(watched, t) {
		return
	}
	watched = append(watched, t)
	before := takeBalance()
	open := openHandles()
	t.Cleanup(func() {
		t.Helper()
		watchedLock.Lock()
		watched = slices.DeleteFunc(watched, func(w testing.TB) bool { return w == t })
		watchedLock.Unlock()
		if t.Failed() || t.Skipped() {
			return
		}
		if lines := before.settled(leakPatience); lines != nil {
			t.Errorf("leaked: %s%s", strings.Join(lines, "; "), newHandles(open))
		}
	})
}

// openHandles returns the handles that are open.
func openHandles() []ob.HandleInfo {
	var buf [1024]ob.HandleInfo
	return slices.Clone(buf[:min(ob.Handles(buf[:]), len(buf))])
}

// newHandles describes those that were not open before.
func newHandles(before []ob.HandleInfo) string {
	var s strings.Builder
	for _, h := range openHandles() {
		same := func(b ob.HandleInfo) bool { return b.Handle == h.Handle && b.Object == h.Object }
		if !slices.ContainsFunc(before, same) {
			fmt.Fprintf(&s, "\n\thandle %#x to a %s at %#x, access %#x", uintptr(h.Handle), ob.Describe(h.Type).Name, h.Object, h.Access)
		}
	}
	return s.String()
}
