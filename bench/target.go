// Package bench puts load on a Parley server and measures what it does and what it costs.
//
// Each scenario is one function: Forward, Floor, Ramp, Calls, Join, Churn, Soak, Turn. It takes a Target, which is the server
// under load, and returns what it found. The clients are real ones (bench/client, bench/load).
package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/floor"
	"github.com/parleyrtc/parley/bench/proc"
	"github.com/parleyrtc/parley/bench/serve"
)

// requestWait bounds one REST request.
const requestWait = 20 * time.Second

// Target is the server under load. It may be copied.
type Target struct {
	Base  string // http(s)://host:port of the public listener
	Admin string // the same of /metrics and /debug/pprof; empty: not reachable
	PID   int    // the server's process; 0: unknown, so no accounting of CPU and memory
	// Token makes a token for a user.
	Token func(ctx context.Context, uid string) (string, error)
	// Users are those whose tokens there are; nil: Token makes one for anybody.
	Users []string
	// APIKey is "id:secret" of a key that may make groups; empty: users make them, as a server with --dev allows.
	APIKey string
	TLS    *tls.Config // nil: the default
	Cores  Cores       // where what runs
	// Owned is the process when Serve started it, else nil.
	Owned *serve.Process
	// Answer changes every SDP answer of the server before a client uses it, so that tests can lead media through a bad network;
	// nil leaves it.
	Answer func(sdp string) string

	namespace *proc.Namespace // where the server runs; nil: where we do
}

// Cores are the CPUs that the server and the clients are kept on; empty lists keep nobody anywhere.
type Cores struct{ Server, Clients []int }

// Child turns this process into a floor if it was started as one. It is the first statement of every main, and TestMain, that
// runs Forward, Floor or Ramp.
func Child() { floor.Child() }

// Socket is the address of the signaling WebSocket.
func (t Target) Socket() string {
	return "ws" + strings.TrimPrefix(strings.TrimSuffix(t.Base, "/"), "http") + "/v1/ws"
}

// Died is closed when the server has ended; nil, so never, for a server that somebody else started.
func (t Target) Died() <-chan struct{} {
	if t.Owned == nil {
		return nil
	}
	return t.Owned.Exited()
}

// Dial connects a user.
func (t Target) Dial(ctx context.Context, uid string) (*client.Client, error) {
	token, err := t.Token(ctx, uid)
	if err != nil {
		return nil, t.explain("sign in "+uid, err)
	}
	c, err := client.Dial(ctx, client.Config{URL: t.Socket(), Token: token,
		Dialer: &websocket.Dialer{HandshakeTimeout: 10 * time.Second, TLSClientConfig: t.TLS}})
	if err != nil {
		return nil, t.explain("connect "+uid, err)
	}
	return c, nil
}

// explain sorts an error into those of this package.
func (t Target) explain(doing string, err error) error {
	var network *net.OpError
	var closed *websocket.CloseError
	switch {
	case t.dead():
		return fmt.Errorf("%s: %w", doing, ErrServerDied)
	case errors.Is(err, ErrUnreachable), errors.Is(err, ErrUnauthorized), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &closed) && closed.Code == 4401:
		return fmt.Errorf("%s: %w", doing, ErrUnauthorized)
	case errors.As(err, &network):
		return fmt.Errorf("%s: %w: %w", doing, ErrUnreachable, network)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func (t Target) dead() bool {
	select {
	case <-t.Died():
		return true
	default:
		return false
	}
}

// REST sends one request with a user's token, or with the API key when uid is empty, and decodes the answer into out unless
// that is nil.
func (t Target) REST(ctx context.Context, uid, method, path string, in, out any) error {
	authorization := "ApiKey " + t.APIKey
	if uid != "" {
		token, err := t.Token(ctx, uid)
		if err != nil {
			return t.explain("sign in "+uid, err)
		}
		authorization = "Bearer " + token
	}
	return t.request(ctx, authorization, method, path, in, out)
}

func (t Target) request(ctx context.Context, authorization, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, requestWait)
	defer cancel()
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(t.Base, "/")+path, &body)
	if err != nil {
		return err
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := t.http().Do(req)
	if err != nil {
		return t.explain(method+" "+path, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%s %s: %w (HTTP %d)", method, path, ErrUnauthorized, resp.StatusCode)
	case resp.StatusCode >= 300:
		return fmt.Errorf("%s %s: HTTP %d", method, path, resp.StatusCode)
	case out == nil:
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// http is a client that keeps no connection, so that a run leaves none behind.
func (t Target) http() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: t.TLS, DisableKeepAlives: true}}
}

// Check says whether the server is there and takes our credentials.
func (t Target) Check(ctx context.Context) error {
	if err := t.request(ctx, "", http.MethodGet, "/readyz", nil, nil); err != nil {
		if errors.Is(err, ErrUnreachable) || errors.Is(err, ErrServerDied) {
			return err
		}
		return fmt.Errorf("%w: %s does not answer like a Parley server: %w", ErrUnreachable, t.Base, err)
	}
	user := "bench-check"
	if len(t.Users) > 0 {
		user = t.Users[0]
	}
	c, err := t.Dial(ctx, user)
	if err != nil {
		return err
	}
	c.Close()
	return nil
}

// Group makes a group with these members.
func (t Target) Group(ctx context.Context, guid string, uids []string) error {
	organizer := ""
	if t.APIKey == "" && len(uids) > 0 {
		organizer = uids[0]
	}
	path := "/v1/groups/" + url.PathEscape(guid)
	if err := t.REST(ctx, organizer, http.MethodPut, path, map[string]string{"name": "load"}, nil); err != nil {
		return err
	}
	for _, uid := range uids {
		if err := t.REST(ctx, organizer, http.MethodPut, path+"/members/"+url.PathEscape(uid), nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// local is the address of ours that the server's host is reached from.
func (t Target) local() (netip.Addr, error) {
	u, err := url.Parse(t.Base)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%w: %s is no address", ErrUnreachable, t.Base)
	}
	// Connecting a UDP socket sends nothing.
	conn, err := net.Dial("udp", net.JoinHostPort(u.Hostname(), "9"))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// IsLocal says whether a base address is this machine's own loopback, which load may be put on without asking.
func IsLocal(base string) (bool, error) {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" {
		return false, fmt.Errorf("%w: %q is no http:// or https:// address", ErrUnreachable, base)
	}
	addrs, err := net.LookupHost(u.Hostname())
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	for _, a := range addrs {
		if ip, err := netip.ParseAddr(a); err != nil || !ip.IsLoopback() {
			return false, nil
		}
	}
	return true, nil
}
