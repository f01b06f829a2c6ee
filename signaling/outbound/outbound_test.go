package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func post(t *testing.T, c *Client, url string) (Answer, error) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	return c.Do(req)
}

func newClient(t *testing.T, config Config) *Client {
	c := New(config)
	t.Cleanup(c.Close)
	return c
}

func TestPublicAddresses(t *testing.T) {
	for addr, want := range map[string]bool{
		"1.1.1.1": true, "172.15.255.255": true, "172.32.0.1": true, "223.255.255.255": true, "2606:4700::1111": true,
		"64:ff9b::1.1.1.1": true, "::ffff:1.1.1.1": true,
		"0.0.0.0": false, "10.1.2.3": false, "100.64.0.1": false, "127.0.0.1": false, "127.255.255.255": false,
		"169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false, "192.0.0.192": false, "192.168.1.1": false,
		"198.18.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "168.63.129.16": false,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false,
		"::ffff:127.0.0.1": false, "::127.0.0.1": false, "64:ff9b::10.0.0.1": false, "64:ff9b:1::1": false,
		"2002:7f00:1::": false, "2001::1": false, "2001:db8::1": false, "100::1": false,
	} {
		if got := Public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("Public(%s) = %v", addr, got)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

func TestLoopbackIsRefusedUnderEveryName(t *testing.T) {
	reached := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, Config{Timeout: 5 * time.Second})
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1.2.3"} {
		for _, scheme := range []string{"http://", "https://"} {
			if _, err := post(t, c, scheme+host+":"+port+"/secret"); !errors.Is(err, ErrAddress) {
				t.Errorf("%s%s: %v", scheme, host, err)
			} else if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error names the path: %v", err)
			}
		}
	}
	if reached {
		t.Error("the server was reached")
	}
}

func TestWhatIsAllowedIsReachedWithoutTLS(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Said", string(body))
		w.WriteHeader(http.StatusCreated)
	}))
	defer server.Close()
	a, err := post(t, newClient(t, Config{Allow: loopback}), server.URL)
	if err != nil || a.Status != http.StatusCreated || a.Header.Get("X-Said") != "hello" {
		t.Errorf("%+v %v", a, err)
	}
}

func TestPlainHTTPIsForAllowedAddressesOnly(t *testing.T) {
	c := newClient(t, Config{Allow: loopback})
	for address, want := range map[string]error{
		"1.1.1.1:80": ErrPlain, "127.0.0.1:80": nil, "[::1]:80": nil, "[::ffff:127.0.0.1]:80": nil, "10.0.0.1:80": ErrAddress, "junk": ErrAddress,
	} {
		if err := c.admit("tcp4", address, false); !errors.Is(err, want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := c.admit("tcp4", "1.1.1.1:443", true); err != nil {
		t.Error(err)
	}
	if err := c.admit("unix", "/run/docker.sock", true); !errors.Is(err, ErrAddress) {
		t.Error(err)
	}
}

func TestARedirectIsAnAnswer(t *testing.T) {
	followed := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			followed = true
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	a, err := post(t, newClient(t, Config{Allow: loopback}), server.URL)
	if err != nil || a.Status != http.StatusTemporaryRedirect || followed {
		t.Errorf("%+v %v followed %v", a, err, followed)
	}
}

func TestALongAnswerIsCutOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 1 << 20 { // 64 MiB, if anybody takes it
			if _, err := w.Write(make([]byte, 64)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	a, err := post(t, newClient(t, Config{Allow: loopback, MaxBody: 100}), server.URL)
	if err != nil || len(a.Body) != 100 {
		t.Errorf("%d bytes, %v", len(a.Body), err)
	}
}

func TestAServerThatHangsIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/half" {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
		}
		<-release
	}))
	defer server.Close()
	defer close(release)
	c := newClient(t, Config{Allow: loopback, Timeout: 50 * time.Millisecond})
	for _, path := range []string{"/", "/half"} {
		if _, err := post(t, c, server.URL+path); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}

func TestHTTP2AndOwnRoots(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Protocol", r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c := newClient(t, Config{Allow: loopback, TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}})
	a, err := post(t, c, server.URL)
	if err != nil || a.Header.Get("X-Protocol") != "HTTP/2.0" {
		t.Errorf("%+v %v", a, err)
	}
	if _, err := post(t, newClient(t, Config{Allow: loopback}), server.URL); err == nil {
		t.Error("a certificate of nobody's was believed")
	}
}

func TestURLsThatAreNoTargets(t *testing.T) {
	for _, bad := range []string{"", "/path", "ftp://host/", "file:///etc/passwd", "https://", "https://user:pass@host/", "https:host", "gopher://host", "http://[::1", "https://:443/"} {
		if err := Check(bad); !errors.Is(err, ErrURL) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, good := range []string{"https://host/", "http://10.0.0.1:8080/hook?x=1"} {
		if err := Check(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestTheClientOfALibraryIsAsCareful(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/hang":
			<-release
		}
	}))
	defer server.Close()
	defer close(release)
	get := func(c *http.Client, path string) (int, error) {
		res, err := c.Get(server.URL + path)
		if err != nil {
			return 0, err
		}
		return res.StatusCode, res.Body.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := get(newClient(t, Config{}).HTTP(ctx), "/"); !errors.Is(err, ErrAddress) {
		t.Error(err)
	}
	c := newClient(t, Config{Allow: loopback, Timeout: 100 * time.Millisecond}).HTTP(ctx)
	if status, err := get(c, "/away"); status != http.StatusFound || err != nil {
		t.Error(status, err)
	}
	if _, err := get(c, "/hang"); err == nil {
		t.Error("it waited for a server that hangs")
	}
	patient := newClient(t, Config{Allow: loopback, Timeout: time.Hour}).HTTP(ctx)
	cancel()
	if _, err := get(patient, "/hang"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
