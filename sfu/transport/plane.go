// Package transport carries packets between the SFU and its clients.
//
// A Plane owns the sockets; a Peer is one client's PeerConnection. Decrypted packets come up to a Sink with their arrival time,
// and with a Batch that takes all that they lead to, for any peers: how the two become datagrams is nobody else's business.
//
// There are two ways. On the fast one (worker.go, shadow.go, trains.go), pion does SDP, ICE, DTLS and data channels, and media
// never passes through it: a worker takes what the kernel has for a socket, opens it in place, and what it leads to leaves with
// one system call for many. On pion's (recv.go, batch.go), for other systems than Linux and as the measure of the
// first, pion opens and seals.
package transport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v4/stdnet"
	"github.com/pion/webrtc/v4"
)

// Config is what a Plane needs. All durations must be positive.
type Config struct {
	UDP, TCP     []string     // listen addresses; UDP must not be empty
	Advertise    []netip.Addr // in place of the local addresses, one of each family at most
	Disconnected time.Duration
	Failed       time.Duration
	Path         Path
	Segmentation Switch // whether trains of packets go to the kernel in one piece; Auto: if it can be trusted with them
	Rebinding    Switch // whether media from another address moves a client there; Off leaves it to checks, as on pion's path
	Logger       *slog.Logger
}

// Plane is the media sockets of this process. Its methods may be called from any goroutine.
type Plane struct {
	config      Config
	born        time.Time // times that batches tell are counted from here
	certificate webrtc.Certificate
	net         *stdnet.Net // this machine's interfaces, asked for once: our sockets do not follow them either

	fast    bool // media takes our own path, not pion's
	longest int  // datagrams of one train

	mux       *mux
	tcp       tcpMuxes
	sockets   [][]udpSocket    // for each local address
	local     []netip.AddrPort // what the sockets are bound to
	names     []netip.AddrPort // what clients know them as
	workers   []*worker        // of our own path
	relays    relays
	familiar  familiar
	trials    trials
	addresses []netip.AddrPort // as candidates carry them
	bound     map[netip.Addr]bool
	loopback  bool

	counts  counts
	refused atomic.Uint64
	unsent  atomic.Uint64
	moved   atomic.Uint64

	batches sync.Pool
	peers   sync.WaitGroup
	readers sync.WaitGroup
}

// Listen opens the sockets. An error says which address cannot be had.
func Listen(config Config) (*Plane, error) {
	p := &Plane{config: config, born: time.Now(), bound: map[netip.Addr]bool{}}
	if err := p.choose(); err != nil {
		return nil, err
	}
	var err error
	if p.certificate, err = certificate(); err != nil {
		return nil, err
	}
	if p.net, err = stdnet.NewNet(); err != nil {
		return nil, err
	}
	if err := p.listen(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	places := controlPlaces
	if !p.fast {
		places = mediaPlaces
	}
	p.mux = newMux(p.local, places, p.write)
	p.read()
	return p, nil
}

// panicked logs what a goroutine of ours has recovered from.
func (p *Plane) panicked(v any) {
	p.config.Logger.Error("panic", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
}

// write sends one datagram of pion's from one of our addresses.
func (p *Plane) write(local int, b []byte, to netip.AddrPort) error {
	if r := p.relays.at(to); r != nil {
		r.send(b, p.names[local])
		return nil
	}
	return p.sockets[local][0].WriteTo(b, to)
}

// certificate is one for all peers. Clients check its fingerprint and nothing else (RFC 8827 §6.5), so it may outlive any
// uptime; pion refuses expired ones.
func certificate() (webrtc.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return webrtc.Certificate{}, err
	}
	c, err := webrtc.NewCertificate(key, x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-24 * time.Hour),
		NotAfter:     time.Now().AddDate(20, 0, 0),
	})
	if err != nil {
		return webrtc.Certificate{}, err
	}
	return *c, nil
}

// Addresses are the addresses that candidates carry, UDP and TCP, each once.
func (p *Plane) Addresses() []netip.AddrPort { return p.addresses }

// Close closes the sockets. Peers must have been closed; it waits for what they left running.
func (p *Plane) Close() error {
	p.peers.Wait()
	var errs []error
	for _, sockets := range p.sockets {
		for _, s := range sockets {
			errs = append(errs, s.Close())
		}
	}
	p.readers.Wait()
	errs = append(errs, p.tcp.Close())
	return errors.Join(errs...)
}

// flightAgain is when a flight of the DTLS handshake is sent again for the first time; each time after that takes twice as long. A second,
// which RFC 9147 §5.8.2 proposes for those who know nothing of the path, leaves somebody who loses 30 % of the packets without media for
// 20 s and more. Checks have come through already, so a round trip of more than this is rare, and costs some packets.
const flightAgain = 200 * time.Millisecond

func (p *Plane) api(peer *Peer) (*webrtc.API, error) {
	media, err := engine()
	if err != nil {
		return nil, err
	}
	var s webrtc.SettingEngine
	s.SetICEUDPMux(p.mux.peer(peer))
	types := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if len(p.tcp) > 0 {
		s.SetICETCPMux(peer.overTCP())
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	s.SetNetworkTypes(types)
	s.SetIncludeLoopbackCandidate(p.loopback)
	s.SetIPFilter(p.offered)
	s.SetRemoteIPFilter(peer.another)
	s.SetICEBindingRequestHandler(peer.checked)
	s.DisableActiveTCP(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetICETimeouts(p.config.Disconnected, p.config.Failed, 2*time.Second)
	if err := p.rewrite(&s); err != nil {
		return nil, err
	}
	if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, err
	}
	s.SetDTLSRetransmissionInterval(flightAgain)
	s.SetSRTPProtectionProfiles(profiles...)
	s.SetFireOnTrackBeforeFirstRTP(true)
	s.DetachDataChannels()
	s.SetNet(p.net)
	s.SetSCTPMaxReceiveBufferSize(256 << 10)
	s.SetSCTPMaxMessageSize(maxMessage)
	s.LoggerFactory = loggers{p.config.Logger}
	if p.fast {
		peer.shadow = &shadow{peer: peer}
		s.SetDTLSKeyLogWriter(&peer.keys)
		s.SetDTLSServerHelloMessageHook(peer.keys.hello)
	} else {
		s.BufferFactory = peer.buffer
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(s), noInterceptors), nil
}

// rewrite puts the advertised addresses into host candidates.
func (p *Plane) rewrite(s *webrtc.SettingEngine) error {
	if len(p.config.Advertise) == 0 {
		return nil
	}
	var rules []webrtc.ICEAddressRewriteRule
	for _, a := range p.config.Advertise {
		rule := webrtc.ICEAddressRewriteRule{
			External: []string{a.String()}, CIDR: "0.0.0.0/0",
			AsCandidateType: webrtc.ICECandidateTypeHost, Mode: webrtc.ICEAddressRewriteReplace,
			Networks: []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4},
		}
		if a.Is6() {
			rule.CIDR = "::/0"
			rule.Networks = []webrtc.NetworkType{webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP6}
		}
		rules = append(rules, rule)
	}
	if err := s.SetICEAddressRewriteRules(rules...); err != nil {
		return fmt.Errorf("advertised addresses: %w", err)
	}
	return nil
}
