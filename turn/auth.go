package turn

import (
	"errors"
	"net"

	"github.com/parleyrtc/parley/turn/credential"
	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
)

// authorize gives the library the key that the request in hand must be signed with. A credential that has run out still
// serves the allocation it was used for, so that a long call does not end with it; a revoked one serves nothing.
func (c *carrier) authorize(a *pion.RequestAttributes) (owner string, key []byte, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			c.panicked(p)
			ok = false
		}
	}()
	h := &c.hand
	h.code = stun.CodeUnauthorized // Until it is proven; the library would say 400.
	claims, err := credential.Parse(a.Username)
	if err != nil || a.Realm != c.server.cfg.Realm || c.server.books.isRevoked(claims.Session) {
		c.server.metrics.authFailures.Inc()
		return "", nil, false
	}
	owner = claims.Owner()
	if claims.Expired(c.server.now()) {
		live := c.relayOf(h.source)
		if a.Method == stun.MethodAllocate || live == nil || live.owner != owner {
			c.server.metrics.authFailures.Inc()
			return "", nil, false
		}
	}
	h.key = pion.GenerateAuthKey(a.Username, a.Realm, credential.Password(c.server.cfg.Secret, a.Username))
	h.session = claims.Session
	return owner, h.key, true
}

// onAuth learns whether the request's integrity was right.
func (c *carrier) onAuth(_, _ net.Addr, _, _, _ string, _ string, verdict bool) {
	if !verdict {
		c.server.metrics.authFailures.Inc()
		return
	}
	c.hand.authenticated = true
	c.hand.code = 0
}

// permit is asked for each peer of an authenticated CreatePermission or ChannelBind. One forbidden peer forbids them all.
func (c *carrier) permit(net.Addr, net.IP) bool { return !c.hand.forbidden }

// generator makes the relays of a carrier.
type generator carrier

var (
	errDenied = errors.New("turn: allocation denied")
	errTCP    = errors.New("turn: no relaying over TCP")
)

// Validate implements the library's RelayAddressGenerator.
func (g *generator) Validate() error { return nil }

// AllocatePacketConn implements the library's RelayAddressGenerator.
func (g *generator) AllocatePacketConn(a pion.AllocateListenerConfig) (conn net.PacketConn, addr net.Addr, err error) {
	c := (*carrier)(g)
	defer func() {
		if p := recover(); p != nil {
			c.panicked(p)
			conn, addr, err = nil, nil, errDenied
		}
	}()
	if a.UserID == "" || a.RequestedPort != 0 {
		// An even port, for which the library tries ports in nobody's name, or the one reserved next to it: nobody needs a
		// pair of ports since RTCP shares RTP's, and reservations leak ports.
		return nil, nil, c.deny(deniedUnsupported, stun.CodeInsufficientCapacity)
	}
	at, ok := c.server.relayFor(a.Network == "udp4")
	if !ok {
		return nil, nil, c.deny(deniedUnsupported, stun.CodeAddrFamilyNotSupported)
	}
	way, err := c.server.openWay(at)
	if err != nil {
		return nil, nil, c.deny(deniedCapacity, stun.CodeInsufficientCapacity)
	}
	r := &relay{
		carrier: c, client: c.hand.source, clientAddr: c.hand.from, owner: a.UserID, session: c.hand.session, way: way,
	}
	switch denied := c.enter(r); denied {
	case "":
	case deniedQuota:
		_ = way.Close()
		return nil, nil, c.deny(denied, stun.CodeAllocQuotaReached)
	default:
		_ = way.Close()
		return nil, nil, c.deny(denied, stun.CodeInsufficientCapacity)
	}
	port := addrPort(way.LocalAddr()).Port()
	return r, &net.UDPAddr{IP: at.Advertise.AsSlice(), Port: int(port)}, nil
}

// deny has the request in hand answered with code.
func (c *carrier) deny(reason string, code stun.ErrorCode) error {
	c.server.metrics.deny(reason)
	c.hand.code = code
	return errDenied
}

// AllocateListener implements the library's RelayAddressGenerator: there is no relaying over TCP (RFC 6062).
func (g *generator) AllocateListener(pion.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	_ = (*carrier)(g).deny(deniedUnsupported, stun.CodeUnsupportedTransProto)
	return nil, nil, errTCP
}

// AllocateConn implements the library's RelayAddressGenerator: there is no relaying over TCP (RFC 6062).
func (g *generator) AllocateConn(pion.AllocateConnConfig) (net.Conn, error) { return nil, errTCP }
