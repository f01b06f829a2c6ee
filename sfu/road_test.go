package sfu

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

// road takes a publisher's packets to one subscriber, up to where they would be sealed, and keeps what was made of them.
type road struct {
	t    testing.TB
	fan  *fan
	s    *subscription
	line *line
	ids  packet.Extensions
	sent []made
}

// made is one packet as it leaves, and where it came from.
type made struct {
	out      transport.Outgoing
	source   munge.Source
	sequence int64
}

func newRoad(t testing.TB, described bool) *road {
	t.Helper()
	f := newFan(t, 1)
	r := &road{t: t, fan: f, s: f.subscriptions[0], line: f.subscriptions[0].line, ids: packet.Extensions{Dependency: 11}}
	r.line.to.still.Store(true)
	in := &f.publisher.incoming
	in.mu.Lock()
	in.ids.Dependency = r.ids.Dependency
	for pt, c := range map[uint8]packet.Codec{45: packet.AV1, 98: packet.VP9, 99: packet.VP8} {
		in.codecs[pt] = transport.Codec{PayloadType: pt, Codec: c, NACK: true}
	}
	in.mu.Unlock()
	a := *r.line.agreed.Load()
	a.codecs[packet.AV1] = transport.Codec{PayloadType: 46, Codec: packet.AV1}
	a.codecs[packet.VP9] = transport.Codec{PayloadType: 97, Codec: packet.VP9}
	a.codecs[packet.VP8] = transport.Codec{PayloadType: 100, Codec: packet.VP8}
	a.dependency, a.transport = 0, 0
	if described {
		a.dependency = 12
	}
	r.line.agreed.Store(&a)
	return r
}

// take takes a run of packets, and returns how many were forwarded.
func (r *road) take(packets ...[]byte) (forwardedPackets int) {
	r.t.Helper()
	var batch []transport.Datagram
	for _, b := range packets {
		batch = append(batch, transport.Datagram{Arrived: r.fan.now, Data: b})
	}
	run, to := &r.fan.publisher.run, r.line.to
	run.begin(len(batch))
	r.fan.publisher.incoming.take(batch, run)
	to.sending.Lock()
	defer to.sending.Unlock()
	r.line.renew(&to.outgoing, r.fan.now)
	for i := range run.packets {
		m := &run.packets[i]
		if r.line.prepare(r.fan.now, r.s, m, &to.outgoing) == forwarded {
			r.sent = append(r.sent, made{whole(&to.outgoing.packet), r.line.source, m.in.Sequence})
			forwardedPackets++
		}
	}
	return forwardedPackets
}

// again checks that the newest packets, made once more, are what they were.
func (r *road) again(newest int) {
	r.t.Helper()
	to := r.line.to
	to.sending.Lock()
	defer to.sending.Unlock()
	for _, m := range r.sent[max(0, len(r.sent)-newest):] {
		if m.source != r.line.source && r.line.past[m.source%origins].epoch != r.line.origin.epoch {
			continue // another source's, whose numbers are forgotten
		}
		if !r.line.recall(m.source, m.sequence, &to.outgoing) {
			r.t.Fatalf("packet %d of source %d is gone", m.sequence, m.source)
		}
		if again := whole(&to.outgoing.packet); !reflect.DeepEqual(again, m.out) {
			r.t.Fatalf("packet %d was\n%+v, is\n%+v", m.sequence, m.out, again)
		}
	}
}

// want sets what may be forwarded at best.
func (r *road) want(spatial, temporal uint8, urgent bool) {
	r.line.to.sending.Lock()
	defer r.line.to.sending.Unlock()
	r.s.want(layer.Layer{Encoding: layer.All, Spatial: spatial, Temporal: temporal}, urgent)
}

// bitString makes bytes of zeros and ones; anything else separates.
func bitString(parts ...string) (out []byte) {
	n := 0
	for _, c := range strings.Join(parts, "") {
		if c != '0' && c != '1' {
			continue
		}
		if n%8 == 0 {
			out = append(out, 0)
		}
		out[n/8] |= byte(c-'0') << (7 - n%8)
		n++
	}
	return out
}

// scalability is a structure of the dependency descriptor (AV1 RTP specification §A.8.3), and the templates of its pictures: the
// key picture first, then those that repeat.
type scalability struct {
	structure string
	pictures  [][]int
}

// l2t2 has two sizes and two frame rates.
var l2t2 = scalability{
	`000000 00011 00 01 10 00 01 11
	10101010 10101111 00010011 00001010 00001010 00000001
	0 1-0011-0 1-0001-0 1-0000-0 1-0011-1-0000-0 1-0001-1-0000-0
	10 0 0 1 1 0000-0000 0100-0011 0010-0001 0001-0001 0001-0001 0011-0010
	1 0000000100111111 0000000010110011 0000001001111111 0000000101100111`,
	[][]int{{0, 3}, {2, 5}, {1, 4}},
}

