// Package outbound sends HTTP requests to addresses that others have named, without being led into the operator's own network.
//
// A URL that comes from a user or from an app's back end must not make this server a way to what only this server can reach
// (OWASP ASVS 5.0 V1.3.6, server-side request forgery). So the address is looked at where it cannot change any more, at the
// moment of connecting and after the name was resolved: a name that resolves to a public address now and to a private one
// in a second is no way around it. Redirects are not followed, proxies from the environment are not asked, and what comes back is
// bounded in size and time.
package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// The errors that trying again does not help.
var (
	// ErrURL refuses what is no plain https:// or http:// URL with a host.
	ErrURL = errors.New("outbound: not a usable URL")
	// ErrAddress refuses an address that is not public and not allowed, also when a name led to it.
	ErrAddress = errors.New("outbound: the address must not be reached")
	// ErrPlain refuses http:// to an address on the public Internet.
	ErrPlain = errors.New("outbound: http:// is for allowed private addresses only")
)

// Config says how far a Client may go. The zero value of every field means the default in its comment.
type Config struct {
	// Allow has the prefixes of private and other special addresses which may be reached all the same, and with http://, too.
	// Public addresses always may, with https://. Default: none.
	Allow []netip.Prefix
	// Timeout bounds one request from resolving the name to the last byte of the answer. Default: 10 s.
	Timeout time.Duration
	// MaxBody is how much of an answer is read, in bytes; the rest is not waited for. Default: 16 KiB.
	MaxBody int64
	// MaxIdle is how many unused connections are kept altogether. Default: 64.
	MaxIdle int
	// TLS is the start of every TLS configuration, such as other root certificates. Default: the system's roots, TLS 1.2.
	TLS *tls.Config
}

// Answer is what came back. A redirect is an answer like others, with its status from 300 to 399.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // at most MaxBody bytes; what was longer is cut off
}

// Client sends requests. It may be used by several goroutines; connections are kept and shared, and HTTP/2 is spoken where the
// other side does.
type Client struct {
	allow     []netip.Prefix
	timeout   time.Duration
	maxBody   int64
	transport *http.Transport
	http      *http.Client
}

// New returns a client. Close it when it is no longer needed.
func New(config Config) *Client {
	if config.Timeout <= 0 {
		config.Timeout = 10 * time.Second
	}
	if config.MaxBody <= 0 {
		config.MaxBody = 16 << 10
	}
	if config.MaxIdle <= 0 {
		config.MaxIdle = 64
	}
	if config.TLS == nil {
		config.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c := &Client{allow: config.Allow, timeout: config.Timeout, maxBody: config.MaxBody}
	c.transport = &http.Transport{
		Proxy:                  nil, // a proxy would connect in our place, where nobody looks at the address
		DialContext:            c.dial,
		TLSClientConfig:        config.TLS.Clone(),
		TLSHandshakeTimeout:    config.Timeout,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // so that MaxBody bounds what is unpacked as well
		MaxIdleConns:           config.MaxIdle,
		MaxIdleConnsPerHost:    config.MaxIdle,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 16 << 10,
	}
	c.http = c.client(guarded{c, nil})
	return c
}

func (c *Client) client(through guarded) *http.Client {
	return &http.Client{
		Transport: through, Timeout: c.timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// HTTP returns a client for libraries that make their requests themselves. It is as careful about addresses, redirects and time,
// but does not bound the body. Every request ends with ctx, whatever context the library gives it.
func (c *Client) HTTP(ctx context.Context) *http.Client { return c.client(guarded{c, ctx}) }

// guarded is the way every request takes.
type guarded struct {
	*Client
	context context.Context // in place of the request's; nil: its own
}

// RoundTrip sends one request.
func (g guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := check(req.URL); err != nil {
		return nil, err
	}
	ctx := req.Context()
	if g.context != nil {
		ctx = g.context
	}
	if req.URL.Scheme == "http" {
		ctx = context.WithValue(ctx, plain{}, true)
	}
	return g.transport.RoundTrip(req.WithContext(ctx))
}

// Check says whether raw has the form of a URL that a request may be sent to: https://, or http:// for allowed addresses, with
// a host and without a name and password, which would end in logs. Where the host leads is seen only when connecting.
func Check(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return ErrURL // without the cause, which has the URL in it: it may be somebody's capability
	}
	return check(u)
}

func check(u *url.URL) error {
	if u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return ErrURL
	}
	return nil
}

// plain marks the context of a request that is not to be encrypted.
type plain struct{}

// Do sends a request and reads the answer. The error of a refused URL or address wraps ErrURL, ErrAddress or ErrPlain; every other
// one is trouble on the way, such as no connection, no answer in time, or a connection reset. No error has the URL's path in it.
func (c *Client) Do(req *http.Request) (Answer, error) {
	res, err := c.http.Do(req)
	if err != nil {
		return Answer{}, withoutURL(err)
	}
	defer func() { _ = res.Body.Close() }() // with the answer read there is nothing left to fail
	body, err := io.ReadAll(io.LimitReader(res.Body, c.maxBody))
	if err != nil {
		return Answer{}, fmt.Errorf("outbound: reading the answer: %w", err)
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

// withoutURL takes the URL out of an error of net/http. The URL of a push subscription lets whoever reads it push to the device.
func withoutURL(err error) error {
	var named *url.Error
	if errors.As(err, &named) {
		err = named.Err
	}
	return fmt.Errorf("outbound: %w", err)
}

// Close closes the connections that are not in use. Those in use go with their request.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// dial connects, if the address that the name has led to may be reached.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	encrypted := ctx.Value(plain{}) == nil
	dialer := net.Dialer{
		Timeout: c.timeout,
		ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			return c.admit(network, address, encrypted)
		},
	}
	return dialer.DialContext(ctx, network, address)
}

// admit looks at the very address that is about to be connected to.
func (c *Client) admit(network, address string, encrypted bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return ErrAddress
	}
	addr := at.Addr().Unmap()
	for _, prefix := range c.allow {
		if prefix.Contains(addr) {
			return nil
		}
	}
	switch {
	case !Public(addr):
		return ErrAddress
	case !encrypted:
		return ErrPlain
	}
	return nil
}
