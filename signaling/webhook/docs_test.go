package webhook

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/journal"
)

// page reads docs/webhooks.md.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "webhooks.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTheReceiverOfTheDocsVerifies builds the receiver in docs/webhooks.md as it stands there, and sends it messages.
func TestTheReceiverOfTheDocsVerifies(t *testing.T) {
	code := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(page(t))
	if code == nil {
		t.Fatal("docs/webhooks.md has no Go in it")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(code[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "receiver")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, filepath.Join(dir, "main.go")).CombinedOutput(); err != nil {
		t.Fatalf("it does not build: %v\n%s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	receiver := exec.CommandContext(t.Context(), binary)
	receiver.Env = append(os.Environ(), "WEBHOOK_SECRET="+testSecret, "LISTEN="+address)
	out, err := receiver.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = receiver.Process.Kill()
		_ = receiver.Wait() // it was killed
	}()
	url := "http://" + address + "/parley"
	p := open(t, quick(t, target(t, "app", url)), openStore(t, t.TempDir()))
	put(t, p, told("s-1", 1, journal.Initiated)) // again and again until it listens
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != idOf(told("s-1", 1, journal.Initiated))+" call.initiated s-1 alice initiated" {
		t.Errorf("it says %q, %v", lines.Text(), lines.Err())
	}
	secret, err := ParseSecret("whsec_" + strings.Repeat("QUJD", 8))
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"type":"call.ended","data":{}}`)
	for name, secrets := range map[string][]Secret{"no signature": nil, "another's": {secret}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		Sign(req.Header, secrets, "msg_1", time.Now(), body)
		answer, err := local(t).Do(req)
		if err != nil || answer.Status != http.StatusUnauthorized {
			t.Errorf("%s gives %d, %v", name, answer.Status, err)
		}
	}
}

// TestTheDocsNameEveryEvent holds the table to the journal.
func TestTheDocsNameEveryEvent(t *testing.T) {
	var named []journal.Kind
	for _, row := range regexp.MustCompile("(?m)^\\| `((?:call|participant)\\.\\w+)` \\|").FindAllStringSubmatch(page(t), -1) {
		named = append(named, journal.Kind(row[1]))
	}
	if !slices.Equal(named, journal.Kinds()) {
		t.Errorf("docs/webhooks.md has %v, what happens is %v", named, journal.Kinds())
	}
}
