package linux

import (
	"bytes"
	"os"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

func pipe(t *testing.T, flags int) (r, w int) {
	t.Helper()
	var p [2]int
	if err := syscall.Pipe2(p[:], flags); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(p[0]); syscall.Close(p[1]) })
	return p[0], p[1]
}

func TestPipeNonblocking(t *testing.T) {
	r, w := pipe(t, syscall.O_NONBLOCK)
	b := make([]byte, 1<<20)
	if _, err := syscall.Read(r, b); err != syscall.EAGAIN {
		t.Errorf("read of an empty pipe: %v", err)
	}
	n, err := syscall.Write(w, b)
	if n != 65536 || err != nil {
		t.Errorf("an empty pipe took %d bytes, %v", n, err)
	}
	if _, err := syscall.Write(w, b[:1]); err != syscall.EAGAIN {
		t.Errorf("write to a full pipe: %v", err)
	}
	syscall.Read(r, b[:100])
	// A write of up to PIPE_BUF bytes is not split.
	if _, err := syscall.Write(w, b[:4096]); err != syscall.EAGAIN {
		t.Errorf("write of more than there is room for: %v", err)
	}
	syscall.Close(w)
	total := 0
	for {
		n, err := syscall.Read(r, b)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		total += n
	}
	if total != 65536-100 {
		t.Errorf("%d bytes before the end", total)
	}
}

func TestPipeBroken(t *testing.T) {
	r, w := pipe(t, 0)
	syscall.Close(r)
	if _, err := syscall.Write(w, []byte{1}); err != syscall.EPIPE {
		t.Errorf("write without a reader: %v", err)
	}
}

// Blocking ends of a pipe carry everything, in order.
func TestPipeBlocking(t *testing.T) {
	r, w := pipe(t, 0)
	const size = 300_000
	sent := make([]byte, size)
	for i := range sent {
		sent[i] = byte(i * 7)
	}
	go func() {
		for b := sent; len(b) > 0; {
			n, err := syscall.Write(w, b[:min(len(b), 12345)])
			if err != nil {
				break
			}
			b = b[n:]
		}
		syscall.Close(w)
	}()
	var got []byte
	b := make([]byte, 777)
	for {
		n, err := syscall.Read(r, b)
		if n <= 0 || err != nil {
			break
		}
		got = append(got, b[:n]...)
	}
	if !bytes.Equal(got, sent) {
		t.Errorf("%d bytes arrived of %d, or not the same", len(got), size)
	}
}

// A deadline of a pipe's end works through the network poller.
func TestPipeDeadline(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	r.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := r.Read(make([]byte, 1)); !os.IsTimeout(err) {
		t.Errorf("read: %v", err)
	}
	r.SetReadDeadline(time.Time{})
	go func() {
		time.Sleep(5 * time.Millisecond)
		w.Write([]byte("x"))
	}()
	if n, err := r.Read(make([]byte, 4)); n != 1 || err != nil {
		t.Errorf("read: %d, %v", n, err)
	}
}

func TestDevices(t *testing.T) {
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if n, err := null.Write(make([]byte, 1000)); n != 1000 || err != nil {
		t.Errorf("null took %d, %v", n, err)
	}
	random, err := os.Open("/dev/urandom")
	if err != nil {
		t.Fatal(err)
	}
	defer random.Close()
	b := make([]byte, 64)
	if n, _ := random.Read(b); n != 64 || bytes.Equal(b, make([]byte, 64)) {
		t.Errorf("%d random bytes: %x", n, b)
	}
	if _, err := os.Open("/nowhere"); !os.IsNotExist(err) {
		t.Errorf("open: %v", err)
	}
}

