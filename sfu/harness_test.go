package sfu

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/parleyrtc/parley/sfu/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

// bench is an SFU on loopback and the events it raised.
type bench struct {
	*SFU
	t        testing.TB
	registry *prometheus.Registry
	mu       sync.Mutex
	events   []Event
	more     chan struct{}
}

func newBench(t testing.TB, adjust func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, registry: prometheus.NewRegistry(), more: make(chan struct{}, 1)}
	config := Config{UDP: []string{"127.0.0.1:0"}, Registerer: b.registry, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		MediaPath: transport.Path(os.Getenv("PARLEY_TEST_MEDIA_PATH"))}
	if adjust != nil {
		adjust(&config)
	}
	s, err := New(config, b.note)
	if err != nil {
		t.Fatal(err)
	}
	b.SFU = s
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) note(e Event) {
	b.mu.Lock()
	b.events = append(b.events, e)
	b.mu.Unlock()
	select {
	case b.more <- struct{}{}:
	default:
	}
}

// await returns the first event, past or to come, that matches.
func (b *bench) await(what string, match func(Event) bool) Event {
	b.t.Helper()
	deadline := time.After(patience)
	for {
		if e, ok := b.seen(match); ok {
			return e
		}
		select {
		case <-b.more:
		case <-deadline:
			b.t.Fatalf("no %s; events: %+v", what, b.all())
		}
	}
}

func (b *bench) seen(match func(Event) bool) (Event, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.events {
		if match(e) {
			return e, true
		}
	}
	return Event{}, false
}

func (b *bench) all() []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Event(nil), b.events...)
}

func (b *bench) awaitKind(kind Kind, participant string) Event {
	b.t.Helper()
	return b.await(kind.String()+" of "+participant, func(e Event) bool { return e.Kind == kind && e.Participant == participant })
}

// client is a pion client written against the protocol page.
type client struct {
	b     *bench
	t     testing.TB
	room  string
	id    string
	pc    *webrtc.PeerConnection
	video *webrtc.TrackLocalStaticRTP
	audio *webrtc.TrackLocalStaticRTP

	offered  Offer
	deaf     bool // never takes an answer
	answer   func(string) string
	arrange  func([]OfferedSlot) []OfferedSlot
	stream   chan webrtc.TrackLocalWriter
	opened   chan struct{}
	channel  *webrtc.DataChannel
	channels int // made so far

	mu       sync.Mutex
	received map[string]chan *rtp.Packet // by mid
	messages chan string
	rtcp     chan rtcp.Packet // about what we send
	readers  sync.WaitGroup
	writers  sync.WaitGroup
	stop     chan struct{}
	once     sync.Once
}

type clientOptions struct {
	pairs     int
	open      bool
	codec     webrtc.RTPCodecCapability // of the video; VP8
	rids      []string                  // of the video's encodings, from the smallest; none: there is one
	registry  *interceptor.Registry
	engine    func(*webrtc.SettingEngine)
	media     *webrtc.MediaEngine
	silent    bool                // publishes nothing
	lazy      bool                // has no data channel before openChannel
	munge     func(string) string // of the offer
	answer    func(string) string // the answer as the client is to see it
	reports   bool                // tells when packets arrive, and has agreed to
	agrees    bool                // has agreed to, and does not
	transient bool                // the test closes it, and wants it forgotten
}

func vp8() webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
}

func newClient(b *bench, room, id string, o clientOptions) *client {
	b.t.Helper()
	c := build(b, room, id, o)
	must(b.t, b.Join(context.Background(), Join{Room: room, Participant: id, UID: id, Open: o.open, Pairs: o.pairs}))
	must(b.t, c.offer(false, o.munge))
	return c
}

