package transport

import (
	"net"
	"net/netip"
	"slices"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/protect"
)

// overTCP is the TCP listeners as the peer's agent is to see them.
func (p *Peer) overTCP() ice.TCPMux {
	if !p.plane.fast {
		return p.plane.tcp
	}
	p.tcp = p.plane.tcp.peer(p, &p.plane.counts.tcp)
	return p.tcp
}

// checked sees every authenticated check of the client: it proves where the client is. True takes its pair into use.
func (p *Peer) checked(m *stun.Message, local, remote ice.Candidate, pair *ice.CandidatePair) bool {
	if host, err := netip.ParseAddr(remote.Address()); err == nil {
		from, overTCP := netip.AddrPortFrom(host, uint16(remote.Port())), local.NetworkType().IsTCP()
		if !overTCP {
			from = p.plane.mux.behind(p.party, from)
		}
		p.learn(overTCP, from)
		if !overTCP {
			p.plane.mux.seated(p, from, pair.ResponsesReceived() > 0)
		}
	}
	return p.roaming.check(m, local, remote, pair)
}

func (p *Peer) learn(overTCP bool, from netip.AddrPort) {
	switch {
	case !overTCP:
		p.plane.mux.learn(p, from)
	case p.tcp != nil:
		p.tcp.learn(from)
	}
}

// index is which of our addresses a candidate of ours carries.
func (p *Peer) index(address string, port int) int {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return 0
	}
	return max(0, slices.Index(p.plane.names, canonical(netip.AddrPortFrom(a, uint16(port)))))
}

// chosen follows the pair in use. Until there is another one, media goes on over the last, also while ICE restarts.
func (p *Peer) chosen(pair *webrtc.ICECandidatePair) {
	p.roaming.chosen(pair)
	to, err := netip.ParseAddr(pair.Remote.Address)
	if err != nil {
		return // a name; pion resolves those before it uses them
	}
	way := &path{local: p.index(pair.Local.Address, int(pair.Local.Port)), addr: canonical(netip.AddrPortFrom(to, pair.Remote.Port))}
	if pair.Remote.Protocol != webrtc.ICEProtocolTCP {
		way.addr = p.plane.mux.behind(p.party, way.addr)
	}
	if pair.Remote.Protocol == webrtc.ICEProtocolTCP {
		way.tcp = &tcpWay{p.tcp, net.TCPAddrFromAddrPort(way.addr)}
		p.plane.mux.use(p, netip.AddrPort{})
	} else {
		way.relayed = p.plane.relays.at(way.addr)
		p.plane.mux.use(p, way.addr)
	}
	p.moving.chosen(pair, way.addr)
	if p.shadow == nil || p.closed.Load() {
		return
	}
	p.shadow.path.Store(way)
	if p.tcp != nil {
		p.tcp.carry(way.tcp != nil)
	}
	p.plane.trials.end(p.shadow)
}

// changed stops sending once the client is given up: it has not consented for longer than RFC 7675 §5.1 lets us go on.
func (p *Peer) changed(state webrtc.PeerConnectionState) {
	if p.shadow != nil && (state == webrtc.PeerConnectionStateFailed || state == webrtc.PeerConnectionStateClosed) {
		p.shadow.path.Store(nil)
		p.plane.trials.end(p.shadow)
		if p.tcp != nil {
			p.tcp.release()
		}
	}
	p.sink.State()
}

// secured takes the keys into use once the client's certificate is the one of its offer (RFC 8827 §6.5), which pion has checked
// before it says connected. pion holds a lock here.
func (p *Peer) secured(state webrtc.DTLSTransportState) {
	if p.shadow == nil || state != webrtc.DTLSTransportStateConnected {
		return
	}
	err := p.keys.use(func(h protect.Handshake) error {
		k, err := h.Keys()
		if err != nil {
			return err
		}
		return p.shadow.activate(k)
	})
	if err != nil {
		p.plane.config.Logger.Error("no media keys", "error", err)
		p.broken.Store(true)
		go p.sink.State()
	}
}

// crowded implements owner.
func (p *Peer) crowded() (password string, yes bool) {
	if s := p.secrets.Load(); s != nil {
		password = s.password
	}
	return password, p.remotes.Load() >= maxRemotes
}

// fromTCP takes media that came over a connection.
func (p *Peer) fromTCP(b []byte) { p.plane.lend(p, b) }
