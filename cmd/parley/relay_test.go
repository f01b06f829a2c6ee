package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/configs"
	"github.com/parleyrtc/parley/turn/credential"
)

func TestAdvertisedAddressFeedsCandidatesAndTURNAlike(t *testing.T) {
	cfg := configs.Dev("127.0.0.1")
	cfg.Media.Advertise = []string{"203.0.113.7"}
	if got := mediaConfig(cfg, nil, quiet).Advertise; len(got) != 1 || got[0] != netip.MustParseAddr("203.0.113.7") {
		t.Errorf("the candidates are %v", got)
	}
	media := netip.MustParseAddrPort("203.0.113.7:7701")
	relay := turnConfig(cfg, []netip.AddrPort{media})
	if len(relay.Peers) != 1 || relay.Peers[0] != media {
		t.Errorf("TURN relays to %v", relay.Peers)
	}
	if got := relay.PeerAliases[media]; got != netip.MustParseAddrPort("127.0.0.1:7701") {
		t.Errorf("from here it is reached at %v", got)
	}
	if len(relay.Relays) != 1 || relay.Relays[0].Bind != netip.MustParseAddr("127.0.0.1") || relay.Relays[0].Advertise != netip.MustParseAddr("203.0.113.7") {
		t.Errorf("the relay addresses are %+v", relay.Relays)
	}
	if got := strings.Join(turnURLs(cfg), " "); !strings.HasPrefix(got, "turn:203.0.113.7:3478?transport=udp ") {
		t.Errorf("the URLs are %s", got)
	}
}

func TestTURNURLs(t *testing.T) {
	cfg := configs.Dev("::1")
	cfg.TURN.TCP = configs.Off
	if got := strings.Join(turnURLs(cfg), " "); got != "turn:[::1]:3478?transport=udp turns:[::1]:5349?transport=tcp" {
		t.Errorf("the URLs are %s", got)
	}
	cfg.TURN.Host = "calls.example.org"
	if got := turnURLs(cfg)[1]; got != "turns:calls.example.org:5349?transport=tcp" {
		t.Errorf("the URL is %s", got)
	}
	cfg.TURN.Enabled = false
	if got := iceServers(cfg, time.Now)("alice", "s"); got != nil {
		t.Errorf("without TURN there is %v", got)
	}
}

func TestCredentialsAreGoodForTURN(t *testing.T) {
	cfg := configs.Dev("127.0.0.1")
	now := time.Unix(1_790_000_000, 0)
	for session, want := range map[string]string{"s-1": "s-1", "": anySession, "a:b": anySession} {
		server := iceServers(cfg, func() time.Time { return now })("alice@example.org", session)[0]
		claims, err := credential.Check([]byte(cfg.TURNSecret().Reveal()), server.Username, server.Credential, now)
		if err != nil || claims.UID != "alice@example.org" || claims.Session != want || !claims.Expires.Equal(now.Add(time.Hour)) {
			t.Errorf("session %q: %+v, %v", session, claims, err)
		}
	}
}
