package load

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	mathrand "math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtp"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/floor"
)

// Tally is what subscribers have received.
type Tally struct {
	Packets  uint64 // of media, each counted once
	Bytes    uint64 // of those, as UDP payload
	Expected uint64 // by the sequence numbers, from the first packet of a stream to its highest
	Repeated uint64 // packets that came again
	Repairs  uint64 // RTX packets
	Checked  uint64 // packets of the sample that were opened and found good
	Corrupt  uint64 // packets of the sample that did not open, or opened to other bytes than were sent
	Streams  int    // that carry media
}

// Add sums.
func (t Tally) Add(o Tally) Tally {
	t.Packets += o.Packets
	t.Bytes += o.Bytes
	t.Expected += o.Expected
	t.Repeated += o.Repeated
	t.Repairs += o.Repairs
	t.Checked += o.Checked
	t.Corrupt += o.Corrupt
	t.Streams += o.Streams
	return t
}

// Subscriber is a light client that counts what it gets. Its methods may be called from any goroutine.
type Subscriber struct {
	// set at construction
	FloorKey []byte // material of floor.NewCipher
	engine   *Engine
	port     *port
	sampled  bool
	sender   uint32 // SSRC of what we report
	first    chan struct{}
	firstOne sync.Once

	// set by Join
	session *client.Session

	// owned by the engine's thread
	received    [routes]received
	floorFrom   netip.AddrPort
	floorCipher *floor.Cipher
	opened      rtp.Header
	transportCC uint8 // extension id
	arrivals    *twcc.Recorder
	reportAt    time.Duration
	feedbackAt  time.Duration
	controls    uint64 // RTCP packets that came
}

// received is what came on one route.
type received struct {
	flows map[uint32]*flow
	tally Tally // its Expected and Streams are counted on demand
}

// NewSubscriber makes a subscriber on a free port of an address. A sampled one opens and checks what it gets.
func (e *Engine) NewSubscriber(local netip.Addr, sampled bool) (*Subscriber, error) {
	port, err := e.open(local, sampled)
	if err != nil {
		return nil, err
	}
	s := &Subscriber{
		engine: e, port: port, sampled: sampled, sender: mathrand.Uint32(), first: make(chan struct{}),
		FloorKey: make([]byte, floor.KeySize+floor.SaltSize),
	}
	_, _ = rand.Read(s.FloorKey) // never fails
	if s.floorCipher, err = floor.NewCipher(s.FloorKey); err != nil {
		return nil, err
	}
	for i := range s.received {
		s.received[i].flows = map[uint32]*flow{}
	}
	s.arrivals = twcc.NewRecorder(s.sender)
	err = e.do(func() {
		port.taker = s
		e.subscribers = append(e.subscribers, s)
	})
	return s, err
}

// Join joins a call with receive slots only and returns once the connection is up.
func (s *Subscriber) Join(ctx context.Context, c *client.Client, cfg JoinConfig) error {
	var id uint8
	outer := cfg.Answer
	cfg.Answer = func(sdp string) string {
		id = extensionID(sdp, uriTransportCC)
		if outer != nil {
			sdp = outer(sdp)
		}
		return sdp
	}
	session, err := s.port.join(ctx, c, cfg, client.SessionConfig{Pairs: max(cfg.Pairs, 1)})
	if err != nil {
		return err
	}
	s.session = session
	return s.engine.do(func() { s.transportCC = id })
}

// Addr is the socket that receives.
func (s *Subscriber) Addr() netip.AddrPort { return s.port.socket.Local() }

// AddPairs grows the pool of receive slots, as session.slotsNeeded asks for.
func (s *Subscriber) AddPairs(ctx context.Context, n int) error { return s.session.AddPairs(ctx, n) }

// FirstPacket is closed when the first packet of media has come from the server.
func (s *Subscriber) FirstPacket() <-chan struct{} { return s.first }

// Tally says what has come on a route.
func (s *Subscriber) Tally(r Route) (Tally, error) {
	var t Tally
	err := s.engine.do(func() { t = s.count(r) })
	return t, err
}

func (s *Subscriber) count(r Route) Tally {
	t := s.received[r].tally
	for _, f := range s.received[r].flows {
		t.Packets += f.received
		t.Expected += f.expected()
		t.Repeated += f.repeated
	}
	t.Streams = len(s.received[r].flows)
	return t
}

// Leave says goodbye to the server and ends the subscriber.
func (s *Subscriber) Leave(ctx context.Context) error {
	err := s.session.Leave(ctx)
	s.Close()
	return err
}

// Close ends the subscriber without a word, as a killed process does.
func (s *Subscriber) Close() {
	if s.session != nil {
		s.session.Close()
	}
	_ = s.engine.do(func() { s.engine.removeSubscriber(s) }) // a closed engine has closed the port
}

// rtp counts one packet, and checks it when this subscriber is of the sample.
func (s *Subscriber) rtp(b []byte, from netip.AddrPort, at int64) {
	route := Server
	if from == s.floorFrom {
		route = Floor
	}
	r := &s.received[route]
	if b[1]&0x7f == rtxType {
		r.tally.Repairs++
		return
	}
	ssrc := binary.BigEndian.Uint32(b[8:])
	f := r.flows[ssrc]
	if f == nil {
		f = &flow{ssrc: ssrc}
		r.flows[ssrc] = f
		if route == Server {
			s.firstOne.Do(func() { close(s.first) })
		}
	}
	repeated := f.count(binary.BigEndian.Uint16(b[2:]))
	rate := 90000
	if b[1]&0x7f == opusType {
		rate = 48000
	}
	if !repeated {
		r.tally.Bytes += uint64(len(b))
		f.jitter.add(at, binary.BigEndian.Uint32(b[4:]), rate)
	}
	if route == Server && s.transportCC != 0 && b[0]&0x10 != 0 {
		s.arrived(b, ssrc, at)
	}
	if s.sampled && !repeated {
		s.check(r, route, b, at)
	}
}

// check opens a packet, reads its stamp and records how long it took.
func (s *Subscriber) check(r *received, route Route, b []byte, at int64) {
	payload, prefix, ok := s.open(route, b)
	if !ok {
		r.tally.Corrupt++
		return
	}
	if len(payload) == 0 {
		return // padding, which a server sends to probe a path
	}
	st, err := readStamp(payload, prefix)
	if err != nil {
		r.tally.Corrupt++
		return
	}
	r.tally.Checked++
	latency := max(at-st.sentAt, 0) / 1000
	_ = s.engine.latency[route].RecordValue(min(latency, longestLatency))
}

// open decrypts a packet and returns its payload without padding, and where the stamp starts.
func (s *Subscriber) open(route Route, b []byte) (payload []byte, prefix int, ok bool) {
	prefix = videoPrefix
	if b[1]&0x7f == opusType {
		prefix = audioPrefix
	}
	if route == Floor {
		_, payload, err := s.floorCipher.Open(b)
		return payload, prefix, err == nil
	}
	if !s.port.ready() {
		return nil, 0, false
	}
	plain, err := s.port.in.DecryptRTP(s.engine.plain[:0], b, &s.opened)
	if err != nil {
		return nil, 0, false
	}
	payload = plain[floor.HeaderLen(plain):]
	if s.opened.Padding && len(payload) > 0 {
		payload = payload[:max(0, len(payload)-int(payload[len(payload)-1]))]
	}
	return payload, prefix, true
}
