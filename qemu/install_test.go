package qemu

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeSystem makes the programs given, and what finds its way with them, all that
// there is.
func fakeSystem(t *testing.T, programs map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, script := range programs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\ncd "+dir+"\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	return dir
}

const (
	sudo   = `[ "$1" = -n ] && shift; exec "$@"`
	env    = `[ "$1" = DEBIAN_FRONTEND=noninteractive ] && shift; exec "$@"`
	aptGet = `echo "$1"
case $1 in
update) echo >updated ;;
install) [ -e updated ] && for q in x86_64 aarch64; do echo >qemu-system-$q; /bin/chmod +x qemu-system-$q; done ;;
esac`
)

// A fresh machine's package lists must be fetched first.
func TestInstall(t *testing.T) {
	fakeSystem(t, map[string]string{"apt-get": aptGet, "env": env, "sudo": sudo})
	var out strings.Builder
	if err := Install(t.Context(), &out); err != nil || out.String() != "install\nupdate\ninstall\n" {
		t.Errorf("%v\n%s", err, &out)
	}
	out.Reset()
	if err := Install(t.Context(), &out); err != nil || out.Len() > 0 {
		t.Errorf("installed already: %v\n%s", err, &out)
	}
}

func TestInstallFails(t *testing.T) {
	for name, tt := range map[string]struct {
		programs map[string]string
		say      string
	}{
		"no such package": {map[string]string{"apt-get": `[ "$1" = update ]`, "env": env, "sudo": sudo}, "apt-get install"},
		"no network":      {map[string]string{"apt-get": "exit 100", "env": env, "sudo": sudo}, "apt-get update: exit status 100"},
		"Fedora":          {map[string]string{"dnf": "echo installed", "env": env, "sudo": sudo}, "\tsudo dnf install qemu"},
		"nothing known":   {nil, "\tsudo apt-get update && sudo apt-get install"},
	} {
		t.Run(name, func(t *testing.T) {
			fakeSystem(t, tt.programs)
			var out strings.Builder
			if err := Install(t.Context(), &out); err == nil || !strings.Contains(err.Error(), tt.say) || out.Len() > 0 {
				t.Errorf("got %v, want %q\n%s", err, tt.say, &out)
			}
		})
	}
}
