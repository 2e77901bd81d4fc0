package overlay

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
)

// store keeps contents in dir under a name made of their hash and base, and
// returns its path. Equal contents share a file, and a file never changes, so
// that builds running at the same time do not disturb each other.
func store(dir, base string, contents []byte) (string, error) {
	path := filepath.Join(dir, fmt.Sprintf("%.8x-%s", sha256.Sum256(contents), base))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	tmp, err := os.CreateTemp(dir, base+".*")
	if err != nil {
		return "", err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(contents); err != nil {
		tmp.Close()
		return "", err
	}
	if err := tmp.Close(); err != nil {
		return "", err
	}
	return path, os.Rename(tmp.Name(), path)
}
