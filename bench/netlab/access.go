package netlab

import (
	"net/netip"
	"strings"

	"github.com/parleyrtc/parley/bench/netlab/link"
)

// Access is how one client reaches a server: its media, its TURN and its signaling. When it is cut or left, the client's whole
// network is gone. Its methods may be called from any goroutine.
type Access struct {
	media, turn *Path
	signaling   *Relay
	server      Server
}

// Server is where a server is reached without an Access.
type Server struct {
	Media netip.AddrPort // over UDP
	TURN  netip.AddrPort // over UDP
	HTTP  string         // host:port of signaling and pages
}

// OpenAccess makes an access. Media and TURN have links of their own, since a client uses one of them; so has each TCP connection.
func OpenAccess(server Server, rules Rules) (*Access, error) {
	rules.Together = true
	a := &Access{server: server}
	var err error
	if a.media, err = Open(server.Media, rules); err == nil {
		if a.turn, err = Open(server.TURN, rules); err == nil {
			a.signaling, err = OpenRelay(server.HTTP, rules)
		}
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// Media is the path of the client's media.
func (a *Access) Media() *Path { return a.media }

// URL is what a URL of the server's signaling is through the access.
func (a *Access) URL(url string) string {
	return strings.Replace(url, a.server.HTTP, a.signaling.Addr(), 1)
}

// TURN is what a TURN URL of the server is through the access: "" when it leads elsewhere, or not over UDP.
func (a *Access) TURN(url string) string {
	at, rest, ok := strings.Cut(strings.TrimPrefix(url, "turn:"), "?")
	if !strings.HasPrefix(url, "turn:") || at != a.server.TURN.String() || ok && rest != "transport=udp" {
		return ""
	}
	return "turn:" + a.turn.Addr().String() + "?transport=udp"
}

// Rewrite puts the access in the place of the server's candidates in an SDP.
func (a *Access) Rewrite(sdp string) string { return a.media.Rewrite(sdp) }

// Follow gives the access other links. TCP connections that are there keep theirs.
func (a *Access) Follow(down, up link.Config) {
	a.media.Follow(down, up)
	a.turn.Follow(down, up)
	a.signaling.Follow(down, up)
}

// Rebind gives the client another address towards the server, as a NAT does that has forgotten it. TCP is not touched: NATs
// remember it for longer.
func (a *Access) Rebind() error {
	if err := a.media.Rebind(); err != nil {
		return err
	}
	return a.turn.Rebind()
}

// Leave makes everything that the client has open worthless for good, and lets it begin anew, as from another network.
func (a *Access) Leave() {
	a.media.Leave()
	a.turn.Leave()
	a.signaling.Leave()
}

// Cut takes the client's network away until it is called with false.
func (a *Access) Cut(cut bool) {
	a.media.Cut(cut)
	a.turn.Cut(cut)
	a.signaling.Cut(cut)
}

// Close ends the access.
func (a *Access) Close() {
	for _, p := range []*Path{a.media, a.turn} {
		if p != nil {
			p.Close()
		}
	}
	if a.signaling != nil {
		a.signaling.Close()
	}
}

// Relayed counts what the links of TURN did.
func (a *Access) Relayed() (up, down link.Fates) { return a.turn.Fates() }
