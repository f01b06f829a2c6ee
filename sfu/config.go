package sfu

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parleyrtc/parley/sfu/transport"
)

// Config is what an operator may say about media. The zero value of every field means the default in its comment.
type Config struct {
	// UDP and TCP are the listen addresses of the media port, as "host:port": several addresses, IPv4 and IPv6, are
	// listened on side by side. A wildcard host is every address of this machine. Port 0 takes a free port, which only
	// tests want. UDP must not be empty; an empty TCP means no ICE-TCP.
	UDP []string
	TCP []string
	// Advertise are the public addresses of this machine behind NAT or in a cloud, at most one of each family. Candidates
	// carry them in place of the local addresses, of which a wildcard then means the default route's only; otherwise listen
	// on the one address of the family that the NAT forwards to.
	Advertise []netip.Addr

	// MediaPath is which way packets take through this process: auto takes the fast one where there is one, on Linux.
	MediaPath transport.Path
	// Segmentation is whether runs of packets for one client go to the kernel in one piece: auto does so on kernels that can
	// be trusted with them.
	Segmentation transport.Switch

	// Pacing is whether what is sent follows what the client's network carries, for clients that report when packets arrive:
	// auto and on do so. Off is for measuring what it is worth.
	Pacing transport.Switch
	// MaxBitrate is the most that one client is ever sent, in bits per second, as far as that is known for it.
	MaxBitrate int // 30000000
	// Rebinding is whether media that comes from another address takes what we send along: auto and on do so. Off leaves it to
	// the client's checks, for measuring what it is worth.
	Rebinding transport.Switch

	MaxParticipants int           // 50; of one room, then ERR_ROOM_FULL
	MaxRooms        int           // 10000; then ERR_ROOM_FULL
	Pairs           int           // 4; receive pairs a participant has at first, where Join does not say
	MaxPairs        int           // MaxPairs; receive pairs a participant may be asked for, where Join does not say
	ConnectTimeout  time.Duration // 30s; from the first answer to media, or from failed ICE to an ICE restart
	ICEDisconnected time.Duration // 10s; without any packet, then the participant counts as disconnected
	ICEFailed       time.Duration // 25s; more without any packet, then ICE has failed
	KeyframeSpacing time.Duration // 500ms; between two keyframe requests to one publication
	Voices          int           // 3; microphones of one room that are forwarded, or all when there is at most one more
	HistoryPackets  int           // 512; of one publication, kept for retransmission

	DataRate  float64 // 30 data messages a second per participant
	DataBurst int     // 60

	Logger     *slog.Logger          // slog.Default()
	Registerer prometheus.Registerer // a registry of its own
}

// MaxPairs is the most receive pairs of one participant: with four publications and the data channel they need 61 of the 64
// m-lines of an SDP, and pools grow by four.
const MaxPairs = 28

// withDefaults returns the config with every zero replaced, or says which value cannot be.
func (c Config) withDefaults() (Config, error) {
	if len(c.UDP) == 0 {
		return c, errors.New("sfu: UDP must name at least one listen address")
	}
	orInt(&c.MaxParticipants, 50)
	orInt(&c.MaxRooms, 10000)
	orInt(&c.Pairs, 4)
	orInt(&c.MaxPairs, MaxPairs)
	orInt(&c.Voices, 3)
	orInt(&c.HistoryPackets, 512)
	orInt(&c.DataBurst, 60)
	orInt(&c.MaxBitrate, 30_000_000)
	if c.DataRate <= 0 {
		c.DataRate = 30
	}
	for _, d := range []struct {
		name string
		at   *time.Duration
		def  time.Duration
	}{
		{"ConnectTimeout", &c.ConnectTimeout, 30 * time.Second},
		{"ICEDisconnected", &c.ICEDisconnected, 10 * time.Second},
		{"ICEFailed", &c.ICEFailed, 25 * time.Second},
		{"KeyframeSpacing", &c.KeyframeSpacing, 500 * time.Millisecond},
	} {
		if *d.at < 0 {
			return c, fmt.Errorf("sfu: %s must not be negative, is %v", d.name, *d.at)
		}
		if *d.at == 0 {
			*d.at = d.def
		}
	}
	switch c.Pacing {
	case "", transport.Auto, transport.On, transport.Off:
	default:
		return c, fmt.Errorf("sfu: Pacing must be auto, on or off, is %q", c.Pacing)
	}
	if c.MaxPairs > MaxPairs {
		return c, fmt.Errorf("sfu: MaxPairs must be at most %d, is %d", MaxPairs, c.MaxPairs)
	}
	if c.Pairs > c.MaxPairs {
		return c, fmt.Errorf("sfu: Pairs (%d) must not be more than MaxPairs (%d)", c.Pairs, c.MaxPairs)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Registerer == nil {
		c.Registerer = prometheus.NewRegistry()
	}
	return c, nil
}

func orInt(n *int, def int) {
	if *n <= 0 {
		*n = def
	}
}
