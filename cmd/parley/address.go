package main

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/parleyrtc/parley/configs"
)

// machine lists the addresses that a wildcard listener can be reached at: those of the interfaces, the best first, and
// loopback only when there is nothing else.
func machine() []netip.Addr {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return []netip.Addr{netip.MustParseAddr(configs.Loopback)}
	}
	var public, private, v6, loopback []netip.Addr
	for _, a := range found {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		switch addr := prefix.Addr().Unmap(); {
		case addr.IsLoopback():
			loopback = append(loopback, addr)
		case addr.IsLinkLocalUnicast() || addr.IsMulticast():
		case addr.Is6():
			v6 = append(v6, addr)
		case addr.IsPrivate():
			private = append(private, addr)
		default:
			public = append(public, addr)
		}
	}
	all := append(append(public, private...), v6...)
	if len(all) == 0 {
		return loopback
	}
	return all
}

// reachable lists the addresses at which clients reach a listener: what the operator advertises, else the address it is
// bound to, else those of the machine.
func reachable(cfg configs.Config, listen string) []netip.Addr {
	var advertised []netip.Addr
	for _, text := range cfg.Media.Advertise {
		if addr, err := netip.ParseAddr(text); err == nil {
			advertised = append(advertised, addr)
		}
	}
	if len(advertised) > 0 {
		return advertised
	}
	host, _, _ := net.SplitHostPort(listen)
	if host == "localhost" {
		host = configs.Loopback
	}
	if addr, err := netip.ParseAddr(host); err == nil && !addr.IsUnspecified() {
		return []netip.Addr{addr}
	}
	return machine()
}

// portOf is the port of a listen address that was checked.
func portOf(listen string) string {
	_, port, _ := net.SplitHostPort(listen)
	return port
}

// hostPort writes host and port as URLs do, with brackets around an IPv6 address.
func hostPort(host, port string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]:" + port
	}
	return host + ":" + port
}

// isLoopback reports whether a listen address is reached from this machine only.
func isLoopback(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// number is a port as a number; a port that was checked is one.
func number(port string) int {
	n, _ := strconv.Atoi(port)
	return n
}
