package remote

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// stub answers packets by a table, as QEMU would. An answer of "" is the one to
// a packet that is not understood.
func stub(t *testing.T, answers map[string]string) *Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "$T05#b9") // the machine has stopped for the debugger
		in := bufio.NewReader(conn)
		for {
			if c, err := in.ReadByte(); err != nil || c != '$' {
				if err != nil {
					return
				}
				continue // an acknowledgement
			}
			packet, err := in.ReadString('#')
			if err != nil {
				return
			}
			in.Discard(2)
			packet = strings.TrimSuffix(packet, "#")
			answer := answers[packet]
			if answer == "hang up" {
				return
			}
			sum := byte(0)
			for i := range len(answer) {
				sum += answer[i]
			}
			fmt.Fprintf(conn, "+$%s#%02x", answer, sum)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	target, err := Dial(ctx, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return target
}

// machine is a stub of two processors with a few registers.
func machine(more map[string]string) map[string]string {
	answers := map[string]string{
		"qSupported:multiprocess+;vContSupported+": "PacketSize=1000",
		"qfThreadInfo": "mp01.01,p01.02", "qsThreadInfo": "l", "?": "T05thread:p01.01;",
		"qXfer:features:read:target.xml:0,400": `l<target><xi:include href="core.xml"/><xi:include href="system.xml"/></target>`,
		"qXfer:features:read:core.xml:0,400":   `m<feature><reg name="x0" bitsize="64"/>`,
		"qXfer:features:read:system.xml:0,400": `l<feature><reg name="TTBR0_EL1" bitsize="64" regnum="70"/><reg name="OTHER" bitsize="64"/></feature>`,
		"Hgp01.01":                             "OK",
		"Hgp01.02":                             "OK",
		"g":                                    "8877665544332211" + "04030201" + strings.Repeat("0", 32),
		"p46":                                  "0010000000000000",
		"P0=0100000000000000":                  "OK",
		"m1000,4":                              "deadbeef",
		"m2000,4":                              "E14",
		"M1000,2:beef":                         "OK",
		"vCont;c":                              "T05thread:p01.02;",
		"vCont;s:p01.01":                       "hang up",
	}
	for k, v := range more {
		answers[k] = v
	}
	first := len(answers["qXfer:features:read:core.xml:0,400"]) - len("m")
	answers[fmt.Sprintf("qXfer:features:read:core.xml:%x,400", first)] = `l<reg name="cpsr" bitsize="32"/><reg name="v0" bitsize="128"/></feature>`
	return answers
}

func TestRegisters(t *testing.T) {
	target := stub(t, machine(nil))
	if n := target.CPUs(); n != 2 {
		t.Errorf("%d CPUs", n)
	}
	r, err := target.Registers(1)
	if err != nil {
		t.Fatal(err)
	}
	if r["x0"] != 0x1122334455667788 || r["cpsr"] != 0x01020304 || r["ttbr0_el1"] != 0x1000 || len(r) != 3 {
		t.Errorf("registers %#x", r)
	}
	if err := target.SetRegister(0, "x0", 1); err != nil {
		t.Error(err)
	}
	if err := target.SetRegister(0, "x1", 1); err == nil {
		t.Error("a register that does not exist was set")
	}
	if _, err := target.Registers(2); err == nil {
		t.Error("a processor that does not exist has registers")
	}
}

func TestMemory(t *testing.T) {
	target := stub(t, machine(nil))
	b := make([]byte, 4)
	if err := target.ReadMemory(0x1000, b); err != nil || string(b) != "\xde\xad\xbe\xef" {
		t.Errorf("got %x, %v", b, err)
	}
	if err := target.ReadMemory(0x2000, b); err == nil {
		t.Error("memory that is not there was read")
	}
	if err := target.WriteMemory(0x1000, []byte{0xbe, 0xef}); err != nil {
		t.Error(err)
	}
	if err := target.WriteMemory(0x2000, []byte{0}); err == nil {
		t.Error("memory that is not there was written")
	}
}

func TestResume(t *testing.T) {
	target := stub(t, machine(nil))
	if stop, err := target.Resume(t.Context()); err != nil || stop.CPU != 1 || stop.Exited {
		t.Errorf("got %+v, %v; want CPU 1", stop, err)
	}
	for _, end := range []string{"W00", "hang up"} {
		target := stub(t, machine(map[string]string{"vCont;c": end}))
		if stop, err := target.Resume(t.Context()); err != nil || !stop.Exited {
			t.Errorf("%s: got %+v, %v; want the end", end, stop, err)
		}
	}
	if err := target.Step(0); err == nil {
		t.Error("a machine that has ended made a step")
	}
}

func TestExpand(t *testing.T) {
	for in, want := range map[string]string{"": "", "abc": "abc", "0* ": "0000", "}\x03x": "#x", "a}\x5d": "a}"} {
		if got, err := expand([]byte(in)); err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"}", "a*", "*!", "a*\x1c"} {
		if got, err := expand([]byte(in)); err == nil {
			t.Errorf("%q: got %q, want an error", in, got)
		}
	}
}
