// Package transport carries packets between the SFU and its clients.
//
// A Plane owns the sockets; a Peer is one client's PeerConnection. Decrypted packets come up to a Sink with their arrival time,
// and with a Batch that takes all that they lead to, for any peers: how the two become datagrams is nobody else's business.
// Here pion does it.
// Media is taken from pion through its BufferFactory, on the goroutine that decrypted it: compared with reading TrackRemotes
// that is one goroutine, two copies and one wake-up less for each packet, all of a client's packets come in order on one
// goroutine, and packets of sources that no SDP declared come as well.
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
	"net"
	"net/netip"
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
	Logger       *slog.Logger
}

// Plane is the media sockets of this process. Its methods may be called from any goroutine.
type Plane struct {
	config      Config
	certificate webrtc.Certificate
	net         *stdnet.Net // this machine's interfaces, asked for once: our sockets do not follow them either

	udp       *ice.MultiUDPMuxDefault
	tcp       tcpMuxes
	sockets   []*net.UDPConn
	addresses []netip.AddrPort // as candidates carry them
	bound     map[netip.Addr]bool
	loopback  bool
	refused   atomic.Uint64
	unsent    atomic.Uint64

	batches sync.Pool
	peers   sync.WaitGroup
}

// Listen opens the sockets. An error says which address cannot be had.
func Listen(config Config) (*Plane, error) {
	p := &Plane{config: config, bound: map[netip.Addr]bool{}}
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
	return p, nil
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

// Refused counts datagrams and connections that were turned away because their address had sent too many.
func (p *Plane) Refused() uint64 { return p.refused.Load() }

// Overflowed is how many datagrams came faster than they were read, so that the kernel dropped them.
func (p *Plane) Overflowed() (n uint64) {
	for _, s := range p.sockets {
		n += overflowed(s)
	}
	return n
}

// Close closes the sockets. Peers must have been closed; it waits for what they left running.
func (p *Plane) Close() error {
	p.peers.Wait()
	var errs []error
	if p.udp != nil {
		errs = append(errs, p.udp.Close())
	}
	for _, s := range p.sockets {
		_ = s.Close() // the mux has closed those it took over
	}
	errs = append(errs, p.tcp.Close())
	return errors.Join(errs...)
}

func (p *Plane) api(peer *Peer) (*webrtc.API, error) {
	media, err := engine()
	if err != nil {
		return nil, err
	}
	var s webrtc.SettingEngine
	s.SetICEUDPMux(p.udp)
	types := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if len(p.tcp) > 0 {
		s.SetICETCPMux(p.tcp)
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	s.SetNetworkTypes(types)
	s.SetIncludeLoopbackCandidate(p.loopback)
	s.SetIPFilter(p.offered)
	s.SetRemoteIPFilter(peer.another)
	s.SetICEBindingRequestHandler(peer.roaming.check)
	s.DisableActiveTCP(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetICETimeouts(p.config.Disconnected, p.config.Failed, 2*time.Second)
	if err := p.rewrite(&s); err != nil {
		return nil, err
	}
	if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, err
	}
	s.SetSRTPProtectionProfiles(profiles...)
	s.SetFireOnTrackBeforeFirstRTP(true)
	s.DetachDataChannels()
	s.SetNet(p.net)
	s.SetSCTPMaxReceiveBufferSize(256 << 10)
	s.SetSCTPMaxMessageSize(maxMessage)
	s.LoggerFactory = loggers{p.config.Logger}
	s.BufferFactory = peer.buffer
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
