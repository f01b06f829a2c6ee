package sfu

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/history"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/red"
)

// form is how a sound's payload leaves. It is remembered for every packet of a line that may have copies: a repetition without RTX
// must be identical.
type form uint8

// Besides these, a form is a set of bits: 1<<n says that the frame n+1 packets before is carried, too.
const (
	plain  form = 0
	passed form = 1 << 7 // with the copies that the publisher made
)

const (
	// maxCopy is the longest frame of which copies are made, in bytes: 160 kbit/s in packets of 20 ms.
	maxCopy = 400
	// maxRedundant is the longest payload with copies, in bytes: it must fit any road.
	maxRedundant = 1150
)

// unfold reads a sound's payload as far as it has copies.
func (m *media) unfold(payload []byte, redundant bool) {
	m.redundant, m.looked, m.red = redundant, false, red.Payload{}
	if redundant {
		m.red, _ = red.Parse(payload)
	}
}

// primary is the packet's own frame; nil when the payload cannot be read, such as one that is encrypted end to end as a whole.
func (m *media) primary() []byte {
	switch {
	case !m.redundant:
		return m.payload
	case m.red.Primary == 0:
		return nil
	}
	return m.payload[m.red.Primary:]
}

// shape decides in which form a sound goes to this receiver, whose lock is held; false: there is none that it can read.
func (l *line) shape(m *media, o *outbox) (form, bool) {
	own := m.primary()
	if l.codec.RED == 0 {
		return plain, own != nil
	}
	distance := min(o.need.Distance(), o.copies)
	switch {
	case own == nil:
		return passed, true
	case distance == 0:
		return plain, true
	case m.redundant && m.red.Copies >= distance && (m.red.Copies <= o.copies || o.copies == red.MaxDistance):
		return passed, true
	}
	if !m.looked {
		m.encoding.earlier(m, nil)
	}
	f, size := plain, len(own)
	for i, c := range m.copies[:distance] {
		if size += len(c.Frame); c.Fits() && size <= maxRedundant {
			f |= 1 << i
		}
	}
	return f, true
}

// earlier finds the frames before m's. They are lent until the encoding receives its next packet, for the goroutine that receives;
// for others they are copied.
func (e *encoding) earlier(m *media, into *[red.MaxDistance][maxCopy]byte) {
	in := &e.publication.owner.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	m.looked, m.copies = true, [red.MaxDistance]red.Copy{}
	if e.epoch != m.epoch {
		return
	}
	for i := range m.copies {
		old, ok := e.history.Get(m.in.Sequence - int64(i+1))
		if !ok {
			continue
		}
		frame := old.Payload
		if in.codecs[old.PayloadType].Redundant {
			p, ok := red.Parse(frame)
			if !ok {
				continue
			}
			frame = frame[p.Primary:]
		}
		if len(frame) > maxCopy {
			continue
		}
		if into != nil {
			frame = into[i][:copy(into[i][:], frame)]
		}
		m.copies[i] = red.Copy{Offset: m.in.Timestamp - old.Timestamp, Frame: frame}
	}
}

// voice gives a sound its numbers and its form, or says why it is not forwarded.
func (l *line) voice(m *media, o *outbox) dropReason {
	f, ok := l.shape(m, o)
	if !ok {
		m.in.Source = l.source
		l.numbers.Skip(&m.in)
		return dropCodec
	}
	reason := l.number(m, o)
	if reason != forwarded {
		return reason
	}
	if o.form = f; l.codec.RED != 0 {
		l.forms.put(o.out.Sequence, f)
	}
	return forwarded
}

// sound makes o's payload of m in o's form. All copies that belong to the form are there.
func (l *line) sound(m *media, o *outbox) {
	o.packet.Payload = m.primary()
	if o.form == plain {
		return
	}
	o.packet.Header.PayloadType = l.codec.RED
	if o.redundancy == nil {
		o.redundancy = make([]byte, 0, maxPayload)
	}
	head := o.redundancy[:0]
	switch {
	case o.form != passed:
		var list [red.MaxDistance]red.Copy
		copies := list[:0]
		for i := red.MaxDistance - 1; i >= 0; i-- {
			if o.form&(1<<i) != 0 {
				copies = append(copies, m.copies[i])
			}
		}
		head = red.Append(head, l.codec.PayloadType, copies)
	case m.red.Primary == 0:
		o.packet.Payload = m.payload
	default:
		head = append(head, m.payload[:m.red.Headers()]...)
		red.Retype(head, l.codec.PayloadType)
		o.packet.Payload = m.payload[len(head):]
	}
	o.packet.Head = head
}

