package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/parleyrtc/parley/configs"
)

// port is one socket that the configuration asks for.
type port struct {
	option  string // http.listen
	network string // tcp or udp
	listen  string
	use     string // what it is for, in words
}

// ports lists every socket of a server but the relays of TURN.
func ports(cfg configs.Config) []port {
	all := []port{
		{"http.listen", "tcp", cfg.HTTP.Listen, "web page, REST and signaling"},
		{"admin.listen", "tcp", cfg.Admin.Listen, "metrics and profiles"},
		{"media.udp", "udp", cfg.Media.UDP, "media"},
		{"media.tcp", "tcp", cfg.Media.TCP, "media over TCP"},
	}
	if cfg.TURN.Enabled {
		all = append(all,
			port{"turn.udp", "udp", cfg.TURN.UDP, "TURN"},
			port{"turn.tcp", "tcp", cfg.TURN.TCP, "TURN over TCP"},
			port{"turn.tls", "tcp", cfg.TURN.TLS, "TURN over TLS"},
		)
	}
	open := all[:0]
	for _, p := range all {
		if p.listen != configs.Off {
			open = append(open, p)
		}
	}
	return open
}

// probe opens the port and closes it again. It asks for the port alone, so that it also finds another parley, with which
// the media sockets would share a port.
func (p port) probe() error {
	if p.network == "udp" {
		conn, err := net.ListenPacket("udp", p.listen)
		if err != nil {
			return p.explain(err)
		}
		return conn.Close()
	}
	listener, err := net.Listen("tcp", p.listen)
	if err != nil {
		return p.explain(err)
	}
	return listener.Close()
}

// explain says in one sentence why a port cannot be had, and what to do.
func (p port) explain(err error) error {
	name := strings.ToUpper(p.network) + " port " + portOf(p.listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: %s (%s) is in use by another program; stop that program, or choose another port with --set %s=ADDRESS:PORT",
			p.option, name, p.use, p.option)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: %q is not an address of this machine; write one that is, or leave the address out for all of them",
			p.option, p.listen)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %s (%s) may not be opened by this user; choose a port of 1024 or above, or give the program CAP_NET_BIND_SERVICE",
			p.option, name, p.use)
	}
	return fmt.Errorf("%s: %s (%s) cannot be opened: %w", p.option, name, p.use, err)
}

// clash finds two options that ask for the same port.
func clash(all []port) error {
	for i, a := range all {
		for _, b := range all[:i] {
			if a.network == b.network && portOf(a.listen) == portOf(b.listen) && portOf(a.listen) != "0" && overlap(a.listen, b.listen) {
				return fmt.Errorf("%s and %s both ask for %s port %s; choose another one for either",
					b.option, a.option, strings.ToUpper(a.network), portOf(a.listen))
			}
		}
	}
	return nil
}

func overlap(a, b string) bool {
	hostA, _, _ := net.SplitHostPort(a)
	hostB, _, _ := net.SplitHostPort(b)
	return hostA == hostB || wildcard(hostA) || wildcard(hostB)
}

func wildcard(host string) bool { return host == "" || host == "0.0.0.0" || host == "::" }

// probeAll finds the first port that cannot be had.
func probeAll(all []port) error {
	if err := clash(all); err != nil {
		return err
	}
	for _, p := range all {
		if err := p.probe(); err != nil {
			return err
		}
	}
	return nil
}

// local is where a listener is reached from this machine.
func local(listen string) string {
	host, port, _ := net.SplitHostPort(listen)
	if wildcard(host) {
		host = configs.Loopback
	}
	return hostPort(host, port)
}
