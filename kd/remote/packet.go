package remote

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// answerTime bounds the wait for an answer of a stub whose machine stands still.
const answerTime = 30 * time.Second

// maxRead is what is asked for at once: QEMU's packets have 4096 bytes, and a
// byte of memory takes two of them.
const maxRead = 1024

// stream carries packets of the remote serial protocol (gdb manual, "Remote
// Protocol", "Overview"): $data#sum, each acknowledged with a +.
type stream struct {
	conn net.Conn
	in   *bufio.Reader
}

// exchange sends a packet and returns the answer. QEMU stops the machine for a
// debugger that connects, and older ones say so unasked, before or after another
// answer: of the packets sent here only ? is answered with a stop.
func (s *stream) exchange(data string) (string, error) {
	if err := s.send(data); err != nil {
		return "", err
	}
	for {
		answer, err := s.receive(answerTime)
		if err != nil || data == "?" || !strings.HasPrefix(answer, "T") {
			return answer, err
		}
	}
}

func (s *stream) send(data string) error {
	sum := byte(0)
	for i := range len(data) {
		sum += data[i]
	}
	_, err := fmt.Fprintf(s.conn, "$%s#%02x", data, sum)
	return err
}

// receive returns the next packet. A limit of zero is none.
func (s *stream) receive(limit time.Duration) (string, error) {
	var deadline time.Time
	if limit > 0 {
		deadline = time.Now().Add(limit)
	}
	if err := s.conn.SetReadDeadline(deadline); err != nil {
		return "", err
	}
	for {
		c, err := s.in.ReadByte()
		if err != nil {
			return "", err
		}
		switch c {
		case '$':
			return s.body()
		case '-':
			return "", errors.New("gdb stub: a packet was damaged on its way")
		}
	}
}

// body reads a packet from behind its dollar sign.
func (s *stream) body() (string, error) {
	raw, err := s.in.ReadBytes('#')
	if err != nil {
		return "", err
	}
	raw = raw[:len(raw)-1]
	sum := byte(0)
	for _, c := range raw {
		sum += c
	}
	var digits [2]byte
	if _, err := io.ReadFull(s.in, digits[:]); err != nil {
		return "", err
	}
	if want := fmt.Sprintf("%02x", sum); want != string(digits[:]) {
		return "", fmt.Errorf("gdb stub: checksum %s, want %s", digits[:], want)
	}
	if _, err := s.conn.Write([]byte{'+'}); err != nil {
		return "", err
	}
	return expand(raw)
}

// expand undoes the protocol's escapes and repetitions.
func expand(raw []byte) (string, error) {
	var data []byte
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '}' && c != '*' {
			data = append(data, c)
			continue
		}
		if i++; i == len(raw) {
			return "", errors.New("gdb stub: a packet ends within an escape")
		}
		if c == '}' {
			data = append(data, raw[i]^0x20)
			continue
		}
		const none = 29 // added to the number of repetitions
		if len(data) == 0 || raw[i] < none {
			return "", errors.New("gdb stub: a repetition of nothing")
		}
		for range raw[i] - none {
			data = append(data, data[len(data)-1])
		}
	}
	return string(data), nil
}
