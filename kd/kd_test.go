package kd

import (
	"bytes"
	"debug/dwarf"
	"debug/gosym"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// still is a machine with one processor and one page of memory.
type still struct{ memory [4096]byte }

const stillBase = 0xffff800000001000

func (*still) CPUs() int { return 1 }

func (*still) Registers(int) (Registers, error) {
	return Registers{"rip": 0x1010, "rsp": stillBase + 0x100, "rbp": stillBase + 0x120, "rax": 0x2a}, nil
}

func (s *still) ReadMemory(addr uint64, b []byte) error {
	if addr < stillBase || addr+uint64(len(b)) > stillBase+uint64(len(s.memory)) {
		return errors.New("no memory")
	}
	copy(b, s.memory[addr-stillBase:])
	return nil
}

func debugger(out *bytes.Buffer) (*Debugger, *still) {
	i := &Image{Path: "test", machine: machines[AMD64], lines: &gosym.Table{}, text: [2]uint64{0x1000, 0x2000}, names: map[string]int{}}
	for n, s := range []Symbol{
		{"main.main", 0x1000, 0x20, true}, {"irqlab/kernel.(*Thread).stop", 0x1020, 0x20, true}, {"irqlab/kernel.add", 0x1040, 8, true},
		{"irqlab/dpc.add", 0x1048, 8, true}, {"runtime.mallocgc", 0x1050, 0, true},
	} {
		i.symbols = append(i.symbols, s)
		i.names[s.Name] = n
	}
	s := &still{}
	for n := range s.memory {
		s.memory[n] = byte(n)
	}
	return &Debugger{image: i, target: s, out: out, memory: memory{image: i, target: s}}, s
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "a", true}, {"a?c", "abc", true}, {"a?c", "ac", false},
		{"*wait*", "irqlab/kernel.wait", true}, {"kernel.*", "irqlab/kernel.wait", false}, {"**", "x", true},
		{"irqlab/*.(*Thread).*", "irqlab/kernel.(*Thread).stop", true}, {"*a*b", "xaxb", true}, {"*a*b", "xaxbx", false},
	} {
		if got := match(tt.pattern, tt.name); got != tt.want {
			t.Errorf("match(%q, %q) = %v", tt.pattern, tt.name, got)
		}
	}
}

