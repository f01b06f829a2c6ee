package layer

import (
	"strings"
	"testing"

	"github.com/parleyrtc/parley/sfu/packet"
)

// frame is what a model encoder made: one frame in one packet. What it refers to only the model decoder knows.
type frame struct {
	Packet
	id   int
	refs []int
	last bool // of its picture
}

// encoder makes pictures. Frame ids are unique in one encoder.
type encoder interface {
	picture(key bool) []frame
}

// clock gives an encoder's pictures their timestamps.
type clock struct {
	timestamp uint32
	id        int
}

func (c *clock) frame(encoding, spatial, temporal uint8, refs ...int) frame {
	f := frame{id: c.id, refs: refs}
	f.Layer = Layer{Encoding: encoding, Spatial: spatial, Temporal: temporal}
	f.Timestamp = c.timestamp
	c.id++
	return f
}

// vp8 has three temporal layers in the pattern 0 2 1 2 0 2 1 2, in which only the first frames of an upper layer refer to
// the lowest layer alone.
type vp8 struct {
	clock
	encoding      uint8
	at            int
	tl0, tl1, tl2 int // newest frames
}

func newVP8(encoding uint8, timestamp uint32) *vp8 {
	return &vp8{encoding: encoding, clock: clock{timestamp: timestamp}}
}

func (v *vp8) picture(key bool) []frame {
	v.timestamp += 3000
	if key {
		v.at = 0
	}
	var f frame
	switch at := v.at % 8; {
	case key:
		f = v.frame(v.encoding, 0, 0)
		f.Keyframe = true
		v.tl0 = f.id
	case at%4 == 0:
		f = v.frame(v.encoding, 0, 0, v.tl0)
		v.tl0 = f.id
	case at == 1:
		f = v.frame(v.encoding, 0, 2, v.tl0)
		f.Sync = true
		v.tl2 = f.id
	case at == 2:
		f = v.frame(v.encoding, 0, 1, v.tl0)
		f.Sync = true
		v.tl1 = f.id
	case at == 6:
		f = v.frame(v.encoding, 0, 1, v.tl0, v.tl1)
		v.tl1 = f.id
	case at == 5:
		f = v.frame(v.encoding, 0, 2, v.tl0, v.tl2)
		v.tl2 = f.id
	default:
		f = v.frame(v.encoding, 0, 2, v.tl0, v.tl1, v.tl2)
		v.tl2 = f.id
	}
	v.at++
	f.Marker, f.last = true, true
	return []frame{f}
}

// vp9 has three spatial and three temporal layers in the pattern 0 2 1 2; in K-SVC layers refer to each other only in key
// pictures.
type vp9 struct {
	clock
	key           bool // K-SVC
	at            int
	tl0, tl1, tl2 [3]int
}

func (v *vp9) picture(key bool) []frame {
	v.timestamp += 3000
	if key {
		v.at = 0
	}
	var out []frame
	for s := range uint8(3) {
		var refs []int
		if s > 0 && (key || !v.key) {
			refs = append(refs, v.id-1)
		}
		temporal := [...]uint8{0, 2, 1, 2}[v.at%4]
		switch {
		case key:
		case v.at%4 == 3:
			refs = append(refs, v.tl1[s])
		default:
			refs = append(refs, v.tl0[s])
		}
		f := v.frame(0, s, temporal, refs...)
		f.Keyframe = key && s == 0
		f.Intra = key
		f.Sync, f.SwitchUp = temporal > 0, temporal > 0
		f.Last = true
		f.Marker, f.last = s == 2, s == 2
		[...]*[3]int{&v.tl0, &v.tl1, &v.tl2}[temporal][s] = f.id
		out = append(out, f)
	}
	v.at++
	return out
}

