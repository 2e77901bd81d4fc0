package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// kernelOptions are the options that the kernel takes from -opt, with their values
// where these are few. The kernel itself tells of others that it does not understand.
var kernelOptions = map[string][]string{
	"checks":    {"on", "off"},
	"dump":      nil, // a kind of crash dump
	"fault":     nil, // kind@occasion
	"special":   nil, // a pool tag, or all
	"specialat": {"end", "start"},
	"verifier":  nil, // rules, or on
}

// checkOption returns what is wrong with a kernel option.
func checkOption(setting string) error {
	name, value, ok := strings.Cut(setting, "=")
	if !ok {
		return fmt.Errorf("write it as name=value")
	}
	values, known := kernelOptions[name]
	if !known {
		return fmt.Errorf("the kernel has no option %s; there are %s", name, strings.Join(slices.Sorted(maps.Keys(kernelOptions)), ", "))
	}
	if values != nil && !slices.Contains(values, value) {
		return fmt.Errorf("%s is %s", name, strings.Join(values, " or "))
	}
	return nil
}
