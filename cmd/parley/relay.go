package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parleyrtc/parley/configs"
	"github.com/parleyrtc/parley/turn"
)

// relay is the TURN server of a node.
type relay struct {
	server      *turn.Server
	certificate *certificate // nil without TLS and in --dev
}

func (r *relay) close() { r.server.Close() }

// openRelay starts TURN for the media addresses, all of them plane's, or returns nil when it is off.
func openRelay(cfg configs.Config, media []netip.AddrPort, plane turn.Media, registry *prometheus.Registry, log *slog.Logger) (*relay, error) {
	if !cfg.TURN.Enabled {
		return nil, nil
	}
	r := &relay{}
	var err error
	t := turnConfig(cfg, media)
	t.Logger, t.Registerer = log.With("part", "turn"), registry
	t.Media, t.PeerAliases = plane, nil // the plane knows its addresses by the names that clients have for them
	if cfg.TURN.TLS != configs.Off {
		if t.TLS, err = r.tls(cfg, log); err != nil {
			return nil, err
		}
	}
	if r.server, err = turn.New(t); err != nil {
		return nil, fmt.Errorf("turn: %w", err)
	}
	return r, nil
}

// tls is the operator's certificate, or in --dev one made on the spot.
func (r *relay) tls(cfg configs.Config, log *slog.Logger) (*tls.Config, error) {
	if cfg.TURNCert() == "" {
		return selfSigned(time.Now(), reachable(cfg, cfg.TURN.TLS))
	}
	section := "turn"
	if cfg.TURN.CertFile == "" {
		section = "http"
	}
	var err error
	if r.certificate, err = openCertificate(section, cfg.TURNCert(), cfg.TURNKey(), log); err != nil {
		return nil, err
	}
	return r.certificate.tls(), nil
}

func turnConfig(cfg configs.Config, media []netip.AddrPort) turn.Config {
	t := turn.Config{
		Realm: cfg.TURN.Realm, Secret: []byte(cfg.TURNSecret().Reveal()), MaxCredentialLife: cfg.TURN.CredentialTTL,
		QuotaPerCredential: cfg.TURN.Quota, RelayPortMin: uint16(cfg.TURN.RelayPortMin), RelayPortMax: uint16(cfg.TURN.RelayPortMax),
		Peers: media, PeerAliases: map[netip.AddrPort]netip.AddrPort{},
	}
	if cfg.TURN.UDP != configs.Off {
		t.ListenUDP = eachAddress(cfg.TURN.UDP)
	}
	if cfg.TURN.TCP != configs.Off {
		t.ListenTCP = []string{cfg.TURN.TCP}
	}
	if cfg.TURN.TLS != configs.Off {
		t.ListenTLS = []string{cfg.TURN.TLS}
	}
	public := firstOfFamily(reachable(cfg, cfg.Media.UDP))
	for v6, local := range firstOfFamily(locals(cfg.Media.UDP)) {
		t.Relays = append(t.Relays, turn.Relay{Bind: local, Advertise: public[v6]})
		for _, peer := range media { // a router need not loop our public address back to us
			if len(cfg.Media.Advertise) > 0 && peer.Addr().Is6() == v6 && peer.Addr() != local {
				t.PeerAliases[peer] = netip.AddrPortFrom(local, uint16(number(portOf(cfg.Media.UDP))))
			}
		}
	}
	return t
}

// locals lists the addresses of this machine that a listener is bound to.
func locals(listen string) []netip.Addr {
	return reachable(configs.Config{}, listen)
}

// firstOfFamily picks the first IPv4 (false) and IPv6 (true) address.
func firstOfFamily(addrs []netip.Addr) map[bool]netip.Addr {
	out := map[bool]netip.Addr{}
	for _, a := range addrs {
		if _, ok := out[a.Is6()]; !ok {
			out[a.Is6()] = a
		}
	}
	return out
}

// eachAddress turns a wildcard into the addresses it stands for, so that a UDP answer leaves from the address that was
// asked; clients drop others.
func eachAddress(listen string) []string {
	host, port, _ := net.SplitHostPort(listen)
	if !wildcard(host) {
		return []string{listen}
	}
	found, err := net.InterfaceAddrs()
	if err != nil {
		return []string{listen}
	}
	var out []string
	for _, a := range found {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || prefix.Addr().IsLinkLocalUnicast() || (host == "0.0.0.0" && !prefix.Addr().Is4()) {
			continue
		}
		out = append(out, net.JoinHostPort(prefix.Addr().String(), port))
	}
	if len(out) == 0 {
		return []string{listen}
	}
	return out
}
