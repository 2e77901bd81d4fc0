//go:build !irqlab

package main

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Only what is neither new nor in use is pruned.
func TestPrune(t *testing.T) {
	builds := t.TempDir()
	now := time.Now()
	build := func(name string, age time.Duration) (unlock func()) {
		dir := filepath.Join(builds, name)
		unlock, err := lock(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "program.elf"), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(dir, lockFile), now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		return unlock
	}
	build("old", 2*keepBuilds)()
	build("new", keepBuilds/2)()
	inUse := build("used", 2*keepBuilds)
	check := func(want map[string]bool) {
		t.Helper()
		prune(builds, now.Add(-keepBuilds))
		for name, there := range want {
			if _, err := os.Stat(filepath.Join(builds, name, "program.elf")); (err == nil) != there {
				t.Errorf("%s: %v, want it to be there: %v", name, err, there)
			}
		}
	}
	check(map[string]bool{"old": false, "new": true, "used": true})
	inUse()
	again, err := lock(filepath.Join(builds, "used")) // a build makes it new
	if err != nil {
		t.Fatal(err)
	}
	again()
	check(map[string]bool{"used": true})
}

// Who has locked a directory has it, whatever others prune.
func TestPruneConcurrent(t *testing.T) {
	builds := t.TempDir()
	dir := filepath.Join(builds, "program")
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 50 {
				unlock, err := lock(dir)
				if err != nil {
					t.Error(err)
					return
				}
				file := filepath.Join(dir, "program.elf")
				if err := os.WriteFile(file, nil, 0o666); err != nil {
					t.Error(err)
				}
				if _, err := os.Stat(file); err != nil {
					t.Error(err)
				}
				unlock()
				prune(builds, time.Now().Add(time.Hour))
			}
		})
	}
	wait.Wait()
}
