package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestServeDev(t *testing.T) {
	s := startDev(t, filepath.Join(t.TempDir(), "data"))
	for _, row := range []struct {
		path   string
		status int
		body   string // contains
	}{
		{"/healthz", 200, "ok"},
		{"/readyz", 200, `"ready":true`},
		{"/", 200, "<title>Parley</title>"},
		{"/sdk/parley.js", 200, "export"},
		{"/v1/config", 200, `"authKey":"devkey"`},
		{"/v1/config", 200, `"vapidPublicKey":"B`},
		{"/sw.js", 200, "notificationclick"},
		{"/v1/openapi.json", 200, `"openapi":"3.1.0"`},
		{"/metrics", 200, "parley_build_info"},
		{"/debug/pprof/", 404, ""},
		{"/debug/pprof/heap", 404, ""},
		{"/nothing", 404, ""},
		{"/v1/nothing", 404, "ERR_NOT_FOUND"},
		{"/v1/calls", 401, "ERR_UNAUTHORIZED"},
		{s.admin + "/metrics", 200, "go_goroutines"},
		{s.admin + "/debug/pprof/heap?debug=1", 200, "heap profile"},
		{s.admin + "/", 404, ""},
	} {
		if status, body := s.get(row.path); status != row.status || !strings.Contains(body, row.body) {
			t.Errorf("%s gave %d %.200s", row.path, status, body)
		}
	}
	if !strings.Contains(s.log.String(), s.url+"/") {
		t.Errorf("it does not print the URL of the call page:\n%s", s.log)
	}
	code, out, stderr := runBinary(t, append([]string{"healthcheck"}, s.args[1:]...)...)
	if code != 0 || out != "ready\n" {
		t.Errorf("healthcheck gave %d %s%s", code, out, stderr)
	}
	code, out, _ = runBinary(t, append([]string{"doctor"}, s.args[1:]...)...)
	if code != 0 || !strings.Contains(out, "answers on") || !strings.Contains(out, "on disk after") {
		t.Errorf("doctor gave %d\n%s", code, out)
	}
	s.signal(syscall.SIGTERM)
	if code := s.wait(10 * time.Second); code != 0 {
		t.Errorf("it ended with %d:\n%s", code, s.log)
	}
	code, _, stderr = runBinary(t, append([]string{"healthcheck"}, s.args[1:]...)...)
	if code != 1 || !strings.Contains(stderr, "does not answer") {
		t.Errorf("healthcheck of a stopped server gave %d %s", code, stderr)
	}
}

func TestForeignNamesDoNotReachADevServer(t *testing.T) {
	s := startDev(t, filepath.Join(t.TempDir(), "data"))
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/v1/config", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "rebound.example:7700"
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("it answered %d", answer.StatusCode)
	}
}

func TestTheFirstSignalDrainsAndTheSecondExits(t *testing.T) {
	s := startDev(t, filepath.Join(t.TempDir(), "data"), "--set", "shutdown.wait=1h")
	s.ring(60)
	s.signal(syscall.SIGTERM)
	s.until("it is not ready any more", func() bool {
		status, body := s.get("/readyz")
		return status == 503 && strings.Contains(body, "shutting down")
	})
	if status := s.rest("POST", "/v1/calls", `{"uid":"carol","receiverId":"dave","receiverType":"user","type":"audio"}`, nil); status != 503 {
		t.Errorf("a draining server answers a new call with %d", status)
	}
	select {
	case <-s.ended:
		t.Fatalf("it ended while a call was ringing:\n%s", s.log)
	default:
	}
	s.signal(syscall.SIGTERM)
	if code := s.wait(5 * time.Second); code == 0 {
		t.Error("the second signal gave exit code 0")
	}
}

func TestWaitingForCallsIsBounded(t *testing.T) {
	s := startDev(t, filepath.Join(t.TempDir(), "data"), "--set", "shutdown.wait=300ms")
	s.ring(60)
	s.signal(os.Interrupt)
	if code := s.wait(10 * time.Second); code != 0 {
		t.Errorf("it ended with %d:\n%s", code, s.log)
	}
	s.start()
	var calls struct{ Calls []struct{ Status string } }
	if s.rest("GET", "/v1/calls?uid=bob", "", &calls); len(calls.Calls) != 1 || calls.Calls[0].Status != "initiated" {
		t.Errorf("after the restart bob's calls are %+v", calls)
	}
}

func TestARingingCallSurvivesAKill(t *testing.T) {
	s := startDev(t, filepath.Join(t.TempDir(), "data"))
	before := s.ring(5)
	s.signal(syscall.SIGKILL)
	s.wait(10 * time.Second)
	s.start()
	path := "/v1/calls/" + before.Call.SessionID
	var after callState
	if s.rest("GET", path, "", &after); after != before {
		t.Errorf("before the kill the call was %+v, after it %+v", before, after)
	}
	s.until("it has rung out", func() bool {
		s.rest("GET", path, "", &after)
		return after.Call.Status == "unanswered"
	})
	if late := time.Now().UnixMilli() - before.Call.RingDeadline; late < 0 || late > 2000 {
		t.Errorf("it rang out %d ms after its deadline", late)
	}
}

func TestSlowHeadersAreCutOff(t *testing.T) {
	s := startDev(t, filepath.Join(t.TempDir(), "data"), "--set", "http.read_header_timeout=1s")
	for _, base := range []string{s.url, s.admin} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("the connection was not closed: %v", err)
		}
	}
}

func TestHugeHeadersAreRefused(t *testing.T) {
	s := startDev(t, filepath.Join(t.TempDir(), "data"))
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Long", strings.Repeat("x", 64<<10))
	answer, err := http.DefaultClient.Do(req)
	if err == nil {
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("it answered %s", fmt.Sprint(answer.StatusCode))
		}
	}
}

func TestOneDataDirectoryIsForOneServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	startDev(t, dir)
	args, _, _ := devArgs(t, dir)
	code, _, stderr := runBinary(t, args...)
	want := "parley: store.dir: the data directory " + dir + " is in use by another process; stop that one or choose another directory\n"
	if code != 1 || stderr != want {
		t.Errorf("the second server gave %d %s, want %s", code, stderr, want)
	}
}