// reshape finds the form in which a sound was sent, and the copies that belong to it; false when one of them is forgotten.
func (l *line) reshape(m *media, o *outbox) bool {
	o.form = plain
	if l.codec.RED == 0 {
		return m.primary() != nil
	}
	var ok bool
	if o.form, ok = l.forms.find(o.out.Sequence); !ok {
		return false
	}
	if o.form == plain || o.form == passed {
		return true
	}
	m.encoding.earlier(m, &o.space().earlier)
	for i := range m.copies {
		if o.form&(1<<i) != 0 && !m.copies[i].Fits() {
			return false
		}
	}
	return true
}

// forms remembers the forms of a line's newest packets. Memory is taken at the first.
type forms struct{ entries []shaped }

type shaped struct {
	sequence int64
	form     form
	used     bool
}

func (s *forms) put(sequence int64, f form) {
	if s.entries == nil {
		s.entries = make([]shaped, audioPackets)
	}
	s.entries[uint64(sequence)%audioPackets] = shaped{sequence, f, true}
}

func (s *forms) find(sequence int64) (form, bool) {
	if s.entries == nil {
		return plain, false
	}
	e := &s.entries[uint64(sequence)%audioPackets]
	return e.form, e.used && e.sequence == sequence
}

// losses takes what the client reports lost.
func (p *participant) losses(reports []rtcp.ReceptionReport) {
	if len(reports) == 0 {
		return
	}
	lines := *p.lines.Load()
	p.sending.Lock()
	defer p.sending.Unlock()
	for i := range reports {
		if l := lines[reports[i].SSRC]; l != nil {
			lost, of := l.reception.Report(&reports[i])
			p.outgoing.need.Lost(lost, of)
			l.lost, l.of = l.lost+lost, l.of+of
		}
	}
}

// requests takes how much of a sound was asked for again since the last time. The receiver's lock is held.
func (l *line) requests(o *outbox) {
	packets := l.books.Packets()
	o.need.Asked(l.requested, int(packets-l.counted))
	l.counted, l.requested = packets, 0
}

// maxRestored is how many sounds of one run are restored from copies at most.
const maxRestored = 16

// restore adds to the run what the packet with these numbers carries copies of and has not come itself. The inbox's lock is held.
func (e *encoding) restore(now time.Time, sequence int64, info *packet.Info, r *run) {
	p, ok := red.Parse(info.Payload)
	if !ok {
		return
	}
	in := &e.publication.owner.incoming
	for n := range p.Copies {
		missing := sequence - int64(p.Copies-n)
		payloadType, c := p.Copy(info.Payload, n)
		codec := &in.codecs[payloadType]
		if !c.Fits() || codec.Codec != e.codec || codec.Redundant || r.tally.restored == maxRestored {
			continue
		}
		// A publisher may copy other packets than the last ones: the numbers are believed if the timestamps are in order.
		timestamp := info.Timestamp - c.Offset
		if before, ok := e.history.Get(missing - 1); ok && int32(timestamp-before.Timestamp) <= 0 {
			continue
		}
		if after, ok := e.history.Get(missing + 1); ok && int32(after.Timestamp-timestamp) <= 0 {
			continue
		}
		if !e.missing.Repaired(missing) {
			continue
		}
		restored := history.Packet{
			Sequence: missing, Timestamp: timestamp, Arrived: now, PayloadType: payloadType,
			AudioLevel: info.AudioLevel, Voice: info.Voice, HasAudioLevel: info.HasAudioLevel, Payload: c.Frame,
		}
		r.tally.restored++
		e.keep(&restored)
		r.add(e.publication).fill(e, &restored)
	}
	e.copies = p.Copies
}
