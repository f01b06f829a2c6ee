package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/parleyrtc/parley/configs"
)

// grade is how bad a finding is.
type grade string

const (
	good grade = "ok"
	hint grade = "hint" // works, but perhaps not as wanted
	bad  grade = "BAD"  // would not work
)

// finding is one thing that the doctor looked at, in a sentence.
type finding struct {
	grade grade
	about string
	text  string
}

func found(g grade, about, format string, args ...any) finding {
	return finding{g, about, fmt.Sprintf(format, args...)}
}

type doctorCommand struct{ source }

// Run looks at everything that a server with this configuration needs, says it in words and fails when something would
// not work.
func (c doctorCommand) Run(p *process) error {
	cfg, err := c.load(p.env)
	if err != nil {
		return fmt.Errorf("%w\nthe rest was not looked at, because a server would not start", err)
	}
	var all []finding
	all = append(all, found(good, "configuration", "every option can be used."))
	all = append(all, checkPorts(p.context, cfg)...)
	all = append(all, checkAddresses(cfg, machine())...)
	all = append(all, checkExposure(cfg)...)
	all = append(all, checkCertificates(cfg, p.now())...)
	all = append(all, checkStore(cfg)...)
	all = append(all, checkPush(cfg)...)
	all = append(all, checkWebhooks(p.context, cfg)...)
	all = append(all, checkSystem(cfg)...)
	return report(p.stdout, all)
}

// report prints the findings and fails when one of them is bad.
func report(w io.Writer, all []finding) error {
	wrong := 0
	for _, f := range all {
		if f.grade == bad {
			wrong++
		}
		if _, err := fmt.Fprintf(w, "%-5s %-14s %s\n", f.grade, f.about, f.text); err != nil {
			return err
		}
	}
	switch wrong {
	case 0:
		_, err := fmt.Fprintln(w, "\nNothing stands in the way of a server.")
		return err
	case 1:
		return fmt.Errorf("one thing would not work; see the line that begins with %s", bad)
	}
	return fmt.Errorf("%d things would not work; see the lines that begin with %s", wrong, bad)
}

// checkPorts tries every port, unless a server runs here already and has them.
func checkPorts(ctx context.Context, cfg configs.Config) []finding {
	if running(ctx, cfg) {
		return []finding{found(good, "ports", "a Parley server answers on %s already, so its ports were not tried.", local(cfg.HTTP.Listen))}
	}
	all := ports(cfg)
	if err := clash(all); err != nil {
		return []finding{found(bad, "ports", "%v.", err)}
	}
	var out []finding
	for _, p := range all {
		if err := p.probe(); err != nil {
			out = append(out, found(bad, "ports", "%v.", err))
		} else {
			out = append(out, found(good, "ports", "%s %s is free for %s.", p.network, p.listen, p.use))
		}
	}
	return out
}

// running reports whether a Parley server answers on the configured address.
func running(ctx context.Context, cfg configs.Config) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	scheme := "http"
	if cfg.HTTP.CertFile != "" {
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+local(cfg.HTTP.Listen)+"/healthz", nil)
	if err != nil {
		return false
	}
	answer, err := uncheckedClient().Do(req)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 16))
	return string(text) == "ok\n"
}
