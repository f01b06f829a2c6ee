package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/pion/ice/v4"
	"github.com/pion/turn/v5"
)

// turnLine is one client of the TURN server with its allocation.
type turnLine struct {
	conn   net.PacketConn
	client *turn.Client
	relay  net.PacketConn // nil before the allocation
}

// dialTurn connects the n-th client.
func dialTurn(ctx context.Context, t Target, way turnWay, n int) (net.PacketConn, error) {
	switch way.transport {
	case "udp":
		return net.ListenPacket("udp4", net.JoinHostPort(neighbourhood(way.host, n), "0"))
	case "tcp":
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", way.address)
		if err != nil {
			return nil, err
		}
		return turn.NewSTUNConn(conn), nil
	}
	d := tls.Dialer{Config: t.turnTLS(way.host)}
	conn, err := d.DialContext(ctx, "tcp", way.address)
	if err != nil {
		return nil, err
	}
	return turn.NewSTUNConn(conn), nil
}

// neighbourhood is the address the n-th client sends from: on loopback each has a /24 of its own, because the server answers
// few strangers from one (their address may be forged), and many clients on one machine would measure that limit only.
func neighbourhood(host string, n int) string {
	addr, err := netip.ParseAddr(host)
	if err != nil || !addr.Is4() || !addr.IsLoopback() {
		return ""
	}
	return fmt.Sprintf("127.%d.%d.1", 1+n/256%250, n%256)
}

// allocate connects the n-th client and allocates a relay address. What it returns is to be closed even when it fails.
func allocate(ctx context.Context, t Target, way turnWay, n int) (*turnLine, error) {
	line := &turnLine{}
	var err error
	if line.conn, err = dialTurn(ctx, t, way, n); err != nil {
		return line, err
	}
	line.client, err = turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: way.address, STUNServerAddr: way.address, Conn: line.conn, LoggerFactory: silentPion(),
		Username: way.username, Password: way.password, Software: "parley-bench",
		RequestedAddressFamily: turn.RequestedAddressFamilyIPv4, // the peer is an IPv4 address
	})
	if err != nil {
		return line, err
	}
	if err := line.client.Listen(); err != nil {
		return line, err
	}
	line.relay, err = line.client.AllocateWithContext(ctx)
	if err != nil {
		return line, fmt.Errorf("allocate: %w", err)
	}
	return line, nil
}

// allocateAll makes the clients that relay, with a permission for the peer. It returns those it made also when it fails.
func allocateAll(ctx context.Context, t Target, way turnWay, clients int, peer net.Addr) ([]*turnLine, error) {
	lines := make([]*turnLine, clients)
	failures := make([]error, clients)
	var all sync.WaitGroup
	for i := range lines {
		all.Go(func() {
			if lines[i], failures[i] = allocate(ctx, t, way, i); failures[i] == nil {
				failures[i] = lines[i].client.CreatePermission(peer)
			}
		})
	}
	all.Wait()
	return lines, errors.Join(failures...)
}

// send sends packets to the peer at a steady rate until the context ends. A packet that could not leave when it was due leaves
// as soon as it can; how late is recorded.
func (l *turnLine) send(ctx context.Context, perSecond float64, size int, peer net.Addr) (sent int, late *hdrhistogram.Histogram, err error) {
	late = newLatencies()
	payload := make([]byte, size)
	payload[0] = 0x80 // the version of RTP, so that the media port takes it for media
	tick := time.NewTicker(burst)
	defer tick.Stop()
	began := time.Now()
	for {
		for due := int(time.Since(began).Seconds() * perSecond); sent < due; sent++ {
			if _, err := l.relay.WriteTo(payload, peer); err != nil {
				return sent, late, err
			}
			record(late, time.Since(began)-time.Duration(float64(sent+1)/perSecond*float64(time.Second)))
			if ctx.Err() != nil {
				return sent + 1, late, nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return sent, late, nil
		}
	}
}

func (l *turnLine) close() {
	if l == nil {
		return
	}
	if l.relay != nil {
		_ = l.relay.Close() // tells the server; that it may be gone is no concern here
	}
	if l.client != nil {
		l.client.Close()
	}
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

// mediaAddress is where the server takes media over UDP, as it says itself in the answer to an offer.
func (t Target) mediaAddress(ctx context.Context) (*net.UDPAddr, error) {
	users, err := t.names(2)
	if err != nil {
		return nil, err
	}
	pair, err := openPair(ctx, t, users[0], users[1])
	defer pair.close()
	if err != nil {
		return nil, err
	}
	call, err := pair.caller.Initiate(ctx, pair.callee.uid, "user", "audio")
	if err != nil {
		return nil, err
	}
	defer pair.hangUp(call.SessionID)
	side, err := joinTalking(ctx, pair.caller.Client, call.SessionID)
	if err != nil {
		return nil, err
	}
	defer side.close()
	return firstUDP(side.session.PC.RemoteDescription().SDP)
}

// firstUDP finds the first IPv4 UDP candidate of an SDP.
func firstUDP(sdp string) (*net.UDPAddr, error) {
	for line := range strings.Lines(sdp) {
		raw, found := strings.CutPrefix(strings.TrimSpace(line), "a=candidate:")
		if !found {
			continue
		}
		candidate, err := ice.UnmarshalCandidate(raw)
		if err != nil || !candidate.NetworkType().IsUDP() || !candidate.NetworkType().IsIPv4() {
			continue
		}
		return net.ResolveUDPAddr("udp4", net.JoinHostPort(candidate.Address(), strconv.Itoa(candidate.Port())))
	}
	return nil, errors.New("the server's answer has no IPv4 candidate for UDP")
}
