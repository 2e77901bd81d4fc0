package coverage

import (
	"fmt"
	"regexp"

	"irqlab/internal/spec"
)

// documentedIn is what the specification says of the header of a routine that has
// a page of its own.
var documentedIn = regexp.MustCompile(`^(\w+\.h)([,/] ?\w+\.h)*( \((macro|intrinsic|header)\))?$`)

// Page returns the line with which the doc comment of a routine of package wdk ends:
// the title of its documentation page.
func Page(r spec.Routine) string {
	m := documentedIn.FindStringSubmatch(r.Header)
	if m == nil {
		return "Documentation: none of its own."
	}
	kind := "function"
	if m[4] == "macro" {
		kind = "macro"
	}
	return fmt.Sprintf("Documentation: %q", fmt.Sprintf("%s %s (%s)", r.Name, kind, m[1]))
}
