package sfu

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"golang.org/x/time/rate"

	"github.com/parleyrtc/parley/sfu/bwe"
	"github.com/parleyrtc/parley/sfu/pacer"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

// ledger is a client's socket that remembers every RTP packet by its source and its extended number (RFC 3711 §3.3.1), and
// complains about another one under the same.
type ledger struct {
	net.PacketConn

	mu        sync.Mutex
	highest   map[uint32]int64    // by source
	sum       map[[2]int64][]byte // what tells packets apart, by source and number
	same      int
	different int
	opened    uint32 // the source of which some packets pass
	passed    int
}

func newLedger(t testing.TB) *ledger {
	t.Helper()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	_ = socket.SetReadBuffer(4 << 20)
	return &ledger{PacketConn: socket, highest: map[uint32]int64{}, sum: map[[2]int64][]byte{}}
}

// ReadFrom looks at what comes, and keeps most of it from pion, which would be slower than the test. Those few packets that it
// lets pass are decrypted by the client, so the roll-over counter that they were sealed with must be right.
func (l *ledger) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := l.PacketConn.ReadFrom(b)
		if err != nil || n <= 12 || b[0]>>6 != 2 || b[1] >= 192 && b[1] <= 223 {
			return n, from, err
		}
		if l.note(b[:n]) {
			return n, from, err
		}
	}
}

// note says whether the packet may pass.
func (l *ledger) note(b []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ssrc := binary.BigEndian.Uint32(b[8:])
	index := int64(binary.BigEndian.Uint16(b[2:]))
	if highest, ok := l.highest[ssrc]; ok {
		index = highest + int64(int16(uint16(index)-uint16(highest)))
	}
	l.highest[ssrc] = max(l.highest[ssrc], index)
	key := [2]int64{int64(ssrc), index}
	switch before := l.sum[key]; {
	case before == nil:
		l.sum[key] = append(bytes.Clone(b[:12]), b[tail(b):]...)
		if ssrc == l.opened && index%500 == 0 {
			l.passed++
			return true
		}
	case bytes.Equal(before[:12], b[:12]) && bytes.Equal(before[12:], b[tail(b):]):
		l.same++
	default:
		l.different++
	}
	return false
}

// tail is where the last 32 bytes of a packet begin, the tag among them: two packets that are the same there and in their header are
// the same.
func tail(b []byte) int { return max(12, len(b)-32) }

// reached says that a source has come to a number, or is not to be heard at all.
func (l *ledger) reached(ssrc uint32, number int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	highest, ok := l.highest[ssrc]
	return !ok || highest == number
}

// passing is how many packets have passed.
func (l *ledger) passing() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.passed
}

func (l *ledger) counts() (packets, same, different int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sum), l.same, l.different
}

// lap is one client's way through a long call: its publisher's packets are handed in as if its worker had opened them.
type lap struct {
	*bench
	publisher  *participant
	ledger     *ledger
	bob        *client
	out        *transport.Batch
	rng        *rand.Rand
	sequence   [2]uint16 // of the next packet, of audio and video
	ssrc       uint32
	payload    [2]uint8 // types
	agreements int
	choked     bool
}

func newLap(t testing.TB, repairs bool) *lap {
	t.Helper()
	onlyFast(t)
	b := newBench(t, func(c *Config) { c.MediaPath = transport.FastPath })
	l := &lap{bench: b, ledger: newLedger(t), out: b.plane.Batch(), rng: rand.New(rand.NewPCG(16, 16)), ssrc: 1000,
		sequence: [2]uint16{1000, 1000}}
	t.Cleanup(func() { b.plane.Recycle(l.out) })
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: l.ledger})
	t.Cleanup(func() { _ = mux.Close() })
	newClient(b, "room", "alice", clientOptions{open: true})
	options := clientOptions{open: true, silent: true, pairs: 1, agrees: true, engine: func(s *webrtc.SettingEngine) { s.SetICEUDPMux(mux) }}
	if !repairs {
		options.media = withoutRTX(t)
	}
	l.bob = newClient(b, "room", "bob", options)
	b.awaitKind(Connected, "alice")
	b.awaitKind(Connected, "bob")
	<-l.bob.opened // it can decrypt, too
	l.publisher = b.participant("room", "alice")
	in := &l.publisher.incoming
	in.mu.Lock()
	for _, c := range in.codecs {
		switch {
		case c.Codec == packet.Opus:
			l.payload[0] = c.PayloadType
		case c.Codec == packet.VP8 && !c.Repair:
			l.payload[1] = c.PayloadType
		}
	}
	in.ids.AudioLevel = 5
	in.mu.Unlock()
	l.restart()
	eventually(t, func() bool {
		return b.participant("room", "bob").live.Load() && len(*b.participant("room", "bob").lines.Load()) == 2
	})
	l.ledger.mu.Lock()
	defer l.ledger.mu.Unlock()
	for ssrc, line := range *b.participant("room", "bob").lines.Load() {
		if line.video {
			l.ledger.opened = ssrc
		}
	}
	return l
}

