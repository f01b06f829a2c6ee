package sfu

import (
	"context"
	"regexp"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/transport"
)

// A client on TCP restarts ICE, and its media goes on in both directions over the connection that it has: as a browser's does,
// which lets go of it only when there is another. Here the other never comes.
func TestMediaGoesOnOverTCPWhileICERestarts(t *testing.T) {
	b := newBench(t, func(c *Config) { c.TCP, c.MediaPath = []string{"127.0.0.1:0"}, transport.FastPath })
	bob := newClient(b, "room", "bob", clientOptions{open: true, engine: func(e *webrtc.SettingEngine) {
		e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	}})
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	n := 0
	for ; !bob.hears() || !alice.hears(); n++ {
		bob.speak(n)
		alice.speak(n)
		breathe()
	}
	bob.hear(alice, n-1)
	alice.hear(bob, n-1)
	for range 2 { // and again, before there is another pair
		restart := bob.offered
		restart.ICERestart = true
		restart.SDP = regexp.MustCompile(`a=ice-(ufrag|pwd):`).ReplaceAllString(restart.SDP, "${0}another")
		restart.SDP = regexp.MustCompile(`a=ice-ufrag:`).ReplaceAllString(restart.SDP, "${0}"+itoa(n))
		if _, err := b.Offer(context.Background(), restart); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			bob.speak(n)
			alice.hear(bob, n)
			alice.speak(n)
			bob.hear(alice, n)
			n++
		}
	}
	if full := b.plane.Discarded()["tcp_full"](); full > 0 || b.plane.Unsent() > 0 {
		t.Errorf("%d packets were dropped, %d not sent", full, b.plane.Unsent())
	}
}
