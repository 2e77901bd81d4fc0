package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// keepBuilds is how long a program that was built is kept after its last build.
const keepBuilds = 7 * 24 * time.Hour

// lockFile is what a build locks in its directory, and touches.
const lockFile = "lock"

// lock keeps other runs of the tool from doing something with dir at the same time.
func lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(dir, lockFile))
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	now := time.Now()
	if err := os.Chtimes(f.Name(), now, now); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// prune removes programs that were last built before some time from a directory of
// builds. What is in use stays, and what cannot be removed: the next run tries
// again. So do the directories with their locks, for others may wait for one.
func prune(builds string, before time.Time) {
	programs, _ := filepath.Glob(filepath.Join(builds, "*", "*.elf")) // the pattern is good
	for _, elf := range programs {
		if dir := filepath.Dir(elf); unused(dir, before) {
			pruneBuild(dir, before)
		}
	}
}

// unused reports whether a directory's last build was before some time.
func unused(dir string, before time.Time) bool {
	info, err := os.Stat(filepath.Join(dir, lockFile))
	return err == nil && info.ModTime().Before(before)
}

func pruneBuild(dir string, before time.Time) {
	f, err := os.Open(filepath.Join(dir, lockFile))
	if err != nil {
		return
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil || !unused(dir, before) {
		return
	}
	files, _ := os.ReadDir(dir)
	for _, e := range files {
		if e.Name() != lockFile {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