func TestDescriptors(t *testing.T) {
	if err := syscall.Close(55); err != syscall.EBADF {
		t.Errorf("close: %v", err)
	}
	r, _ := pipe(t, 0)
	var st syscall.Stat_t
	if err := syscall.Fstat(r, &st); err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		t.Errorf("a pipe has mode %#o, %v", st.Mode, err)
	}
	if err := syscall.Fstat(1, &st); err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFCHR {
		t.Errorf("the console has mode %#o, %v", st.Mode, err)
	}
	if _, err := syscall.Seek(r, 0, 0); err != syscall.ESPIPE {
		t.Errorf("seek: %v", err)
	}
	// Running out of descriptors is an error, and undone by closing.
	var all []int
	for {
		var p [2]int
		if err := syscall.Pipe2(p[:], 0); err != nil {
			if err != syscall.EMFILE {
				t.Errorf("out of descriptors: %v", err)
			}
			break
		}
		all = append(all, p[:]...)
	}
	for _, fd := range all {
		syscall.Close(fd)
	}
	pipe(t, 0)
}

func control(ep, op, fd int, events uint32) error {
	e := syscall.EpollEvent{Events: events, Fd: int32(fd)}
	return syscall.EpollCtl(ep, op, fd, &e)
}

func TestEpoll(t *testing.T) {
	ep, err := syscall.EpollCreate1(0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(ep)
	r, w := pipe(t, syscall.O_NONBLOCK)
	if err := control(ep, syscall.EPOLL_CTL_MOD, r, syscall.EPOLLIN); err != syscall.ENOENT {
		t.Errorf("change of what is not there: %v", err)
	}
	if err := control(ep, syscall.EPOLL_CTL_ADD, r, syscall.EPOLLIN); err != nil {
		t.Fatal(err)
	}
	if err := control(ep, syscall.EPOLL_CTL_ADD, r, syscall.EPOLLIN); err != syscall.EEXIST {
		t.Errorf("twice: %v", err)
	}
	if err := control(ep, syscall.EPOLL_CTL_ADD, 0, syscall.EPOLLIN); err != syscall.EPERM {
		t.Errorf("the console: %v", err)
	}
	events := make([]syscall.EpollEvent, 4)
	wait := func(ms, want int) {
		t.Helper()
		n, err := syscall.EpollWait(ep, events, ms)
		for err == syscall.EINTR { // the runtime preempts threads by a signal
			n, err = syscall.EpollWait(ep, events, ms)
		}
		if n != want || err != nil {
			t.Errorf("%d events, %v, want %d", n, err, want)
		}
	}
	wait(0, 0)
	start := time.Now()
	wait(20, 0)
	if d := time.Since(start); d < 20*time.Millisecond {
		t.Errorf("a wait of 20 ms took %v", d)
	}
	go func() {
		time.Sleep(5 * time.Millisecond)
		syscall.Write(w, []byte{1})
	}()
	wait(10_000, 1)
	if events[0].Fd != int32(r) || events[0].Events != syscall.EPOLLIN {
		t.Errorf("event %+v", events[0])
	}
	wait(0, 1) // still there
	syscall.Close(w)
	syscall.Read(r, make([]byte, 8))
	wait(0, 1)
	if events[0].Events != syscall.EPOLLHUP {
		t.Errorf("after the writer's end: %#x", events[0].Events)
	}
}

func TestEventCounter(t *testing.T) {
	fd, e := sys(eventfd2, 3, syscall.O_NONBLOCK)
	if e != 0 {
		t.Fatal(e)
	}
	defer syscall.Close(int(fd))
	v := uint64(4)
	b := unsafe.Slice((*byte)(unsafe.Pointer(&v)), 8)
	syscall.Write(int(fd), b)
	if n, err := syscall.Read(int(fd), b); n != 8 || err != nil || v != 7 {
		t.Errorf("%d bytes, %v, count %d, want 7", n, err, v)
	}
	if _, err := syscall.Read(int(fd), b); err != syscall.EAGAIN {
		t.Errorf("a count of zero: %v", err)
	}
	if _, err := syscall.Read(int(fd), b[:4]); err != syscall.EINVAL {
		t.Errorf("a short read: %v", err)
	}
}
