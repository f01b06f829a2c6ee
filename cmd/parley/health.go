package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

type healthcheckCommand struct {
	source
	URL     string        `placeholder:"URL" help:"Ask this server; otherwise the one of the configuration, on this machine."`
	Timeout time.Duration `default:"3s" help:"How long to wait."`
}

// Run asks /readyz and says why a server is not ready.
func (c healthcheckCommand) Run(p *process) error {
	url := c.URL
	if url == "" {
		cfg, err := c.read(p.env)
		if err != nil {
			return err
		}
		scheme := "http"
		if cfg.HTTP.CertFile != "" {
			scheme = "https"
		}
		url = scheme + "://" + local(cfg.HTTP.Listen)
	}
	ctx, cancel := context.WithTimeout(p.context, c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("--url %q is not an address: %w", url, err)
	}
	answer, err := uncheckedClient().Do(req)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", url, err)
	}
	defer answer.Body.Close()
	var state struct {
		Ready   bool     `json:"ready"`
		Reasons []string `json:"reasons"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&state); err != nil {
		return fmt.Errorf("%s is not a Parley server: %w", url, err)
	}
	if !state.Ready {
		return fmt.Errorf("not ready: %s", strings.Join(state.Reasons, ", "))
	}
	_, err = fmt.Fprintln(p.stdout, "ready")
	return err
}

// uncheckedClient asks a server on this machine, whose certificate is for its public name and not for this address. It
// must send nothing secret.
func uncheckedClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}
}
