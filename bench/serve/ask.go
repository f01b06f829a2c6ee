package serve

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Socket is the address of the signaling WebSocket.
func (p *Process) Socket() string { return "ws" + strings.TrimPrefix(p.Base, "http") + "/v1/ws" }

// Token signs in as uid and returns the token.
func (p *Process) Token(uid string) (string, error) {
	var body struct {
		Token string `json:"token"`
	}
	err := p.REST("", "POST", "/v1/auth/login", map[string]string{"uid": uid, "authKey": "devkey"}, &body)
	return body.Token, err
}

// REST sends one request, with a user's token unless that is empty, and decodes the answer into out unless that is nil. An
// answer that is not a success is an error.
func (p *Process) REST(token, method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequest(method, p.Base+path, &body)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// Metric reads one number from /metrics. The name includes the labels, if there are any.
func (p *Process) Metric(name string) (float64, error) {
	resp, err := http.Get(p.Admin + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("/metrics has no %s", name)
}

// Collect has the process collect its garbage, twice so that what finalizers and pools held goes too.
func (p *Process) Collect() error {
	for range 2 {
		resp, err := http.Get(p.Admin + "/debug/pprof/heap?gc=1")
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			return fmt.Errorf("heap profile: %s %w", resp.Status, err)
		}
	}
	return nil
}
