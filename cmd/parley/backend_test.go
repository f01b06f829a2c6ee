package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/parleyrtc/parley/bench/client"
)

// exampleBackend builds the back end of docs/ringing.md as it stands there.
func exampleBackend(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "ringing.md"))
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("(?s)```go\n(.*?)```").FindSubmatch(page)
	if code == nil {
		t.Fatal("docs/ringing.md has no Go in it")
	}
	if lines := strings.Count(string(code[1]), "\n"); lines >= 100 {
		t.Errorf("the example has %d lines; it is to have fewer than 100", lines)
	}
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "backend")
	if err := os.WriteFile(source, code[1], 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("it does not build: %v\n%s", err, out)
	}
	return binary
}

// TestTheBackEndOfTheDocsWorks has a user sign in at the example, and be rung and miss a call through it.
func TestTheBackEndOfTheDocsWorks(t *testing.T) {
	address := "127.0.0.1:" + freePorts(t, 1)[0]
	s := startDev(t, t.TempDir(), "--set", "webhooks.allow=[127.0.0.0/8]", "--set",
		fmt.Sprintf("webhooks.targets=[{name: app, url: %q, secret: %s}]", "http://"+address+"/webhook", hookSecret))
	backend := exec.CommandContext(t.Context(), exampleBackend(t))
	backend.Env = append(os.Environ(), "LISTEN="+address, "PARLEY_URL="+s.url, "PARLEY_KEY=devkey:parley-development-secret-never-deploy",
		"WEBHOOK_SECRET="+hookSecret)
	out, err := backend.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := backend.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = backend.Process.Kill()
		_ = backend.Wait() // it was killed
	}()
	ask := func(method, path, user, password string, form url.Values) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth(user, password)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err.Error()
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text)
	}
	var token string
	s.until("the back end gives bob a token", func() bool {
		status, text := ask("GET", "/parley-token", "bob", "builder", nil)
		token = text
		return status == http.StatusOK
	})
	for _, password := range []string{"", "wonderland"} {
		if status, _ := ask("GET", "/parley-token", "bob", password, nil); status != http.StatusUnauthorized {
			t.Errorf("the password %q gives %d", password, status)
		}
	}
	bob, err := client.Dial(t.Context(), client.Config{URL: "ws" + strings.TrimPrefix(s.url, "http") + "/v1/ws", Token: token})
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Close()
	var session string
	for range 2 { // the same attempt again rings once
		status, text := ask("POST", "/ring", "alice", "wonderland", url.Values{"to": {"bob"}, "attempt": {"1"}})
		if status != http.StatusOK || session != "" && session != text {
			t.Fatalf("ringing gives %d %s", status, text)
		}
		session = text
	}
	event, err := bob.WaitEvent(t.Context(), "call.incoming")
	if err != nil || event.Call().SessionID != session || event.Call().Initiator.UID != "alice" {
		t.Fatalf("bob hears %+v, %v", event, err)
	}
	if status, text := ask("POST", "/ring", "alice", "wonderland", url.Values{"to": {"bob"}, "attempt": {"2"}}); status != http.StatusConflict ||
		!strings.Contains(text, "ERR_CALL_BUSY_SELF") {
		t.Errorf("ringing again gives %d %s", status, text)
	}
	if status := s.rest("POST", "/v1/calls/"+session+"/terminate", "", nil); status != http.StatusOK {
		t.Fatalf("ending the call gives %d", status)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "bob has missed a call by alice" {
		t.Errorf("the back end says %q, %v", lines.Text(), lines.Err())
	}
}