// bitString makes bytes of zeros and ones; anything else separates.
func bitString(parts ...string) []byte {
	var out []byte
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

// binary is the lowest n bits of v.
func binary(v, n int) string {
	var b strings.Builder
	for i := n - 1; i >= 0; i-- {
		b.WriteByte('0' + byte(v>>i&1))
	}
	return b.String()
}

// scalability is a structure, and the templates of its pictures: the key picture first, then the ones that repeat.
type scalability struct {
	structure string
	pictures  [][]int
}

// l1t3 is the example of the AV1 RTP specification §A.6.1.
var l1t3 = scalability{
	`000000 00010 00 01 01 00 11 101010 101010 100100 010000 010000
	0 1-0011-0 1-0001-0 1-0000-0 1-0000-0 01 0000 0100 0010 0001 0011 0`,
	[][]int{{0}, {3}, {2}, {4}, {1}},
}

// l2t2Key has two sizes that refer to each other in key pictures only.
var l2t2Key = scalability{
	`000000 00011 00 01 10 00 01 11
	10101010 10100000 00010000 00001010 00001010 00000001
	0 1-0011-0 1-0001-0 1-0000-0 1-0011-0 1-0001-0
	10 0 0 1 1 0000-0000 0100-0011 0010-0001 0001-0001 0001-0100 0011-0010 0`,
	[][]int{{0, 3}, {2, 5}, {1, 4}},
}

// l2t2 is the same with the larger size referring to the smaller one always.
var l2t2 = scalability{
	`000000 00011 00 01 10 00 01 11
	10101010 10101111 00010011 00001010 00001010 00000001
	0 1-0011-0 1-0001-0 1-0000-0 1-0011-1-0000-0 1-0001-1-0000-0
	10 0 0 1 1 0000-0000 0100-0011 0010-0001 0001-0001 0001-0001 0011-0010 0`,
	[][]int{{0, 3}, {2, 5}, {1, 4}},
}

// described is an encoder that says all in the dependency descriptor.
type described struct {
	clock
	t        testing.TB
	encoding uint8
	kind     scalability
	at       int
	number   int
	reader   Reader
}

func (e *described) picture(key bool) []frame {
	e.timestamp += 3000
	if key = key || e.at == 0; key {
		e.at = 0
	}
	templates := e.kind.pictures[0]
	if !key {
		templates = e.kind.pictures[1+(e.at-1)%(len(e.kind.pictures)-1)]
	}
	e.at++
	var out []frame
	for i, template := range templates {
		raw := []string{"11", binary(template, 6), binary(e.number, 16)}
		if key && i == 0 {
			raw = append(raw, "10000", e.kind.structure)
		}
		var f frame
		info := packet.Info{Timestamp: e.timestamp, Marker: i == len(templates)-1}
		e.reader.Read(packet.Unknown, e.encoding, &info, bitString(raw...), &f.Packet)
		if !f.HasDependency {
			e.t.Fatal("the descriptor is not read")
		}
		f.id, f.last = e.number, info.Marker
		for _, back := range f.Dependency.References() {
			f.refs = append(f.refs, e.number-int(back))
		}
		e.number++
		out = append(out, f)
	}
	return out
}

// decoder takes what is forwarded and holds it to the promises: each frame has all it refers to.
type decoder struct {
	t        testing.TB
	encoding uint8
	begun    bool
	has      map[int]bool
}

func (d *decoder) take(f *frame, v Verdict) {
	d.t.Helper()
	if v == Begin {
		if !f.Keyframe {
			d.t.Fatalf("began with frame %d of %+v, which is no keyframe", f.id, f.Layer)
		}
		d.encoding, d.begun, d.has = f.Encoding, true, map[int]bool{}
	}
	if !d.begun || f.Encoding != d.encoding {
		d.t.Fatalf("frame %d of %+v from nowhere", f.id, f.Layer)
	}
	for _, r := range f.refs {
		if !d.has[r] {
			d.t.Fatalf("frame %d of %+v needs %d, which was left out", f.id, f.Layer, r)
		}
	}
	d.has[f.id] = true
}