func TestSplit(t *testing.T) {
	got := split(` k ; .echo "a;b" ;; g `)
	if diff := cmp.Diff([]string{"k", `.echo "a;b"`, "g"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEval(t *testing.T) {
	d, s := debugger(new(bytes.Buffer))
	binary.LittleEndian.PutUint64(s.memory[0x80:], 0x1122334455667788)
	for text, want := range map[string]uint64{
		"10": 0x10, "0x10": 0x10, "0n10": 10, "ffff8000`00001000": stillBase, "-1": ^uint64(0),
		"1+2*3": 7, "(1+2)*3": 9, "10-1-1": 0xe, "@rax": 0x2a, "@$ip+1": 0x1011, "@RAX": 0x2a,
		"main.main": 0x1000, "main.main+8": 0x1008, "nt!kernel.(*Thread).stop": 0x1020, "irqlab/kernel.(*Thread).stop-0x10": 0x1010,
		"kernel.add": 0x1040, "mallocgc": 0x1050, "poi(ffff800000001080)": 0x1122334455667788, "poi(@rsp-80)+1": 0x1122334455667789,
		"add": 0xadd, // as everywhere, a number if it can be one
	} {
		var got uint64
		if err := guard(func() { got = d.eval(text) }); err != nil || got != want {
			t.Errorf("%s = %#x, %v; want %#x", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1+", "(1", "1)", "@nothing", "nowhere", ".add", "poi(0)", "1 2"} {
		if err := guard(func() { d.eval(text) }); err == nil {
			t.Errorf("%q was evaluated", text)
		}
	}
}

func TestDisplay(t *testing.T) {
	for line, want := range map[string]string{
		"db ffff800000001ff8 La":  "ffff8000`00001ff8  f8 f9 fa fb fc fd fe ff-?? ??                    ..........\n",
		"db ffff800000001041 L3":  "ffff8000`00001041  41 42 43                                         ABC\n",
		"dd ffff800000001000 L5":  "ffff8000`00001000  03020100 07060504 0b0a0908 0f0e0d0c\nffff8000`00001010  13121110\n",
		"dq ffff800000001ff8 L2":  "ffff8000`00001ff8  fffefdfc`fbfaf9f8 ????????`????????\n",
		"da ffff800000001021 L4":  "ffff8000`00001021  \"!\"#$\"\n",
		"dps ffff800000001100 L1": "ffff8000`00001100  07060504`03020100\n",
		"ln 1048":                 "(00000000`00001048)   irqlab/dpc.add   |  (00000000`00001050)\n",
		"x kernel.*":              "00000000`00001020 irqlab/kernel.(*Thread).stop\n00000000`00001040 irqlab/kernel.add\n",
		"? 0n16+1":                "Evaluate expression: 17 = 00000000`00000011\n",
		".echo a  b":              "a  b\n",
		"r rax":                   "rax=000000000000002a\n",
		"r @$ip":                  "rip=0000000000001010\n",
		"r $csp":                  "rsp=ffff800000001100\n",
		"da ffff800000001ffb":     "ffff8000`00001ffb  \".....\"\n",
	} {
		var out bytes.Buffer
		d, _ := debugger(&out)
		if err := d.Execute(t.Context(), line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

// Mistakes are answered, and what follows them runs.
func TestMistakes(t *testing.T) {
	for line, say := range map[string]string{
		"nonsense":            `unknown command "nonsense"`,
		"irql":                "did you mean !irql?",
		"db 1000 L0":          "is not a count",
		"db 1000 Lfffffff":    "is not a count",
		"dq zzz":              `couldn't resolve "zzz"`,
		"ln .add":             "couldn't resolve",
		"dt kernel.Thread":    "no type information",
		"!thread":             "no type information",
		"x nothing*":          "no symbol fits",
		"bp main.main":        "does not run",
		"g":                   "does not run",
		"r rax=1":             "does not run",
		"r nothing":           "no register",
		"r rbx":               "rbx is not known: the processor called",
		"? @rbx":              "rbx is not known",
		"~5s":                 "there is no CPU 5",
		"~x":                  "usage: ~ [Ns]",
		"!process 0 7":        "no type information",
		"!process all":        "usage: !process",
		"!irpfind all":        "usage: !irpfind",
		"vertarget all":       "usage: vertarget",
		"r =":                 "usage: r",
		"!analyze -x":         "usage: !analyze [-v]",
		"!analyze":            "not stopped by a bug check",
		".help nothing":       "unknown command",
		".dump":               "does not run",
		"u 0":                 "memory access error at 00000000`00000000",
		"poi(0)":              "unknown command",
		"!running -x":         "usage",
		"da 0":                "memory access error",
		"dt":                  "usage: dt",
		"uf ffff800000000000": "no function",
	} {
		var out bytes.Buffer
		d, _ := debugger(&out)
		err := d.Execute(t.Context(), line+"; .echo next")
		if err == nil || !strings.Contains(err.Error(), say) || !strings.HasSuffix(out.String(), "next\n") {
			t.Errorf("%s: got %v and %q, want %q", line, err, out.String(), say)
		}
	}
}

func TestComplete(t *testing.T) {
	d, _ := debugger(new(bytes.Buffer))
	for line, want := range map[string]string{
		"!runn": "!running ", "u main": "u main.main ", "k; !dead": "k; !deadlock ", "ln irqlab/k": "ln irqlab/kernel.",
		"nothing": "nothing", "": "", "u ": "u ", "bp kernel.a": "bp kernel.add ", "bp kernel.(*T": "bp kernel.(*Thread).stop ",
	} {
		if got, _ := d.Complete(line); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
	d.image.index = &index{types: map[string]dwarf.Offset{"irqlab/kernel.Thread": 1, "irqlab/kernel.Timer": 2, "*irqlab/kernel.Thread": 3}}
	for line, want := range map[string]string{
		"dt kernel.Th": "dt kernel.Thread ", "k; dt irqlab/kernel.Ti": "k; dt irqlab/kernel.Timer ", "db kernel.Th": "db kernel.Th", "dt main": "dt main.main ",
	} {
		if got, _ := d.Complete(line); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
	if diff := cmp.Diff([]string{"*irqlab/kernel.Thread", "irqlab/kernel.Thread"}, d.image.typeNames("*Thread*")); diff != "" {
		t.Error(diff)
	}
	if _, found := d.Complete("!p"); len(found) < 5 {
		t.Errorf("candidates for !p: %q", found)
	}
}

// The function of an x86-64 program: SUBQ $0x18, SP at 4, its return address
// pushed by the call; and of an ARM64 one, that stores it at 8.
func TestFrameRule(t *testing.T) {
	amd64 := &frameTable{codeAlign: 1, dataAlign: -8, link: 16,
		initial: []byte{cfaDefCFA, 7, 8, cfaOffset | 16, 1},
		rows:    []frameEntry{{0x1000, 0x1020, []byte{cfaAdvanceLoc | 4, cfaDefCFAOffset, 0x20, cfaAdvanceLoc1, 0x10, cfaDefCFAOffset, 8}}}}
	arm64 := &frameTable{codeAlign: 4, dataAlign: -4, link: 30,
		initial: []byte{cfaDefCFA, 31, 0},
		rows:    []frameEntry{{0x1000, 0x1020, []byte{cfaAdvanceLoc | 2, cfaDefCFAOffset, 0x20, cfaOffsetExtendedSF, 30, 8, cfaAdvanceLoc | 4, cfaSameValue, 30, cfaDefCFAOffset, 0}}}}
	for _, tt := range []struct {
		table *frameTable
		pc    uint64
		want  frameRule
		ok    bool
	}{
		{amd64, 0xfff, frameRule{}, false},
		{amd64, 0x1000, frameRule{8, true, -8}, true},
		{amd64, 0x1004, frameRule{0x20, true, -8}, true},
		{amd64, 0x1013, frameRule{0x20, true, -8}, true},
		{amd64, 0x1014, frameRule{8, true, -8}, true},
		{amd64, 0x1020, frameRule{}, false},
		{arm64, 0x1004, frameRule{0, false, 0}, true},
		{arm64, 0x1008, frameRule{0x20, true, -0x20}, true},
		{arm64, 0x1018, frameRule{0, false, -0x20}, true},
	} {
		if got, ok := tt.table.rule(tt.pc); got != tt.want && tt.ok || ok != tt.ok {
			t.Errorf("at %#x: got %+v, %v; want %+v", tt.pc, got, ok, tt.want)
		}
	}
	bad := &frameTable{codeAlign: 1, rows: []frameEntry{{0, 8, []byte{0x3f}}}}
	if _, ok := bad.rule(4); ok {
		t.Error("an unknown instruction was executed")
	}
}

func TestCycle(t *testing.T) {
	// 2 waits for 4 and 3, and 3 for 5, 4 and 2.
	graph := map[uint64][]edge{1: {{owner: 2}}, 2: {{owner: 4}, {owner: 3}}, 3: {{owner: 5}, {owner: 4}, {owner: 2}}, 4: {{owner: 5}}}
	for start, want := range map[uint64][]uint64{1: nil, 2: {3, 2}, 3: {2, 3}, 4: nil, 5: nil} {
		var got []uint64
		for _, e := range cycleFrom(start, graph) {
			got = append(got, e.owner)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("from %d (-want +got):\n%s", start, diff)
		}
	}
	if a, b := members(cycleFrom(2, graph)), members(cycleFrom(3, graph)); a != b {
		t.Errorf("one cycle is %s and %s", a, b)
	}
}

func TestUsers(t *testing.T) {
	for function, want := range map[string]bool{
		"main.main": true, "irqlab/demos.mutex": true, "example.com/driver.(*Device).Start": true, "mydriver.Start": true,
		"irqlab/kernel.wait": false, "irqlab/sync/spin.(*Lock).Acquire": false, "runtime.main": false, "fmt.Println": false,
		"internal/poll.(*FD).Read": false, "systemCall": false, "irqlab/wdk.KeSetEvent": false, "irqlab/tests/kit.New": true,
	} {
		if got := users(function); got != want {
			t.Errorf("%s: %v", function, got)
		}
	}
}