// build makes the PeerConnection with its m-lines, in the order of the protocol.
func build(b *bench, room, id string, o clientOptions) *client {
	b.t.Helper()
	c := &client{b: b, t: b.t, room: room, id: id, answer: o.answer, received: map[string]chan *rtp.Packet{}, messages: make(chan string, 512),
		rtcp: make(chan rtcp.Packet, 1024), stop: make(chan struct{}), opened: make(chan struct{}), stream: make(chan webrtc.TrackLocalWriter, 1)}
	media := o.media
	if media == nil {
		media = &webrtc.MediaEngine{}
		must(b.t, media.RegisterDefaultCodecs())
		must(b.t, media.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: "urn:ietf:params:rtp-hdrext:sdes:mid"}, webrtc.RTPCodecTypeVideo))
		must(b.t, media.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: "urn:ietf:params:rtp-hdrext:sdes:mid"}, webrtc.RTPCodecTypeAudio))
		must(b.t, webrtc.ConfigureTWCCHeaderExtensionSender(media, &interceptor.Registry{}))
	}
	if o.registry == nil {
		o.registry = &interceptor.Registry{}
	}
	if o.reports {
		must(b.t, webrtc.ConfigureTWCCSender(media, o.registry))
	}
	if o.agrees {
		must(b.t, webrtc.ConfigureTWCCSender(media, &interceptor.Registry{}))
	}
	var engine webrtc.SettingEngine
	engine.SetIncludeLoopbackCandidate(true)
	engine.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	engine.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if o.engine != nil {
		o.engine(&engine)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(engine), webrtc.WithInterceptorRegistry(o.registry))
	pc, err := api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	must(b.t, err)
	c.pc = pc
	if !o.transient {
		b.t.Cleanup(c.close)
	}
	pc.OnTrack(c.read)
	if !o.silent {
		c.publish(o)
	}
	if o.pairs == 0 {
		o.pairs = 1
	}
	c.slots(o.pairs)
	if !o.lazy {
		c.createChannel()
	}
	return c
}

func (c *client) createChannel() {
	c.t.Helper()
	// Each has a number of its own: pion would reuse the last one's at once, while the other side may still be closing it.
	id := uint16(2 * c.channels)
	c.channels++
	var err error
	c.channel, err = c.pc.CreateDataChannel("parley", &webrtc.DataChannelInit{ID: &id})
	must(c.t, err)
	c.channel.OnOpen(func() { close(c.opened) })
	c.channel.OnMessage(func(m webrtc.DataChannelMessage) { c.messages <- string(m.Data) })
}

// openChannel opens the data channel by one more offer.
func (c *client) openChannel() {
	c.t.Helper()
	c.createChannel()
	must(c.t, c.offer(false, nil))
	<-c.opened
}

func (c *client) publish(o clientOptions) {
	c.t.Helper()
	codec := o.codec
	if codec.MimeType == "" {
		codec = vp8()
	}
	var err error
	c.audio, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "audio", "main")
	must(c.t, err)
	c.video, err = webrtc.NewTrackLocalStaticRTP(codec, "video", "main")
	must(c.t, err)
	for _, track := range []webrtc.TrackLocal{openTrack{c.audio, c.stream}, c.video} {
		if track == c.video && len(o.rids) > 0 {
			c.simulcast(codec, o.rids)
			continue
		}
		t, err := c.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		must(c.t, err)
		c.watch(t.Sender())
	}
	c.offered.Publications = []OfferedPublication{{MID: "0", Source: "microphone"}, {MID: "1", Source: "camera"}}
}

// watch collects the RTCP about one sender.
func (c *client) watch(sender *webrtc.RTPSender) {
	c.readers.Go(func() {
		for {
			packets, _, err := sender.ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range packets {
				select {
				case c.rtcp <- p:
				default:
				}
			}
		}
	})
}

// slots adds pairs of receive slots. Mids are counted from 0 in the order of creation, as pion does.
func (c *client) slots(pairs int) {
	for range pairs {
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			_, err := c.pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
			must(c.t, err)
		}
	}
}

// offer negotiates once.
func (c *client) offer(restart bool, munge func(string) string) error {
	c.t.Helper()
	offer, err := c.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	must(c.t, err)
	must(c.t, c.pc.SetLocalDescription(offer))
	c.offered.Room, c.offered.Participant, c.offered.SDP, c.offered.ICERestart = c.room, c.id, offer.SDP, restart
	if munge != nil {
		c.offered.SDP = munge(offer.SDP)
	}
	c.offered.Slots = nil
	for _, t := range c.pc.GetTransceivers() {
		if t.Direction() != webrtc.RTPTransceiverDirectionRecvonly {
			continue
		}
		if t.Kind() == webrtc.RTPCodecTypeAudio {
			c.offered.Slots = append(c.offered.Slots, OfferedSlot{Pair: len(c.offered.Slots), AudioMID: t.Mid()})
		} else {
			c.offered.Slots[len(c.offered.Slots)-1].VideoMID = t.Mid()
		}
		c.slot(t.Mid())
	}
	if c.arrange != nil {
		c.offered.Slots = c.arrange(c.offered.Slots)
	}
	answer, err := c.b.Offer(context.Background(), c.offered)
	if err != nil {
		return err
	}
	if c.deaf {
		return nil
	}
	if c.answer != nil {
		answer.SDP = c.answer(answer.SDP)
	}
	must(c.t, c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer.SDP}))
	return nil
}

