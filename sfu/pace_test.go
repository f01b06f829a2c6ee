package sfu

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

// numbered collects the transport-wide numbers of what a client receives.
type numbered struct {
	interceptor.NoOp
	mu      sync.Mutex
	numbers []uint16
	streams map[uint32]bool
	without int
}

func (n *numbered) NewInterceptor(string) (interceptor.Interceptor, error) { return n, nil }

func (n *numbered) BindRemoteStream(info *interceptor.StreamInfo, r interceptor.RTPReader) interceptor.RTPReader {
	id := uint8(0)
	for _, e := range info.RTPHeaderExtensions {
		if e.URI == packet.URITransportCC {
			id = uint8(e.ID)
		}
	}
	return interceptor.RTPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		size, a, err := r.Read(b, a)
		var h rtp.Header
		if err != nil {
			return size, a, err
		}
		if _, bad := h.Unmarshal(b[:size]); bad == nil {
			n.note(&h, id)
		}
		return size, a, err
	})
}

func (n *numbered) note(h *rtp.Header, id uint8) {
	n.mu.Lock()
	defer n.mu.Unlock()
	v := h.GetExtension(id)
	if id == 0 || len(v) != 2 {
		n.without++
		return
	}
	n.numbers = append(n.numbers, uint16(v[0])<<8|uint16(v[1]))
	n.streams[h.SSRC] = true
}

// All that a client is sent carries numbers of one line, sound, picture and repetitions, and what it reports of them is heard.
func TestOneLineOfNumbersOverAllStreams(t *testing.T) {
	b := newBench(t, nil)
	registry := &interceptor.Registry{}
	seen := &numbered{streams: map[uint32]bool{}}
	registry.Add(seen)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true, reports: true, registry: registry})
	alice.play()
	for i := range 100 {
		p := bob.packet(0, true)
		bob.packet(0, false)
		if i%10 == 5 {
			must(t, bob.pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{
				MediaSSRC: p.SSRC, Nacks: []rtcp.NackPair{{PacketID: p.SequenceNumber}}}}))
		}
	}
	to := b.participant("room", "bob")
	eventually(t, func() bool {
		to.sending.Lock()
		defer to.sending.Unlock()
		return to.outgoing.pace != nil && to.outgoing.pace.estimate.State().Acknowledged > 0
	})
	eventually(t, func() bool { // each source has a reader of its own
		seen.mu.Lock()
		defer seen.mu.Unlock()
		slices.Sort(seen.numbers)
		for i := range 200 {
			if i >= len(seen.numbers) || int(seen.numbers[i]) != i {
				return false
			}
		}
		return true
	})
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if len(seen.streams) < 3 || seen.without > 0 {
		t.Errorf("%d streams are numbered, %d packets are not", len(seen.streams), seen.without)
	}
}

// Who has not agreed to report is neither numbered nor estimated.
func TestWithoutReportsNothingIsNumbered(t *testing.T) {
	b := newBench(t, nil)
	registry := &interceptor.Registry{}
	seen := &numbered{streams: map[uint32]bool{}}
	registry.Add(seen)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true, registry: registry})
	alice.play()
	for range 20 {
		bob.packet(0, true)
	}
	to := b.participant("room", "bob")
	to.sending.Lock()
	defer to.sending.Unlock()
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if to.outgoing.pace != nil || len(seen.numbers) > 0 {
		t.Errorf("%d packets are numbered", len(seen.numbers))
	}
}

// A packet that is repeated as it was has its first number; when that is forgotten it is not repeated, because it could not be the
// same.
func TestAnIdenticalRepetitionKeepsItsNumber(t *testing.T) {
	var g given
	if _, ok := g.find(0); ok {
		t.Error("a number of a packet that was never sent")
	}
	for s := range int64(3 * givenAudio) {
		g.put(s, 1000+s, false)
	}
	if n, ok := g.find(3*givenAudio - 1); !ok || n != 1000+3*givenAudio-1 {
		t.Errorf("the newest has number %d, %v", n, ok)
	}
	if _, ok := g.find(givenAudio); ok {
		t.Error("an old one is remembered as another")
	}
}

// A header extension id that our form of extensions has no room for is none, and so are numbers without reports.
func TestOnlyWhatCanBeWrittenIsAgreedOn(t *testing.T) {
	for _, c := range []struct {
		name    string
		id      uint8
		reports bool
		want    uint8
	}{{"agreed", 5, true, 5}, {"no reports", 5, false, 0}, {"long id", 15, true, 0}, {"no extension", 0, true, 0}} {
		l := &line{video: true}
		l.negotiated(&transport.Section{Extensions: packet.Extensions{TransportCC: c.id},
			Codecs: []transport.Codec{{PayloadType: 96, Codec: packet.VP8, TransportCC: c.reports}}})
		if got := l.agreed.Load().transport; got != c.want {
			t.Errorf("%s: id %d, want %d", c.name, got, c.want)
		}
	}
}

// Publishers' goroutines overtake each other, the estimator's time does not run backwards.
func TestTimeOfAPaceNeverRunsBackwards(t *testing.T) {
	now := time.Now()
	c := &pace{latest: now}
	if got := c.advance(now.Add(-time.Second)); got != now {
		t.Errorf("went back to %v", got.Sub(now))
	}
	if got := c.advance(now.Add(time.Second)); got != now.Add(time.Second) || c.latest != got {
		t.Errorf("stayed at %v", got.Sub(now))
	}
	var none *pace
	if got := none.advance(now); got != now {
		t.Error("there is a time without a pace")
	}
}
