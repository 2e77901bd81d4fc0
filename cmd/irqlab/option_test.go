package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

func TestCheckOption(t *testing.T) {
	for setting, ok := range map[string]bool{
		"checks=off": true, "checks=of": false, "checks": false, "verifier=on": true, "verifer=on": false,
		"UPPER=1": false, "=1": false, "": false, "special=Test": true, "specialat=begin": false,
	} {
		if err := checkOption(setting); (err == nil) != ok {
			t.Errorf("%q: %v", setting, err)
		}
	}
}

// own are options that flags of their own set, or irqlab itself.
var own = map[string]bool{"input": true, "seed": true, "stdin": true, "stop": true}

// Every option that the kernel looks for is known here.
func TestKernelOptions(t *testing.T) {
	looks := regexp.MustCompile(`[oO]ption\("([a-z]+)"`)
	found := map[string]bool{}
	for _, pattern := range []string{"../../entry/*.go", "../../linux/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || files == nil {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range looks.FindAllStringSubmatch(string(text), -1) {
				found[m[1]] = true
				if _, known := kernelOptions[m[1]]; !known && !own[m[1]] {
					t.Errorf("%s looks for option %s", file, m[1])
				}
			}
		}
	}
	for name := range kernelOptions {
		if !found[name] {
			t.Errorf("the kernel does not look for option %s", name)
		}
	}
}
