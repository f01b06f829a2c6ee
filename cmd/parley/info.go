package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the build (-ldflags "-X main.version=…").
var version = ""

// versionOf is the version of this binary: what the build said, else what Go knows about the module.
func versionOf() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(p *process) error {
	_, err := fmt.Fprintf(p.stdout, "parley %s %s %s/%s\n", versionOf(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

type configCommand struct {
	Print configPrintCommand `cmd:"" help:"Print the configuration that comes out of file, environment and flags, without secrets."`
	Check configCheckCommand `cmd:"" help:"Check the configuration without starting anything."`
}

type configPrintCommand struct{ source }

// Run prints the configuration.
func (c configPrintCommand) Run(p *process) error {
	cfg, err := c.read(p.env)
	if err != nil {
		return err
	}
	text, err := cfg.YAML()
	if err != nil {
		return err
	}
	_, err = p.stdout.Write(text)
	return err
}

type configCheckCommand struct{ source }

// Run checks the configuration.
func (c configCheckCommand) Run(p *process) error {
	if _, err := c.load(p.env); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.stdout, "The configuration is good.")
	return err
}
