package qemu

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// Pipe carries a guest's console from QEMU to the user.
type Pipe struct {
	r, w *os.File
	read syscall.RawConn

	mu  sync.Mutex
	out *output // nil before the machine runs
}

// NewPipe returns a pipe for one run.
func NewPipe() (*Pipe, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &Pipe{r: r, w: w}
	p.read, err = r.SyscallConn()
	return p, err
}

// Drain carries all that the guest has written until now. When the machine stands
// still, the console is complete after it.
func (p *Pipe) Drain() {
	p.read.Control(func(fd uintptr) { p.carry(fd) })
}

// carry carries what there is, and reports whether no more will come. What is not
// in the pipe any more is on its way to the user as long as mu is held.
func (p *Pipe) carry(fd uintptr) (end bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		return false
	}
	var b [4096]byte
	for {
		n, err := syscall.Read(int(fd), b[:])
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return false
		case err != nil || n == 0:
			return true
		default:
			p.out.Write(b[:n]) // what fails does so again in output.close
		}
	}
}

// start carries what arrives to out from now on, until the pipe ends: done is
// closed then.
func (p *Pipe) start(out *output) (done <-chan struct{}) {
	p.mu.Lock()
	p.out = out
	p.mu.Unlock()
	end := make(chan struct{})
	go func() {
		defer close(end)
		p.read.Read(p.carry)
	}()
	return end
}

// endTime is how long QEMU's end of the pipe may outlive QEMU.
const endTime = 5 * time.Second

// close waits for the end.
func (p *Pipe) close(done <-chan struct{}) {
	p.w.Close()
	p.r.SetReadDeadline(time.Now().Add(endTime))
	<-done
	p.r.Close()
}
