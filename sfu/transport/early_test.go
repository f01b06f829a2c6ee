package transport

import (
	"sync/atomic"
	"testing"

	"github.com/pion/dtls/v3"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/protect"
)

// A client whose certificate is another than its offer says gets as far as keys of its own. Nothing that it seals with them
// goes up, and nothing is sent to it.
func TestKeysOfAnotherCertificateOpenNothing(t *testing.T) {
	for _, profile := range []protect.Profile{protect.GCM128, protect.CM80} {
		p := fastPlane(t, nil)
		g := invite(t, p, guestOptions{munge: wrongFingerprint, profile: profile})
		g.unlock(t)
		for i := range 10 { // before our side has looked at its certificate, maybe
			g.send(t, g.seal(t, 7, int64(i), []byte("payload")))
		}
		eventually(t, "the certificate is refused", func() bool { return g.peer.State() == Mismatch })
		for i := range 200 {
			g.send(t, g.seal(t, 7, int64(10+i), []byte("payload")))
		}
		eventually(t, "some were too many to wait", func() bool { return p.counts.early.Load()+p.counts.strange.Load() >= 200-maxWaiting })
		if n := g.heard(); n > 0 {
			t.Errorf("%s: %d packets went up", profile, n)
		}
		b := p.Batch()
		if b.Add(g.peer, outgoing(9, 1, []byte("secret"))) {
			t.Errorf("%s: a packet was sealed", profile)
		}
		p.Recycle(b)
		if g.peer.shadow.sealer.Load() != nil {
			t.Errorf("%s: there are keys", profile)
		}
		if n := len(g.wire.media); n > 0 {
			t.Errorf("%s: %d packets were sent", profile, n)
		}
	}
}

// Media that overtakes the end of the handshake waits, and goes up in order. What is too much is dropped and counted.
func TestMediaBeforeTheKeysWaits(t *testing.T) {
	var blocked atomic.Bool
	blocked.Store(true)
	p := fastPlane(t, nil)
	g := invite(t, p, guestOptions{outward: func(b []byte) bool {
		// The client's certificate and what follows it; its hellos are shorter than that.
		return !(blocked.Load() && len(b) > 0 && b[0] == 22 && handshakeOf(b) != 1)
	}})
	g.unlock(t)
	eventually(t, "the server knows where the client is", func() bool { return p.mux.at(canonical(addrPort(g.wire.local))) != nil })
	const sent = maxWaiting + 10
	for i := range sent {
		g.send(t, g.seal(t, 7, int64(i), []byte("early")))
	}
	eventually(t, "the rest is dropped", func() bool { return p.counts.early.Load() == sent-maxWaiting })
	if n := g.heard(); n > 0 {
		t.Fatalf("%d packets went up without keys", n)
	}
	blocked.Store(false)
	g.connected(t)
	for i := range 3 {
		g.send(t, g.seal(t, 7, int64(sent+i), []byte("late")))
	}
	eventually(t, "all go up", func() bool { return g.heard() == maxWaiting+3 })
	for i, sequence := range g.sequences() {
		want := i
		if i >= maxWaiting {
			want = sent + i - maxWaiting
		}
		if sequence != want {
			t.Fatalf("packet %d is number %d, want %d", i, sequence, want)
		}
	}
	if n := p.counts.early.Load(); n != sent-maxWaiting {
		t.Errorf("%d were dropped", n)
	}
}

// Of all that a DTLS transport says about itself, only that it is connected takes the keys into use, although they are there
// before the client's certificate has been looked at.
func TestKeysWaitForTheVerifiedCertificate(t *testing.T) {
	peer := &Peer{plane: &Plane{}}
	peer.shadow = &shadow{peer: peer}
	if _, err := peer.keys.Write(keyLog(1, 2)); err != nil {
		t.Fatal(err)
	}
	peer.keys.hello(serverHello(3, dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.SRTP_AEAD_AES_128_GCM))
	if !peer.keys.complete() {
		t.Fatal("there are no keys")
	}
	for _, state := range []webrtc.DTLSTransportState{webrtc.DTLSTransportStateNew, webrtc.DTLSTransportStateConnecting,
		webrtc.DTLSTransportStateFailed, webrtc.DTLSTransportStateClosed, webrtc.DTLSTransportStateUnknown} {
		peer.secured(state)
		if peer.shadow.sealer.Load() != nil || peer.shadow.opener != nil || !peer.keys.complete() {
			t.Fatalf("the keys are in use when the transport is %s", state)
		}
	}
	peer.secured(webrtc.DTLSTransportStateConnected)
	if peer.shadow.sealer.Load() == nil || peer.shadow.opener == nil || peer.keys.complete() {
		t.Error("the keys are not in use")
	}
}
