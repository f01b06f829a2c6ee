package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/parleyrtc/parley/configs"
)

func answer(h http.Handler, req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

func text(s string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, s+" "+r.RemoteAddr) })
}

func TestRemoteAddressBehindProxies(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, row := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"no proxy", "198.51.100.1:5", nil, "198.51.100.1:5"},
		{"a stranger's header is not believed", "198.51.100.1:5", []string{"203.0.113.9"}, "198.51.100.1:5"},
		{"one proxy", "10.0.0.1:5", []string{"203.0.113.9"}, "203.0.113.9:0"},
		{"what the client wrote is not believed", "10.0.0.1:5", []string{"127.0.0.1, 203.0.113.9"}, "203.0.113.9:0"},
		{"two proxies, two headers", "10.0.0.1:5", []string{"127.0.0.1, 203.0.113.9", "10.0.0.2"}, "203.0.113.9:0"},
		{"IPv6", "[fd00::1]:5", []string{"2001:db8::9"}, "[2001:db8::9]:0"},
		{"mapped IPv4", "[::ffff:10.0.0.1]:5", []string{"203.0.113.9"}, "203.0.113.9:0"},
		{"a proxy that says nothing", "10.0.0.1:5", nil, "10.0.0.1:5"},
		{"nonsense", "10.0.0.1:5", []string{"203.0.113.9, unknown"}, "10.0.0.1:5"},
	} {
		t.Run(row.name, func(t *testing.T) {
			req := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
			req.RemoteAddr = row.remote
			for _, f := range row.forwarded {
				req.Header.Add("X-Forwarded-For", f)
			}
			if got := answer(behind(trusted, text("")), req).Body.String(); got != " "+row.want {
				t.Errorf("the client is%s, want %s", got, row.want)
			}
		})
	}
}

func TestOtherOriginsUseRESTOnlyWhenAllowed(t *testing.T) {
	h := cors([]string{"https://app.example"}, text("answer"))
	ask := func(method, origin string) *httptest.ResponseRecorder {
		req := httptest.NewRequestWithContext(t.Context(), method, "/v1/config", nil)
		req.Header.Set("Origin", origin)
		if method == http.MethodOptions {
			req.Header.Set("Access-Control-Request-Method", "POST")
		}
		return answer(h, req)
	}
	if got := ask("GET", "https://app.example").Header().Get("Access-Control-Allow-Origin"); got != "https://app.example" {
		t.Errorf("an allowed origin gets %q", got)
	}
	if got := ask("OPTIONS", "https://app.example").Header().Get("Access-Control-Allow-Headers"); !strings.Contains(got, "Authorization") {
		t.Errorf("a preflight gets %q", got)
	}
	for _, origin := range []string{"https://evil.example", "null", "https://app.example.evil.example"} {
		for _, method := range []string{"GET", "OPTIONS"} {
			if got := ask(method, origin).Header(); got.Get("Access-Control-Allow-Origin") != "" || got.Get("Access-Control-Allow-Headers") != "" {
				t.Errorf("%s from %s gets %v", method, origin, got)
			}
		}
	}
}

func TestAssetsAreCheckedZippedAndConfined(t *testing.T) {
	long := strings.Repeat("let parley = 1;\n", 200)
	a, err := newAssets(fstest.MapFS{
		"index.html": {Data: []byte("<!doctype html>")}, "sdk/parley.js": {Data: []byte(long)},
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path string, header ...string) *httptest.ResponseRecorder {
		req := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		return answer(a, req)
	}
	page := ask("GET", "/")
	if page.Code != 200 || !strings.Contains(page.Header().Get("Content-Security-Policy"), "script-src 'self'") ||
		page.Header().Get("Content-Type") != "text/html; charset=utf-8" || page.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("the page came as %d %v", page.Code, page.Header())
	}
	sdk := ask("GET", "/sdk/parley.js")
	if sdk.Body.String() != long || sdk.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("the SDK came as %d %v", sdk.Code, sdk.Header())
	}
	again := ask("GET", "/sdk/parley.js", "If-None-Match", sdk.Header().Get("ETag"))
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("an unchanged file came as %d", again.Code)
	}
	zipped := ask("GET", "/sdk/parley.js", "Accept-Encoding", "gzip, br")
	if zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Body.Len() >= len(long)/2 {
		t.Errorf("it is not zipped: %v", zipped.Header())
	}
	if head := ask("HEAD", "/"); head.Code != 200 || head.Body.Len() != 0 {
		t.Errorf("HEAD gave %d", head.Code)
	}
	for _, path := range []string{"/nothing", "/sdk", "/sdk/", "/../main.go", "//index.html"} {
		if got := ask("GET", path); got.Code != 404 {
			t.Errorf("%s gave %d", path, got.Code)
		}
	}
	if got := ask("POST", "/"); got.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST gave %d", got.Code)
	}
}

func TestOnlyDevRefusesForeignNames(t *testing.T) {
	r := routes{socket: text("ws"), rest: text("rest"), web: text("web"), ready: text("ready")}
	for _, row := range []struct {
		cfg    configs.Config
		host   string
		status int
	}{
		{configs.Dev("127.0.0.1"), "127.0.0.1:7700", 200},
		{configs.Dev("127.0.0.1"), "localhost:7700", 200},
		{configs.Dev("::1"), "[::1]:7700", 200},
		{configs.Dev("127.0.0.1"), "evil.example", 421},
		{configs.Dev("0.0.0.0"), "my-laptop.local", 200},
		{configs.Default(), "calls.example.org", 200},
	} {
		h, err := public(row.cfg, r)
		if err != nil {
			t.Fatal(err)
		}
		req := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		req.Host = row.host
		if got := answer(h, req).Code; got != row.status {
			t.Errorf("Host %s gives %d, want %d", row.host, got, row.status)
		}
	}
}

func TestMetricsArePublicInDevOnly(t *testing.T) {
	r := routes{socket: text("ws"), rest: text("rest"), web: http.NotFoundHandler(), ready: text("ready")}
	h, err := public(configs.Default(), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/vars"} {
		if got := answer(h, httptest.NewRequestWithContext(t.Context(), "GET", path, nil)); got.Code != 404 {
			t.Errorf("%s gives %d", path, got.Code)
		}
	}
	if got := answer(h, httptest.NewRequestWithContext(t.Context(), "GET", "/v1/ws", nil)).Body.String(); !strings.HasPrefix(got, "ws") {
		t.Errorf("/v1/ws is %s", got)
	}
	if got := answer(h, httptest.NewRequestWithContext(t.Context(), "GET", "/v1/calls", nil)).Body.String(); !strings.HasPrefix(got, "rest") {
		t.Errorf("/v1/calls is %s", got)
	}
}