// slot is what arrives on an m-line.
func (c *client) slot(mid string) chan *rtp.Packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.received[mid] == nil {
		c.received[mid] = make(chan *rtp.Packet, 4096)
	}
	return c.received[mid]
}

func (c *client) read(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	to := c.slot(receiver.RTPTransceiver().Mid())
	c.readers.Go(func() {
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			select {
			case to <- p:
			default:
			}
		}
	})
}

// packet is the next on the audio or video line of a pair.
func (c *client) packet(pair int, video bool) *rtp.Packet {
	c.t.Helper()
	mid := c.offered.Slots[pair].AudioMID
	if video {
		mid = c.offered.Slots[pair].VideoMID
	}
	select {
	case p := <-c.slot(mid):
		return p
	case <-time.After(patience):
		c.t.Fatalf("%s: nothing on pair %d, video %v; events %+v", c.id, pair, video, c.b.all())
		return nil
	}
}

// play publishes audio and video until the client is closed: every payload names its sender and its number.
func (c *client) play() {
	c.writers.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-c.stop:
				return
			case <-tick.C:
			}
			_ = c.audio.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: uint32(n * 480)},
				Payload: []byte(c.label(n))})
			_ = c.video.WriteRTP(c.picture(n))
		}
	})
}

func (c *client) label(n int) string { return fmt.Sprintf("%s/%d", c.id, n) }

// picture is one VP8 frame of one packet; every tenth is a keyframe.
func (c *client) picture(n int) *rtp.Packet {
	pid := uint16(n) & 0x7fff
	payload := []byte{0x90, 0x80, 0x80 | byte(pid>>8), byte(pid)} // X and S; I; 15 bits of picture id
	first := byte(1)
	if n%10 == 0 {
		first = 0
	}
	payload = append(payload, first)
	payload = append(payload, c.label(n)...)
	return &rtp.Packet{Header: rtp.Header{Version: 2, Marker: true, SequenceNumber: uint16(n), Timestamp: uint32(n * 900)}, Payload: payload}
}

// sent is who sent a packet, and which.
func sent(p *rtp.Packet, video bool) string {
	if video {
		return string(p.Payload[5:])
	}
	return string(p.Payload)
}

func (c *client) close() {
	c.once.Do(func() {
		close(c.stop)
		c.writers.Wait()
		if err := c.pc.GracefulClose(); err != nil {
			c.t.Error(err)
		}
		c.readers.Wait()
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// count is the value of a counter or gauge, with one label value where it has labels.
func (b *bench) count(name, label string) float64 {
	b.t.Helper()
	families, err := b.registry.Gather()
	must(b.t, err)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetValue() == label {
					return m.GetCounter().GetValue()
				}
			}
			if label == "" {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	b.t.Fatalf("no metric %s %s", name, label)
	return 0
}

// openTrack is a track whose stream takes packets under any header.
type openTrack struct {
	*webrtc.TrackLocalStaticRTP
	stream chan webrtc.TrackLocalWriter
}

// Bind copies what pion writes to.
func (t openTrack) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	select {
	case t.stream <- c.WriteStream():
	default:
	}
	return t.TrackLocalStaticRTP.Bind(c)
}

func itoa(n int) string { return strconv.Itoa(n) }

func addresses(t testing.TB, list ...string) []netip.Addr {
	t.Helper()
	var out []netip.Addr
	for _, s := range list {
		a, err := netip.ParseAddr(s)
		must(t, err)
		out = append(out, a)
	}
	return out
}

// longCycles is the number of cycles: PARLEY_CYCLES for the long test, else few.
func longCycles(few int) int {
	if n, err := strconv.Atoi(os.Getenv("PARLEY_CYCLES")); err == nil {
		return n
	}
	return few
}

// message is the next data message.
func (c *client) message() string {
	c.t.Helper()
	select {
	case m := <-c.messages:
		return m
	case <-time.After(patience):
		c.t.Fatal("no message")
		return ""
	}
}
