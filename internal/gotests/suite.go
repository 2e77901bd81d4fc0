package gotests

import (
	"regexp"
	"strings"
)

// Suite is a package of the standard library whose tests run in the machine.
type Suite struct {
	Package string
	Short   bool // part of the representative selection
	Skip    []Skip
}

// Skip names a test that cannot pass here through no fault of the kernel's.
type Skip struct{ Test, Why string }

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

// Results reads the output of a test binary run with -test.v. A test that
// began and never ended has failed, with the rest of the output to show for it.
func Results(output string) []Result {
	var results []Result
	var running string
	var detail []string
	for line := range strings.Lines(output) {
		line = strings.TrimSuffix(line, "\n")
		// test2json's mark, in case the output is meant for it.
		line = strings.TrimPrefix(line, "\x16")
		if m := runLine.FindStringSubmatch(line); m != nil {
			running, detail = m[1], nil
			continue
		}
		if m := statusLine.FindStringSubmatch(line); m != nil {
			results = append(results, Result{Test: m[2], Status: m[1], Detail: strings.Join(detail, "\n")})
			if m[2] == running {
				running = ""
			}
			continue
		}
		detail = append(detail, line)
	}
	if running != "" {
		results = append(results, Result{Test: running, Status: "FAIL", Detail: strings.Join(detail, "\n")})
	}
	return results
}
