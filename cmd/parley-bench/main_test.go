package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench"
	"github.com/parleyrtc/parley/bench/serve"
)

// parley is the server for the runs that need one.
var parley struct {
	once   sync.Once
	binary string
	err    error
}

func TestMain(m *testing.M) {
	bench.Child()
	dir, err := os.MkdirTemp("", "parley-bench-cmd")
	if err != nil {
		panic(err)
	}
	parley.binary = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// binary builds the server when the first test needs it.
func binary(t *testing.T) string {
	t.Helper()
	parley.once.Do(func() { parley.binary, parley.err = serve.Build(parley.binary) })
	if parley.err != nil {
		t.Fatal(parley.err)
	}
	return parley.binary
}

// run runs one command line.
func run(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	p := &process{context: ctx, stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
	code = p.run(args)
	return code, out.String(), errs.String()
}

func TestEveryMistakeHasASentenceAndACode(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none", "report")
	noReport := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(noReport, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, row := range map[string]struct {
		code int
		says string
	}{
		"calls":                                      {exitUsage, "--serve"},
		"calls --serve --url http://127.0.0.1:1":     {exitUsage, "contradict"},
		"calls --serve --token x":                    {exitUsage, "go with --url"},
		"calls --url http://127.0.0.1:1 --netns":     {exitUsage, "go with --serve"},
		"calls --url http://127.0.0.1:1 --api-key x": {exitUsage, "ID:SECRET"},
		"calls --bogus":                              {exitUsage, "--bogus"},
		"bogus":                                      {exitUsage, "bogus"},
		"calls --serve --pairs 0":                    {exitUsage, "--pairs"},
		"calls --serve --duration 0s":                {exitUsage, "--duration"},
		"calls --serve --max-loss many":              {exitUsage, "0.1%"},
		"calls --serve --max ring_us.p99=soon":       {exitUsage, "soon"},
		"calls --serve --max-regression 5%":          {exitUsage, "--baseline"},
		"calls --serve --baseline " + missing:        {exitUsage, "no such file"},
		"calls --serve --baseline " + noReport:       {exitUsage, "not a report"},
		"calls --serve --json " + missing:            {exitUsage, "cannot be written"},
		"forward --serve --publishers 0":             {exitUsage, "publisher"},
		"forward --serve --calls 5 --rooms 2":        {exitUsage, "contradict"},
		"forward --serve --calls=-1":                 {exitUsage, "room"},
		"ramp --serve --floor":                       {exitUsage, "--floor"},
		"quality --serve --row loss99":               {exitUsage, "steady-10m"},
		"quality --serve --row b-loss10":             {exitUsage, "--browsers"},
		"quality --serve --duration 0s":              {exitUsage, "--duration"},
		"turn --serve --transport sctp":              {exitUsage, "sctp"},
		"calls --url http://127.0.0.1:1":             {exitUnreachable, "refused"},
		"calls --url nonsense":                       {exitUnreachable, "nonsense"},
		"calls --url http://192.0.2.1:7700":          {exitRefused, "--allow-remote"},
		"calls --url http://127.0.0.1:1 --token x":   {exitUnauthorized, "token"},
	} {
		code, stdout, stderr := run(t.Context(), strings.Fields(line)...)
		if code != row.code || !strings.Contains(stderr, row.says) {
			t.Errorf("%s: code %d, %q; want %d and %q", line, code, stderr, row.code, row.says)
		}
		if stdout != "" || strings.Count(strings.TrimSpace(stderr), "\n") > 0 {
			t.Errorf("%s says more than a sentence: %q %q", line, stdout, stderr)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, line := range []string{"", "--help", "forward --help", "suite --help", "quality --list", "version"} {
		if code, stdout, stderr := run(t.Context(), strings.Fields(line)...); code != exitOK || stdout == "" || stderr != "" {
			t.Errorf("%q: code %d, %q, %q", line, code, stdout, stderr)
		}
	}
}

func TestARunKeepsItsReport(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.html")
	code, stdout, stderr := run(t.Context(), "calls", "--serve", "--binary", binary(t), "--signaling", "--pairs", "2", "--duration", "500ms",
		"--json", "-", "--html", page, "--max", "ring_us.p99=1ns", "--min", "calls=1")
	if code != exitThreshold || !strings.Contains(stderr, "above the") {
		t.Errorf("a threshold that nobody keeps: code %d\n%s", code, stderr)
	}
	var got struct {
		Scenario string  `json:"scenario"`
		Calls    float64 `json:"calls"`
		Version  string  `json:"server_version"`
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || got.Scenario != "calls" || got.Calls < 1 || got.Version == "" {
		t.Errorf("standard output is not the report: %v\n%s", err, stdout)
	}
	if described := serve.Describe("."); described != "" && (got.Version != described || versionOf() != described) {
		t.Errorf("the server is version %s, the bench %s, and git calls this %s", got.Version, versionOf(), described)
	}
	if !strings.Contains(stderr, "call set-ups") {
		t.Errorf("the table is not on standard error:\n%s", stderr)
	}
	if html, err := os.ReadFile(page); err != nil || !bytes.Contains(html, []byte("<svg")) {
		t.Errorf("the page: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(page), ".*")); len(left) > 0 {
		t.Errorf("drafts are left: %v", left)
	}
}

func TestARunThatFailsLeavesTheEarlierReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(path, []byte("earlier"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := run(t.Context(), "calls", "--url", "http://127.0.0.1:1", "--json", path); code != exitUnreachable {
		t.Fatalf("code %d", code)
	}
	if kept, err := os.ReadFile(path); err != nil || string(kept) != "earlier" {
		t.Errorf("the earlier report is %q, %v", kept, err)
	}
}

func TestCtrlCPrintsWhatWasMeasured(t *testing.T) {
	server := binary(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	watch := &watcher{want: "calling: ", then: func() { time.AfterFunc(500*time.Millisecond, interrupt) }}
	var out bytes.Buffer
	p := &process{context: ctx, stdout: &out, stderr: watch, getenv: os.Getenv}
	code := p.run([]string{"calls", "--serve", "--binary", server, "--signaling", "--duration", "1m"})
	if code != exitInterrupted || !strings.Contains(out.String(), "INTERRUPTED after") || !strings.Contains(out.String(), "call set-ups") {
		t.Errorf("code %d\n%s", code, out.String())
	}
}

// watcher calls a function when something is written.
type watcher struct {
	want string
	then func()
	once sync.Once
}

func (w *watcher) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(w.want)) {
		w.once.Do(w.then)
	}
	return len(b), nil
}

func TestValuesOfLimits(t *testing.T) {
	for _, row := range []struct {
		key, raw string
		want     float64
		wrong    bool
	}{
		{"ring_us.p99", "5ms", 5000, false}, {"udp.allocate_us.p99", "5ms", 5000, false}, {"cpu_ns_per_packet", "3us", 3000, false},
		{"udp.cpu_us_per_allocation", "1ms", 1000, false}, {"storm_seconds", "1500ms", 1.5, false}, {"loss", "0.1%", 0.001, false},
		{"calls", "12", 12, false}, {"calls", "5ms", 0, true}, {"loss", "x", 0, true}, {"loss", "NaN", 0, true}, {"loss", "-1%", 0, true},
	} {
		got, err := parseValue(row.key, row.raw)
		if (err != nil) != row.wrong || got != row.want && !row.wrong {
			t.Errorf("%s=%s: %v, %v", row.key, row.raw, got, err)
		}
	}
}
