package transport

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/fingerprint"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// profiles puts AES-128-GCM first: as the DTLS server we choose, and it costs half of the others.
var profiles = []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80}

// noInterceptors replaces pion's default chain: feedback and retransmission are the SFU's.
var noInterceptors = webrtc.WithInterceptorRegistry(&interceptor.Registry{})

// Sink takes what comes from one client. The methods must not block; each is called by one goroutine at a time, but for
// State, and what they are handed is only lent.
type Sink interface {
	// Packets takes decrypted RTP packets of this client in order of arrival. What they lead to is added to out, which the caller
	// flushes.
	Packets(now time.Time, batch []Datagram, out *Batch)
	// RTCP takes decrypted RTCP packets, the last of which arrived at a time; the answers are added to out. Round trips are measured by
	// it, so how late we are is not in them.
	RTCP(arrived time.Time, packets []rtcp.Packet, out *Batch)
	// Message takes one message of the data channel.
	Message(data []byte)
	// State says that Peer.State may have changed, or that the data channel is open now.
	State()
}

// State is how far a peer's connection is.
type State int

// The states of a peer.
const (
	Connecting State = iota
	Connected
	Disconnected // nothing heard for a while
	Failed       // ICE has given up; a restart may bring it back
	Mismatch     // the DTLS certificate is not the one of the offer
	Flooded      // more sources or data channels than anybody needs
	Closed
)

// ErrUnusable says that a failed negotiation left the peer in the middle: it can only be closed.
var ErrUnusable = errors.New("negotiation failed half-way")

// Peer is one client's PeerConnection. Negotiate wants one caller at a time; the other methods may be called from any
// goroutine.
type Peer struct {
	plane *Plane
	sink  Sink
	pc    *webrtc.PeerConnection

	// Owned by the caller of Negotiate; fingerprint is written before the connection can change its state.
	fingerprint string
	streams     map[string]*Stream
	ufrag       string // of the client's ICE

	// On the fast path.
	shadow *shadow // nil on pion's
	keys   keys
	tcp    *tcpFace    // nil without ICE-TCP
	broken atomic.Bool // DTLS left no keys that we can use, or our code has panicked

	batch [1]Datagram // owned by the receiving goroutine, on pion's path

	remotes  atomic.Int32 // addresses since the last ICE restart
	sources  atomic.Int32
	channels atomic.Int32
	flooded  atomic.Bool
	closed   atomic.Bool
	channel  atomic.Pointer[webrtc.DataChannel]
	close    sync.Once

	party   *party                  // in the mux
	secrets atomic.Pointer[secrets] // nil before the first answer
	roaming roaming
	moving  moving

	reading sync.Mutex // closed is set, and readers are added to, with it held
	readers sync.WaitGroup
}

// NewPeer makes a peer without a connection. It must be closed before the plane.
func (p *Plane) NewPeer(sink Sink) (*Peer, error) {
	peer := &Peer{plane: p, sink: sink, streams: map[string]*Stream{}}
	api, err := p.api(peer)
	if err != nil {
		return nil, err
	}
	peer.pc, err = api.NewPeerConnection(webrtc.Configuration{
		Certificates:  []webrtc.Certificate{p.certificate},
		BundlePolicy:  webrtc.BundlePolicyMaxBundle,
		RTCPMuxPolicy: webrtc.RTCPMuxPolicyRequire,
	})
	if err != nil {
		p.mux.forget(peer)
		return nil, fmt.Errorf("new peer connection: %w", err)
	}
	peer.party = p.mux.join(peer)
	p.peers.Add(1)
	peer.pc.OnConnectionStateChange(peer.changed)
	peer.pc.OnDataChannel(peer.opened)
	dtls := peer.pc.SCTP().Transport()
	dtls.OnStateChange(peer.secured)
	dtls.ICETransport().OnSelectedCandidatePairChange(peer.chosen)
	return peer, nil
}

// another says whether the ICE agent may talk to one more address.
func (p *Peer) another(net.IP) bool {
	return p.remotes.Load() < maxRemotes && p.remotes.Add(1) <= maxRemotes
}

// State is the connection's state at this moment.
func (p *Peer) State() State {
	switch {
	case p.flooded.Load():
		return Flooded
	case p.broken.Load():
		return Closed
	}
	switch p.pc.ConnectionState() {
	case webrtc.PeerConnectionStateConnected:
		return Connected
	case webrtc.PeerConnectionStateDisconnected:
		return Disconnected
	case webrtc.PeerConnectionStateFailed:
		if p.mismatch() {
			return Mismatch
		}
		return Failed
	case webrtc.PeerConnectionStateClosed:
		if p.mismatch() {
			return Mismatch
		}
		return Closed
	}
	return Connecting
}

// mismatch says whether DTLS failed because the client's certificate is not the one that its offer named.
func (p *Peer) mismatch() bool {
	t := p.pc.SCTP().Transport()
	raw := t.GetRemoteCertificate()
	if t.State() == webrtc.DTLSTransportStateConnected || len(raw) == 0 {
		return false
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		return true
	}
	algorithm, digest, _ := strings.Cut(p.fingerprint, " ")
	hash, err := fingerprint.HashFromString(algorithm)
	if err != nil {
		return true
	}
	got, err := fingerprint.Fingerprint(cert, hash)
	return err != nil || got != digest
}

// Close ends the connection in the background; Plane.Close waits for it.
func (p *Peer) Close() {
	p.close.Do(func() {
		p.reading.Lock()
		p.closed.Store(true)
		p.reading.Unlock()
		if p.shadow != nil {
			p.shadow.path.Store(nil)
			p.plane.trials.end(p.shadow)
			p.plane.familiar.forget(p.shadow)
			if p.tcp != nil {
				p.tcp.end()
			}
		}
		go func() {
			defer p.plane.peers.Done()
			_ = p.pc.GracefulClose() // there is nobody to tell
			p.plane.mux.forget(p)
			p.readers.Wait()
			if p.tcp != nil {
				p.tcp.linger.readers.Wait()
			}
		}()
	})
}

// gathered waits for our candidates, which need no network.
func (p *Peer) gathered(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
