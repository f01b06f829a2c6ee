package sfu

import (
	"encoding/binary"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/packet"
)

// described says whether m goes out with its dependency descriptor. Nothing in its payload is looked at then, which may be
// encrypted end to end: the receiver goes by the descriptor, too.
func (l *line) described(m *media) bool {
	return l.used.dependency != 0 && m.facts.HasDependency && m.codec.Video()
}

// indices says whether munge is to number the pictures of m: those of VP8, where the receiver goes by them.
func (l *line) indices(m *media) {
	m.in.VP8 = nil
	if m.codec == packet.VP8 && m.facts.HasIndices && !l.described(m) {
		m.in.VP8 = &m.facts.VP8
	}
}

// pack makes o's packet of m, and of the numbers and the choice in o. It is the same for the same packet, numbers and choice,
// whenever it is made: a repetition without RTX must be identical.
func (l *line) pack(m *media, o *outbox) {
	h := &o.packet.Header
	h.Marker, h.PayloadType, h.SSRC = o.choice.Marker, l.codec.PayloadType, l.stream.SSRC
	h.Sequence, h.Timestamp = uint16(o.out.Sequence), o.out.Timestamp
	h.AudioLevelID = 0
	if m.hasAudioLevel {
		h.AudioLevelID, h.AudioLevel, h.Voice = l.used.level, m.audioLevel, m.voice
	}
	o.packet.Stream, o.packet.Index = l.stream, o.out.Sequence
	h.Padding = len(m.sent) > len(m.payload)
	o.packet.Head, o.packet.Payload = nil, m.sent
	h.DependencyID = 0
	switch {
	case !l.video:
		l.sound(m, o)
	case l.described(m):
		l.describe(m, o)
	case o.out.Patch:
		m.facts.VP8.Patch(o.split(m, m.facts.VP8.Size), o.out.PictureID, o.out.TL0, o.out.KeyIdx)
	case m.codec == packet.VP9 && m.facts.HasIndices:
		l.renumber(m, o)
	}
}

// split copies the beginning of the payload, where this receiver's differs from the others'.
func (o *outbox) split(m *media, size int) []byte {
	n := copy(o.head[rtxHead:], m.sent[:min(size, len(m.sent))])
	o.packet.Head, o.packet.Payload = o.head[rtxHead:rtxHead+n], m.sent[n:]
	return o.packet.Head
}

// renumber joins the numbers of VP9's pictures to those of the source before.
func (l *line) renumber(m *media, o *outbox) {
	d := &m.facts.VP9
	picture, ok1 := l.pictures.Map(uint64(m.in.Source), d.PictureID, d.PictureIDMask())
	base, ok2 := l.bases.Map(uint64(m.in.Source), uint16(d.TL0), 0xFF)
	if ok1 && ok2 && (picture != d.PictureID || uint8(base) != d.TL0) {
		d.Patch(o.split(m, vp9Head), picture, uint8(base))
	}
}

// describe writes the dependency descriptor: with frame numbers joined to those of the source before, and where need be with
// what this receiver gets of it.
func (l *line) describe(m *media, o *outbox) {
	h := &o.packet.Header
	h.DependencyID, h.Dependency = l.used.dependency, m.dependency
	d := &m.facts.Dependency
	number, ok := l.frames.Map(uint64(m.in.Source), d.Number, 0xFFFF)
	if !ok {
		number = d.Number
	}
	switch {
	case o.choice.Announce:
		told := *d
		told.Number, told.HasActive, told.Active = number, true, o.choice.Active
		h.Dependency = told.Append(o.descriptor[:0])
	case number != d.Number:
		h.Dependency = o.descriptor[:copy(o.descriptor[:], m.dependency)]
		binary.BigEndian.PutUint16(h.Dependency[1:], number) // behind two flags and six bits (AV1 RTP specification §A.8.2)
	}
}

// recall makes o's packet anew of one that has been given its number; false when it is gone.
func (l *line) recall(source munge.Source, sequence int64, o *outbox) bool {
	from := l.past[source%origins]
	if l.source-source >= origins || from.encoding == nil {
		return false
	}
	m := &o.again
	if !from.encoding.repeat(from.epoch, sequence, m, o.space()) {
		return false
	}
	l.tune(m)
	if l.codec.PayloadType == 0 {
		return false
	}
	l.indices(m)
	m.in.Source = source
	if !l.numbers.Again(&m.in, &o.out) {
		return false
	}
	o.choice = l.choices.find(o.out.Sequence, m.marker)
	if !l.video && !l.reshape(m, o) {
		return false
	}
	l.pack(m, o)
	return true
}

// choices remembers what was chosen for a line's newest packets where that differs from how they came. Memory is taken at the
// first of them.
type choices struct{ entries []chosen }

// chosen is one of them: 16 bytes, of which a line with layers left out needs some thousand.
type chosen struct {
	sequence         int64
	active           uint32
	marker, announce bool
	used             bool
}

// chosenPackets is how many numbers back a packet may be asked for, see munge.
const chosenPackets = 1024

func (c *choices) put(sequence int64, marker bool, choice *layer.Decision) {
	if choice.Marker == marker && !choice.Announce {
		return
	}
	if c.entries == nil {
		c.entries = make([]chosen, chosenPackets)
	}
	c.entries[uint64(sequence)%chosenPackets] = chosen{sequence, choice.Active, choice.Marker, choice.Announce, true}
}

// find is what was chosen for a packet that came with this marker.
func (c *choices) find(sequence int64, marker bool) layer.Decision {
	if c.entries != nil {
		if e := &c.entries[uint64(sequence)%chosenPackets]; e.used && e.sequence == sequence {
			return layer.Decision{Marker: e.marker, Announce: e.announce, Active: e.active}
		}
	}
	return layer.Decision{Marker: marker}
}
