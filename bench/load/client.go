package load

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/floor"
	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

// Publication is one track that a client sends.
type Publication struct {
	Source  uint32 // names it in every payload; each has its own
	Pattern Pattern
	Phase   time.Duration // its frames are due so long after the multiples of the interval
}

// ClientConfig says what a client sends and gets.
type ClientConfig struct {
	Local        netip.Addr // it takes a free port of this address
	Publications []Publication
	Receives     bool
	Sampled      bool // it opens what it gets, checks it and measures how long it took; the others count
}

// Client is one participant: whatever it sends and gets goes over one port and one PeerConnection, as in a browser. Its
// methods may be called from any goroutine.
type Client struct {
	// set at construction
	engine     *Engine
	port       *port
	publishers []*publisher
	subscriber *subscriber // nil: it only sends

	// set by Join
	session *client.Session
}

// NewClient makes a client. It sends nothing before Engine.Route.
func (e *Engine) NewClient(cfg ClientConfig) (*Client, error) {
	for _, p := range cfg.Publications {
		if err := p.Pattern.check(); err != nil {
			return nil, err
		}
	}
	port, err := e.open(cfg.Local, cfg.Receives)
	if err != nil {
		return nil, err
	}
	c := &Client{engine: e, port: port}
	for _, p := range cfg.Publications {
		c.publishers = append(c.publishers, newPublisher(e, port, p))
	}
	if cfg.Receives {
		if c.subscriber, err = newSubscriber(e, port, cfg.Sampled); err != nil {
			return nil, errors.Join(err, e.do(func() { e.shut(port) }))
		}
	}
	return c, e.do(func() { e.admit(c) })
}

// Addr is the client's socket.
func (c *Client) Addr() netip.AddrPort { return c.port.socket.Local() }

// Join joins a call and returns once the connection is up.
func (c *Client) Join(ctx context.Context, signaling *client.Client, cfg JoinConfig) error {
	session := client.SessionConfig{Pairs: -1}
	if c.subscriber != nil {
		session.Pairs = max(cfg.Pairs, 1)
	}
	for _, p := range c.publishers {
		session.Tracks = append(session.Tracks, p.local())
	}
	var feedback uint8
	outer := cfg.Answer
	cfg.Answer = func(sdp string) string {
		feedback = extensionID(sdp, uriTransportCC)
		if outer != nil {
			sdp = outer(sdp)
		}
		return sdp
	}
	s, err := c.port.join(ctx, signaling, cfg, session)
	if err != nil {
		return err
	}
	c.session = s
	for _, p := range c.publishers {
		if p.track.agreed.Load() == nil {
			s.Close()
			return errors.New("the server does not take the track")
		}
	}
	return c.engine.do(func() {
		for _, p := range c.publishers {
			p.agree(*p.track.agreed.Load())
		}
		if c.subscriber != nil {
			c.subscriber.transportCC = feedback
		}
	})
}

// Receivers says to how many others everything that the client sends has to go, from now on.
func (c *Client) Receivers(n int) error {
	return c.engine.do(func() {
		for _, p := range c.publishers {
			p.receivers = uint64(n)
		}
	})
}

// Leave says goodbye to the server and ends the client.
func (c *Client) Leave(ctx context.Context) error {
	err := c.session.Leave(ctx)
	c.Close()
	return err
}

// Close ends the client without a word, as a killed process does.
func (c *Client) Close() {
	if c.session != nil {
		c.session.Close()
	}
	_ = c.engine.do(func() { c.engine.dismiss(c) }) // a closed engine has closed the port
}

// Floor prepares the client for a floor and returns what the floor must know of it. What it sends goes to everybody who
// gets the floor's room to; it gets what goes to the room from. A client that only sends has no subscriber.
func (c *Client) Floor(to, from int) ([]floor.Publisher, *floor.Subscriber, error) {
	var out []floor.Publisher
	for _, p := range c.publishers {
		known, err := p.forFloor(to)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, known)
	}
	if c.subscriber == nil {
		return out, nil, nil
	}
	return out, &floor.Subscriber{Addr: c.Addr(), Room: from, Key: c.subscriber.floorKey}, nil
}

// take sorts one datagram of media: RTP and RTCP share the port (RFC 5761 §4).
func (c *Client) take(b []byte, m *datagram.Message, route Route) {
	if len(b) < 12 {
		return
	}
	if b[1] >= 192 && b[1] <= 223 {
		c.rtcp(b, m.At)
		return
	}
	if c.subscriber != nil { // nobody sends media to others
		c.subscriber.rtp(b, route, m.At)
	}
}

// rtcp takes what the server reports and asks for.
func (c *Client) rtcp(b []byte, at int64) {
	if !c.port.ready() {
		return
	}
	plain, err := c.port.in.DecryptRTCP(c.engine.plain[:0], b, nil)
	if err != nil {
		c.port.errors++
		return
	}
	packets, err := rtcp.Unmarshal(plain)
	if err != nil {
		c.port.errors++
		return
	}
	if c.subscriber != nil {
		c.subscriber.controls++
	}
	for _, packet := range packets {
		switch packet := packet.(type) {
		case *rtcp.SenderReport:
			if c.subscriber != nil {
				c.subscriber.senderReport(packet, at)
			}
		case *rtcp.PictureLossIndication:
			c.askKeyframe(packet.MediaSSRC)
		case *rtcp.FullIntraRequest:
			for _, entry := range packet.FIR {
				c.askKeyframe(entry.SSRC)
			}
		}
	}
}

func (c *Client) askKeyframe(ssrc uint32) {
	for _, p := range c.publishers {
		if p.streams[Server].header.SSRC == ssrc && !p.pattern.Audio {
			p.wanted = true
			p.asked++
		}
	}
}
