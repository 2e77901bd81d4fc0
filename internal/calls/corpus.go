package calls

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed testdata/fuzz/FuzzCalls
var files embed.FS

const corpusDir = "testdata/fuzz/FuzzCalls"

// Corpus returns the programs that the fuzzer is to begin with, and what it found
// in the past.
func Corpus() (map[string][]byte, error) {
	entries, err := files.ReadDir(corpusDir)
	if err != nil {
		return nil, err
	}
	corpus := map[string][]byte{}
	for _, e := range entries {
		text, err := files.ReadFile(corpusDir + "/" + e.Name())
		if err != nil {
			return nil, err
		}
		// The format of package testing: a line, and a []byte literal.
		_, value, _ := strings.Cut(string(text), "\n")
		value = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(value), "[]byte("), ")")
		data, err := strconv.Unquote(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		corpus[e.Name()] = []byte(data)
	}
	return corpus, nil
}
