package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/parleyrtc/parley/bench/serve"
)

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(p *process) error {
	_, err := fmt.Fprintf(p.stdout, "parley-bench %s %s %s/%s\n", versionOf(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// version is set by the build (-ldflags "-X main.version=…").
var version = ""

// versionOf is the version of this binary: what the build said, else what Go knows about the module and its revision, else,
// under `go run`, which tells the binary nothing, what git says of the source that was just compiled.
func versionOf() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "dev"
	}
	if found := versionIn(info); found != "dev" {
		return found
	}
	_, source, _, _ := runtime.Caller(0)
	if described := serve.Describe(filepath.Dir(source)); described != "" && justBuilt() {
		return described
	}
	return "dev"
}

// versionIn is what Go knows.
func versionIn(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, modified := "", ""
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision" && len(setting.Value) >= 12:
			revision = "-" + setting.Value[:12]
		case setting.Key == "vcs.modified" && setting.Value == "true":
			modified = "-dirty"
		}
	}
	return "dev" + revision + modified
}

// justBuilt says whether this is a binary of `go run` or `go test`, which lie where Go builds. A binary that lies elsewhere may be
// older than the source is now.
func justBuilt() bool {
	path, err := os.Executable()
	return err == nil && slices.ContainsFunc(strings.Split(path, string(filepath.Separator)), func(folder string) bool {
		return strings.HasPrefix(folder, "go-build")
	})
}
