//go:build irqlab

package main

import (
	"testing"
	"time"
)

// testTime makes a minute of "make test", which runs it on 1, 2 and 4 processors.
const testTime = 20 * time.Second

func TestSoak(t *testing.T) {
	d := testTime
	if testing.Short() {
		d = 2 * time.Second
	}
	if err := soak(d); err != nil {
		t.Error(err)
	}
}