// svc is an encoder that says all in the dependency descriptor, and whose payloads are noise.
type svc struct {
	kind      scalability
	id        uint8 // of the extension
	pt        byte
	ssrc      uint32
	sequence  uint16
	number    uint16 // of the next frame
	timestamp uint32
	at        int
	rng       *rand.Rand
}

// picture is the packets of one picture, two for each frame.
func (e *svc) picture(key bool) (packets [][]byte) {
	e.timestamp += 3000
	if key {
		e.at = 0
	}
	templates := e.kind.pictures[0]
	if e.at > 0 {
		templates = e.kind.pictures[1+(e.at-1)%(len(e.kind.pictures)-1)]
	}
	for i, template := range templates {
		for part := range 2 {
			bits := []string{[]string{"10", "01"}[part], fmt.Sprintf("%06b%016b", template, e.number)}
			if e.at == 0 && i == 0 && part == 0 {
				bits = append(bits, "10000", e.kind.structure)
			}
			h := packet.Header{Marker: part == 1 && i == len(templates)-1, PayloadType: e.pt, SSRC: e.ssrc, Sequence: e.sequence, Timestamp: e.timestamp,
				DependencyID: e.id, Dependency: bitString(bits...)}
			e.sequence++
			b := h.Append(nil)
			for range 20 {
				b = append(b, byte(e.rng.Uint32()))
			}
			packets = append(packets, b)
		}
		e.number++
	}
	e.at++
	return packets
}

// seer reads what a receiver gets as one that goes by the descriptor, and complains about what it could not decode.
type seer struct {
	t      testing.TB
	reader packet.DependencyReader
	has    map[int64]bool
	last   *transport.Outgoing
	frame  int64
}

// see takes a packet, and says what it is of.
func (v *seer) see(o *transport.Outgoing) (d packet.Dependency) {
	v.t.Helper()
	if o.Header.DependencyID != 12 || !v.reader.Read(o.Header.Dependency, &d) {
		v.t.Fatalf("the descriptor % x cannot be read", o.Header.Dependency)
	}
	if l := v.last; l != nil {
		switch {
		case o.Index != l.Index+1:
			v.t.Fatalf("number %d after %d", o.Index, l.Index)
		case l.Header.Marker != (o.Header.Timestamp != l.Header.Timestamp):
			v.t.Fatalf("marker %v, and then time %d after %d", l.Header.Marker, o.Header.Timestamp, l.Header.Timestamp)
		case d.Frame < v.frame:
			v.t.Fatalf("frame %d after %d", d.Frame, v.frame)
		}
	}
	if d.Attached {
		v.has = map[int64]bool{}
	}
	for _, back := range d.References() {
		if !v.has[d.Frame-int64(back)] {
			v.t.Fatalf("frame %d of %d/%d needs the one %d before it", d.Frame, d.Spatial, d.Temporal, back)
		}
	}
	v.has[d.Frame] = true
	v.last, v.frame = o, d.Frame
	return d
}

// FuzzRoad has a publisher send anything in any of its encodings. Whatever is made of it, no number is given twice, and what is
// made again is the same.
func FuzzRoad(f *testing.F) {
	e := &svc{kind: l2t2, id: 11, pt: 45, ssrc: 7, rng: rand.New(rand.NewPCG(1, 1))}
	var seed []byte
	for _, b := range append(e.picture(true), e.picture(false)...) {
		seed = append(append(seed, byte(len(b))), b...)
	}
	f.Add(seed, uint8(1), true)
	f.Add([]byte("\x14\x80\x63\x00\x01\x00\x00\x00\x01\x00\x00\x00\x07\x90\xe0\x80\x01\x02\x00\x00x"), uint8(0), false)
	described, plain := newRoad(f, true), newRoad(f, false)
	given := map[*road]map[int64]bool{described: {}, plain: {}}
	f.Fuzz(func(t *testing.T, input []byte, wish uint8, descriptor bool) {
		r := plain
		if descriptor {
			r = described
		}
		r.t, r.sent = t, r.sent[:0]
		r.want(wish&3, wish>>2&7, wish&0x80 != 0)
		var packets [][]byte
		for len(input) > 0 && len(packets) < maxRun {
			n := min(1+int(input[0]), len(input))
			packets = append(packets, input[1:n:n])
			input = input[n:]
		}
		r.take(packets...)
		for i := range r.sent {
			n := r.sent[i].out.Index
			if given[r][n] {
				t.Fatalf("number %d is given again", n)
			}
			given[r][n] = true
		}
		highest, _ := r.line.numbers.Highest()
		maps.DeleteFunc(given[r], func(n int64, _ bool) bool { return n < highest-4096 })
	})
}
