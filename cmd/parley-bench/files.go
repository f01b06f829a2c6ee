package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/parleyrtc/parley/bench/report"
)

// files are where a report goes. They are made before the load, so that a wrong path costs nobody an hour, under names of their
// own until the report is complete: a run that fails leaves an earlier report as it was.
type files struct {
	json, html io.Writer // nil: not wanted
	table      io.Writer
	style      report.Style
	drafts     []draft
}

// draft is a file that gets its name when it is complete.
type draft struct {
	*os.File
	path string // its name in the end; empty: it has it already, for instance /dev/stdout
}

func (c common) openFiles(p *process) (*files, error) {
	f := &files{table: p.stdout, style: report.Style{Color: p.table.Color, Width: p.table.Width}}
	if c.JSON == "-" {
		f.json, f.table = p.stdout, p.stderr
		f.style = report.Style{Color: p.terminal.Color, Width: p.terminal.Width}
	}
	for _, want := range []struct {
		flag, path string
		into       *io.Writer
	}{{"--json", c.JSON, &f.json}, {"--html", c.HTML, &f.html}} {
		if want.path == "" || want.path == "-" && want.flag == "--json" {
			continue
		}
		d, err := openDraft(want.path)
		if err != nil {
			f.discard()
			return nil, fmt.Errorf("%w: %s %s cannot be written: %w", errUsage, want.flag, want.path, errors.Unwrap(err))
		}
		f.drafts = append(f.drafts, d)
		*want.into = d.File
	}
	return f, nil
}

func openDraft(path string) (draft, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		return draft{File: file}, err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".parley-bench-*")
	return draft{File: file, path: path}, err
}

// keep gives the drafts their names.
func (f *files) keep() error {
	for _, d := range f.drafts {
		if err := d.Close(); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		if d.path == "" {
			continue
		}
		if err := os.Chmod(d.Name(), 0o644); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		if err := os.Rename(d.Name(), d.path); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	f.drafts = nil
	return nil
}

// discard removes the drafts that were not kept.
func (f *files) discard() {
	for _, d := range f.drafts {
		_ = d.Close() // nobody will read it
		if d.path != "" {
			_ = os.Remove(d.Name())
		}
	}
}