// restart gives the publications other sources, as when a client takes its camera anew. Their numbers begin a little before
// where the last ones ended, so that there are two packets of each.
func (l *lap) restart() {
	l.ssrc += 10
	l.sequence = [2]uint16{l.sequence[0] - 20, l.sequence[1] - 20}
	in := &l.publisher.incoming
	in.mu.Lock()
	for i, pub := range in.publications {
		in.sources[l.ssrc+uint32(i)] = pub.encodings[0]
		pub.encodings[0].heard = time.Time{} // silent for long
	}
	in.mu.Unlock()
}

// frame sends one frame of audio and some packets of video, out of which some come late, twice or never.
func (l *lap) frame(number int) {
	var batch []transport.Datagram
	now := time.Now()
	add := func(video bool, first byte, size int, marker bool) {
		kind := 0
		if video {
			kind = 1
		}
		b := make([]byte, 12, 200)
		b[0], b[1] = 0x80, l.payload[kind]
		if marker {
			b[1] |= 0x80
		}
		binary.BigEndian.PutUint16(b[2:], l.sequence[kind])
		binary.BigEndian.PutUint32(b[4:], uint32(number)*960)
		binary.BigEndian.PutUint32(b[8:], l.ssrc+uint32(kind))
		if !video {
			b[0] |= 0x10
			b = append(b, 0xbe, 0xde, 0, 1, 0x50, byte(l.rng.Uint32()), 0, 0) // its level, by extension 5
		}
		if video {
			b = append(b, 0x90, 0x80, 0x80|byte(number>>8), byte(number), first)
		}
		for range size {
			b = append(b, byte(l.rng.Uint32()))
		}
		l.sequence[kind]++
		batch = append(batch, transport.Datagram{Arrived: now, Data: b, Spare: 16})
	}
	add(false, 0, 10+l.rng.IntN(20), true)
	first := byte(1)
	if number%20 == 0 {
		first = 0
	}
	size := 10 + l.rng.IntN(20)
	for i := range 9 {
		add(true, first, size+i/5, i == 8)
		first = 1
	}
	switch i := 1 + l.rng.IntN(len(batch)-2); l.rng.IntN(8) {
	case 0:
		batch[i], batch[i+1] = batch[i+1], batch[i]
	case 1:
		batch = append(batch[:i], batch[i+1:]...)
	case 2:
		batch = append(batch, batch[i])
	}
	bob := l.participant("room", "bob")
	bob.sending.Lock()
	if c := bob.outgoing.pace; c != nil {
		c.deaf, c.most = true, 20_000_000 // its client hears too little to report anything; some of it waits
		if l.choked {
			c.most = 1000
		}
		c.follow(now)
		if number%100 == 0 {
			c.queue.Probe(now, bwe.Probe{Cluster: 1, Rate: c.most, Bytes: 4000, Packets: 5})
		}
	}
	bob.sending.Unlock()
	l.publisher.Packets(now, batch, l.out)
	l.out.Flush()
}

// giveUp drops all pictures that wait, as when they have waited for too long, and returns how many.
func (l *lap) giveUp() int {
	bob := l.participant("room", "bob")
	bob.sending.Lock()
	defer bob.sending.Unlock()
	c := bob.outgoing.pace
	if c == nil {
		return 0
	}
	now := c.advance(time.Now())
	c.queue.Remove(now, func(_ waiter, class pacer.Class) bool { return class == pacer.Video })
	var t tally
	bob.outgoing.settle(now, &t)
	return t.dropped[dropCongestion]
}

// ask has the subscriber ask for what it has just received, all of it.
func (l *lap) ask() {
	bob := l.participant("room", "bob")
	for ssrc, line := range *bob.lines.Load() {
		bob.sending.Lock()
		highest, _ := line.numbers.Highest()
		bob.outgoing.repeats.SetLimit(rate.Inf)
		bob.sending.Unlock()
		bob.RTCP(time.Now(), []rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: ssrc,
			Nacks: []rtcp.NackPair{{PacketID: uint16(highest - 33), LostPackets: 0xffff}, {PacketID: uint16(highest - 16), LostPackets: 0xffff}}}}, l.out)
	}
	l.out.Flush()
}

