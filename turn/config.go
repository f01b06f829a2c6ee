package turn

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/parleyrtc/parley/turn/peers"
	"github.com/prometheus/client_golang/prometheus"
)

// Relay is where the relayed addresses of one family are.
type Relay struct {
	// Bind is the local address that relay sockets are bound to.
	Bind netip.Addr
	// Advertise is what clients are told, when a router translates; the zero value means Bind.
	Advertise netip.Addr
}

// Config is all a Server needs. Zero fields take the stated defaults.
type Config struct {
	// ListenUDP, ListenTCP and ListenTLS are "host:port" addresses. At least one is needed. On a machine with several
	// addresses name each, rather than the wildcard, so that answers leave from the address that was asked.
	ListenUDP, ListenTCP, ListenTLS []string
	// TLS serves ListenTLS. Nothing below TLS 1.2 is spoken.
	TLS *tls.Config
	// Realm is shown to clients. Default "parley".
	Realm string

	// Relays has at most one entry per family; a family without is refused with 440.
	Relays []Relay
	// RelayPortMin and RelayPortMax bound the ports of relayed addresses, both included. Both zero: 49152 to 65535. The one
	// that has rested longest is taken next.
	RelayPortMin, RelayPortMax uint16

	// Peers are the media addresses of this cluster as clients know them; nothing else is ever relayed to.
	Peers []netip.AddrPort
	// PeerAliases says where peers are really reached from here, when a router does not loop their address back.
	PeerAliases map[netip.AddrPort]netip.AddrPort
	// Media is what all Peers are addresses of, when that is the media plane of this process: relayed addresses then talk to
	// it directly, and a socket only keeps their port from others. Nil: they talk through their socket.
	Media Media

	// Secret signs the credentials, at least 16 bytes.
	Secret []byte
	// MaxCredentialLife is the longest time-to-live that credentials are minted with: so long a revoked session is
	// remembered. Default 24 h.
	MaxCredentialLife time.Duration
	// QuotaPerCredential is how many allocations one user may have in one session at a time. Default 16: a client asks
	// once per network, server URL and family.
	QuotaPerCredential int
	// MaxAllocations bounds all allocations together. Default 4096.
	MaxAllocations int

	// MaxConnections and MaxConnectionsPerIP bound TCP and TLS together. Default 4096 and 256 (an office behind one NAT).
	MaxConnections, MaxConnectionsPerIP int
	// FirstMessage is how long a connection may take until its first complete message, TLS included. Default 10 s.
	FirstMessage time.Duration
	// Idle is how long a connection may be without an allocation after that. Default 30 s.
	Idle time.Duration

	// RepliesPerSecond bounds the answers over UDP to requests that are not authenticated, for each IPv4 /24 and IPv6 /56;
	// four seconds' worth may come at once. Default 50.
	RepliesPerSecond int

	Logger     *slog.Logger          // Default slog.Default.
	Registerer prometheus.Registerer // Default a registry of its own.
}

// withDefaults fills in and validates the configuration.
func (c Config) withDefaults() (Config, error) {
	setDefault(&c.Realm, "parley")
	setDefault(&c.MaxCredentialLife, 24*time.Hour)
	setDefault(&c.QuotaPerCredential, 16)
	setDefault(&c.MaxAllocations, 4096)
	setDefault(&c.MaxConnections, 4096)
	setDefault(&c.MaxConnectionsPerIP, 256)
	setDefault(&c.FirstMessage, 10*time.Second)
	setDefault(&c.Idle, 30*time.Second)
	setDefault(&c.RepliesPerSecond, 50)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Registerer == nil {
		c.Registerer = prometheus.NewRegistry()
	}
	return c, c.validate()
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func (c *Config) validate() error {
	switch {
	case len(c.ListenUDP)+len(c.ListenTCP)+len(c.ListenTLS) == 0:
		return errors.New("turn: nothing to listen on")
	case len(c.ListenTLS) > 0 && c.TLS == nil:
		return errors.New("turn: TLS listener without a TLS configuration")
	case len(c.Secret) < 16:
		return errors.New("turn: secret shorter than 16 bytes")
	case c.RelayPortMin > c.RelayPortMax || c.RelayPortMin == 0 && c.RelayPortMax != 0:
		return fmt.Errorf("turn: relay ports %d to %d", c.RelayPortMin, c.RelayPortMax)
	case len(c.Relays) == 0:
		return errors.New("turn: no relay address")
	case c.QuotaPerCredential < 0 || c.MaxAllocations < 0 || c.MaxConnections < 0 || c.MaxConnectionsPerIP < 0 || c.RepliesPerSecond < 0:
		return errors.New("turn: negative limit")
	case c.FirstMessage < 0 || c.Idle < 0 || c.MaxCredentialLife < 0:
		return errors.New("turn: negative time")
	}
	families := map[bool]bool{}
	for i := range c.Relays {
		r := &c.Relays[i]
		setDefault(&r.Advertise, r.Bind)
		v4 := r.Bind.Is4()
		if !r.Bind.IsValid() || r.Bind.Is4In6() || r.Advertise.Is4() != v4 || r.Advertise.IsUnspecified() {
			return fmt.Errorf("turn: relay address %v advertised as %v", r.Bind, r.Advertise)
		}
		if families[v4] {
			return errors.New("turn: two relay addresses of one family")
		}
		families[v4] = true
	}
	_, err := peers.New(c.Peers, c.PeerAliases)
	return err
}
