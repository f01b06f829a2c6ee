package main

import (
	"cmp"
	"time"

	"github.com/parleyrtc/parley/configs"
	"github.com/parleyrtc/parley/signaling"
	"github.com/parleyrtc/parley/signaling/wire"
	"github.com/parleyrtc/parley/turn/credential"
)

// anySession stands in a credential that was made for no session in particular.
const anySession = "any"

// iceServers makes what a client puts into its PeerConnection: one entry with all ways to TURN and fresh credentials. Media
// itself needs no entry, because the server's candidates are in its answers.
func iceServers(cfg configs.Config, now func() time.Time) signaling.ICEServers {
	urls := turnURLs(cfg)
	secret := []byte(cfg.TURNSecret().Reveal())
	return func(uid, session string) []signaling.ICEServer {
		if len(urls) == 0 {
			return nil
		}
		if !wire.ValidID(session) { // what is in a username must not have a colon
			session = anySession
		}
		username, password := credential.Mint(secret, uid, session, now(), cfg.TURN.CredentialTTL)
		return []signaling.ICEServer{{URLs: urls, Username: username, Credential: password}}
	}
}

// turnURLs lists the ways to TURN (RFC 7065), the cheapest first.
func turnURLs(cfg configs.Config) []string {
	if !cfg.TURN.Enabled {
		return nil
	}
	var urls []string
	for _, way := range []struct{ scheme, listen, transport string }{
		{"turn", cfg.TURN.UDP, "udp"}, {"turn", cfg.TURN.TCP, "tcp"}, {"turns", cfg.TURN.TLS, "tcp"},
	} {
		if way.listen == configs.Off {
			continue
		}
		host := cmp.Or(cfg.TURN.Host, reachable(cfg, way.listen)[0].String())
		urls = append(urls, way.scheme+":"+hostPort(host, portOf(way.listen))+"?transport="+way.transport)
	}
	return urls
}
