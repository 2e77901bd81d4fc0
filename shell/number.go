package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"irqlab/arch"
)

// number reads a number: decimal, or hexadecimal with 0x.
func number(s string) (uint64, error) {
	n, err := parse(s)
	if errors.Is(err, strconv.ErrRange) {
		return 0, usagef("%s is too large a number", shorten(s, 40))
	}
	if err != nil {
		return 0, usagef("%q is not a number", shorten(s, 40))
	}
	return n, nil
}

func parse(s string) (uint64, error) {
	if digits, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		return strconv.ParseUint(digits, 16, 64)
	}
	return strconv.ParseUint(s, 10, 64)
}

// optionalCPU reads the one argument of commands that are about a processor, and
// returns the processors meant: all, without it.
func optionalCPU(args []string) ([]uint32, error) {
	all := make([]uint32, arch.NumCPUs)
	for i := range all {
		all[i] = uint32(i)
	}
	switch len(args) {
	case 0:
		return all, nil
	case 1:
		n, err := number(args[0])
		if err != nil {
			return nil, err
		}
		if n >= uint64(len(all)) {
			return nil, usagef("there is no CPU %d; the last is %d", n, len(all)-1)
		}
		return all[n : n+1], nil
	}
	return nil, errUsage
}

// count puts a number in front of a noun.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
