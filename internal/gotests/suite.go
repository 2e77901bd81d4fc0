package gotests

import (
	"regexp"
	"slices"
	"strings"
)

// Suite is a package of the standard library whose tests run in the machine.
type Suite struct {
	Package string
	Short   bool     // part of the representative selection
	Tags    []string // build tags: timetzdata puts the time zones into the program
	Skip    []Skip
}

// Skip names a test that cannot pass here through no fault of the kernel's.
type Skip struct{ Test, Why string }

// SuitesFor returns Suites with the skips of an architecture, and of the
// representative selection if that is asked for.
func SuitesFor(arch string, short bool) []Suite {
	suites := slices.Clone(Suites)
	for i := range suites {
		s := &suites[i]
		s.Skip = slices.Concat(s.Skip, archSkips[arch][s.Package])
		if short {
			s.Skip = append(s.Skip, longSkips[s.Package]...)
		}
	}
	return suites
}

// Pattern is the -test.skip that leaves out the suite's skipped tests.
func (s *Suite) Pattern() string {
	if len(s.Skip) == 0 {
		return ""
	}
	names := make([]string, len(s.Skip))
	for i, skip := range s.Skip {
		names[i] = skip.Test
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

// Result is the outcome of one test function.
type Result struct {
	Test   string
	Status string // PASS, FAIL or SKIP
	Detail string // what the test said
}

var (
	runLine    = regexp.MustCompile(`^=== RUN   ([^/\s]+)$`)
	statusLine = regexp.MustCompile(`^--- (PASS|FAIL|SKIP): ([^/\s]+) \(`)
)

// Results reads the output of a test binary run with -test.v. Tests that began
// and never ended have failed, the last of them with the rest of the output to
// show for it.
func Results(output string) []Result {
	var results []Result
	var open []string   // began, and have not ended
	var detail []string // output since the last line that tells about a test
	took := func() string {
		d := strings.Join(detail, "\n")
		detail = nil
		return d
	}
	for line := range strings.Lines(output) {
		line = strings.TrimSuffix(line, "\n")
		run, status := runLine.FindStringSubmatch(line), statusLine.FindStringSubmatch(line)
		if run == nil && status == nil {
			detail = append(detail, line)
			continue
		}
		d := took()
		if n := len(results); n > 0 && len(open) == 0 && results[n-1].Status == "FAIL" {
			// An example says what differs after its status.
			results[n-1].Detail += d
			d = ""
		}
		if run != nil {
			open = append(open, run[1])
			continue
		}
		results = append(results, Result{Test: status[2], Status: status[1], Detail: d})
		open = slices.DeleteFunc(open, func(t string) bool { return t == status[2] })
	}
	for i, t := range open {
		r := Result{Test: t, Status: "FAIL"}
		if i == len(open)-1 {
			r.Detail = took()
		}
		results = append(results, r)
	}
	return results
}