// through says that all that was sent has come.
func (l *lap) through() bool {
	bob := l.participant("room", "bob")
	bob.sending.Lock()
	defer bob.sending.Unlock()
	for ssrc, line := range *bob.lines.Load() {
		highest, _ := line.numbers.Highest()
		if !l.ledger.reached(ssrc, highest) || !l.ledger.reached(line.stream.RTX, line.repairs) {
			return false
		}
	}
	return true
}

// agree has the subscriber negotiate anew, with other payload types and another header extension than the last time.
func (l *lap) agree(restart bool) {
	l.agreements++
	types := regexp.MustCompile(`(?m)^(m=(?:audio|video) .*|a=(?:rtpmap|fmtp|rtcp-fb):.*)$`)
	swap := func(sdp string, pairs ...string) string {
		return types.ReplaceAllStringFunc(sdp, func(line string) string { return strings.NewReplacer(pairs...).Replace(line) })
	}
	level := "a=extmap:" + itoa(5+l.agreements%3) + " " + packet.URIAudioLevel + "\r\n"
	l.bob.answer = func(sdp string) string {
		sdp = strings.ReplaceAll(sdp, level, "")
		if l.agreements%2 == 1 {
			sdp = swap(sdp, "122", "120", "123", "121")
		}
		return sdp
	}
	must(l.t, l.bob.offer(restart, func(sdp string) string {
		if l.agreements%2 == 1 {
			sdp = swap(sdp, "120", "122", "121", "123")
		}
		return strings.ReplaceAll(sdp, "a=rtcp-mux\r\n", "a=rtcp-mux\r\n"+level)
	}))
	eventually(l.t, func() bool { return l.bob.pc.ICEConnectionState() == webrtc.ICEConnectionStateConnected }) // pion hears nothing before
}

// A call is so long that the numbers of a line wrap, the publisher's sources change on the way, the agreement does, ICE
// restarts, and pictures that wait are given up up to the next key frame; what comes is repeated, with RTX and without. No two different packets have the same number, and what is repeated
// without RTX is the same to the bit.
func TestNumbersAreUsedOnceInALongCall(t *testing.T) {
	for _, repairs := range []bool{false, true} {
		t.Run("RTX "+strconv.FormatBool(repairs), func(t *testing.T) {
			l := newLap(t, repairs)
			const frames = 8500 // of nine packets of video
			given := 0
			for i := range frames {
				if i%1500 == 700 {
					l.restart()
				}
				if i%1500 == 1200 {
					l.agree(i > frames/2)
				}
				switch i % 200 {
				case 141:
					l.choked = true // all waits
				case 146:
					l.choked = false
					given += l.giveUp() // and the next key frame comes fourteen frames later
				}
				l.frame(i)
				switch lap := i % 1500; {
				case lap >= 690 && lap < 700: // so that the last source's can be asked for when the next is there
				case i%4 == 3, lap == 1200, lap == 700: // and at once what was sent by the last agreement
					l.ask()
				}
				if i%20 == 19 && i%200 != 159 { // or the socket would be full
					eventually(t, l.through)
				}
			}
			eventually(t, l.through)
			opened := l.bob.slot(l.bob.offered.Slots[0].VideoMID)
			for deadline := time.Now().Add(patience); len(opened) < l.ledger.passing(); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("of %d packets, %d can be opened", l.ledger.passing(), len(opened))
				}
			}
			packets, same, different := l.ledger.counts()
			l.ledger.mu.Lock()
			defer l.ledger.mu.Unlock()
			longest := int64(0)
			for _, highest := range l.ledger.highest {
				longest = max(longest, highest)
			}
			t.Logf("%d packets of %d sources, up to number %d; %d came again, %d were opened", packets, len(l.ledger.highest), longest, same, l.ledger.passed)
			switch {
			case different > 0:
				t.Errorf("of %d packets, %d have the number of another", packets, different)
			case longest < 1<<16+100:
				t.Errorf("the longest stream came to %d", longest)
			case given < 1000:
				t.Errorf("only %d packets were given up", given)
			case l.ledger.passed < 100:
				t.Errorf("only %d packets were opened", l.ledger.passed)
			case same < 1000:
				t.Errorf("only %d packets were repeated as they were", same)
			case len(l.ledger.highest) < 3 && repairs:
				t.Error("nothing was repeated by RTX")
			}
		})
	}
}
