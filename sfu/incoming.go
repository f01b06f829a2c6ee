package sfu

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/history"
	"github.com/parleyrtc/parley/sfu/nack"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/report"
	"github.com/parleyrtc/parley/sfu/transport"
)

const (
	// A report of arrival times follows this long after the first packet it tells of: often enough for the bandwidth of a
	// video to follow. Sound alone has no bandwidth to find.
	videoFeedback = 50 * time.Millisecond
	audioFeedback = 200 * time.Millisecond
	reportSpacing = time.Second
)

// inbox is what a participant knows of what it receives. Its lock is taken for a packet or a report at a time, never over
// I/O; the receiving goroutine is nearly always alone.
type inbox struct {
	mu           sync.Mutex
	own          uint32    // our SSRC in reports
	started      time.Time // arrival times are counted from here
	publications []*publication
	sources      map[uint32]*publication // media and repairs; bounded by the transport
	mids         map[string]*publication
	codecs       [128]transport.Codec // by payload type, one table for all m-lines as BUNDLE demands
	ids          packet.Extensions

	clock      report.Clock
	arrivals   *twcc.Recorder
	feedbackAt time.Time // zero: nothing to tell
	reportAt   time.Time

	info  packet.Info
	lost  []uint16
	pairs []rtcp.NackPair
}

func (in *inbox) init() {
	in.own = rand.Uint32()
	in.started = time.Now().Add(-time.Second)
	in.sources = map[uint32]*publication{}
	in.mids = map[string]*publication{}
	in.arrivals = twcc.NewRecorder(in.own)
}

// negotiated takes over what an offer and its answer agreed on.
func (in *inbox) negotiated(publications []*publication, offer, answer *transport.Description) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.publications = publications
	clear(in.sources)
	clear(in.mids)
	for _, pub := range publications {
		in.mids[pub.mid] = pub
		agreed, offered := answer.Section(pub.mid), offer.Section(pub.mid)
		if agreed == nil || offered == nil {
			continue
		}
		for _, c := range agreed.Codecs {
			in.codecs[c.PayloadType] = c
		}
		in.extensions(agreed.Extensions)
		for _, ssrc := range offered.SSRCs {
			in.sources[ssrc] = pub
		}
		for ssrc := range offered.Repairs {
			in.sources[ssrc] = pub
		}
	}
}

// extensions merges an m-line's ids: BUNDLE gives an id one meaning.
func (in *inbox) extensions(ids packet.Extensions) {
	in.ids.MID = max(in.ids.MID, ids.MID)
	in.ids.AudioLevel = max(in.ids.AudioLevel, ids.AudioLevel)
	in.ids.TransportCC = max(in.ids.TransportCC, ids.TransportCC)
}

// Packets takes what the participant sends (transport.Sink).
func (p *participant) Packets(_ time.Time, batch []transport.Datagram, _ *transport.Batch) {
	defer p.recovered()
	for i := range batch {
		m, reason, at := p.receive(&batch[i])
		if m == nil {
			p.room.sfu.metrics.drop(reason)
		} else {
			p.room.sfu.metrics.in[kindIndex(m.publication.video)].Inc()
			m.publication.forward(m)
		}
		if !at.IsZero() {
			p.pokeBy(at)
		}
	}
}

// receive turns a datagram into a packet to forward, or says why not, and when the sender has something to tell the client.
func (p *participant) receive(d *transport.Datagram) (m *media, reason dropReason, at time.Time) {
	in := &p.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	info := &in.info
	if packet.Parse(d.Data, &in.ids, info) != nil {
		return nil, dropMalformed, at
	}
	if info.HasTransportSequence {
		at = in.arrived(d.Arrived, info)
	}
	if len(info.Payload) > maxPayload {
		return nil, dropTooLong, at
	}
	pub := in.publication(info)
	if pub == nil {
		return nil, dropSource, at
	}
	m, reason = pub.receive(d.Arrived, info, in.codecs[info.PayloadType], len(*pub.subscriptions.Load()) > 0)
	if next := pub.missing.Deadline(); pub.repairs && !next.IsZero() && (at.IsZero() || next.Before(at)) {
		at = next
	}
	return m, reason, at
}

// arrived notes when a packet came, and says when to report it. Padding in the RTX of a video probes for bandwidth.
func (in *inbox) arrived(now time.Time, info *packet.Info) time.Time {
	in.arrivals.Record(info.SSRC, info.TransportSequence, now.Sub(in.started).Microseconds())
	at := now.Add(audioFeedback)
	if c := in.codecs[info.PayloadType]; c.Repair || c.Codec.Video() {
		at = now.Add(videoFeedback)
	}
	if in.feedbackAt.IsZero() || at.Before(in.feedbackAt) {
		in.feedbackAt = at
	}
	return in.feedbackAt
}

// publication finds whose packet it is: by its source, or by the mid that comes with the first packets of a source that the
// SDP did not declare (RFC 8843 §9.2), or because there is only one of its kind.
func (in *inbox) publication(info *packet.Info) *publication {
	if pub := in.sources[info.SSRC]; pub != nil {
		return pub
	}
	pub := in.mids[string(info.MID)]
	if pub == nil && len(info.MID) == 0 {
		codec := in.codecs[info.PayloadType]
		if codec.Repair {
			codec = in.codecs[codec.Repairs]
		}
		for _, candidate := range in.publications {
			if codec.Codec == packet.Unknown || candidate.video != codec.Codec.Video() {
				continue
			}
			if pub != nil {
				return nil
			}
			pub = candidate
		}
	}
	if pub != nil {
		in.sources[info.SSRC] = pub
	}
	return pub
}

// receive takes one packet of this publication or of its repairs. keep says that somebody may ask for it again. The inbox's
// lock is held.
func (pub *publication) receive(now time.Time, info *packet.Info, codec transport.Codec, keep bool) (*media, dropReason) {
	if codec.Repair {
		return pub.repaired(now, info, codec, keep)
	}
	if codec.Codec == packet.Unknown || codec.Codec.Video() != pub.video {
		return nil, dropPayloadType
	}
	switch {
	case pub.ssrc == 0:
		pub.restart(info.SSRC, codec)
	case pub.ssrc != info.SSRC && now.Sub(pub.heard) < sourceSilence:
		return nil, dropSource
	case pub.ssrc != info.SSRC:
		pub.restart(info.SSRC, codec)
	case pub.codec != codec.Codec || pub.h264 != codec.H264:
		// The number line goes on through a change of codec; what was sent before it and comes late belongs to the old one.
		if highest, ok := pub.sequence.Highest(); ok && pub.sequence.Peek(info.Sequence) <= highest {
			return nil, dropLate
		}
		pub.restart(info.SSRC, codec)
	}
	pub.heard = now
	pub.repairs = codec.NACK
	sequence := pub.sequence.Unwrap(info.Sequence)
	pub.books.Received(now, sequence, info.Timestamp)
	pub.missing.Received(now, sequence)
	return pub.take(now, sequence, info, keep), ""
}

// repaired takes a retransmission.
func (pub *publication) repaired(now time.Time, info *packet.Info, codec transport.Codec, keep bool) (*media, dropReason) {
	if pub.ssrc == 0 || !info.UnwrapRTX(pub.ssrc, codec.Repairs) {
		return nil, dropPadding
	}
	sequence := pub.sequence.Peek(info.Sequence)
	if highest, _ := pub.sequence.Highest(); sequence > highest || !pub.missing.Received(now, sequence) {
		return nil, dropRepair
	}
	return pub.take(now, sequence, info, keep), ""
}

// take makes the packet to forward, and keeps a copy.
func (pub *publication) take(now time.Time, sequence int64, info *packet.Info, keep bool) *media {
	p := history.Packet{
		Sequence: sequence, Timestamp: info.Timestamp, Arrived: now, PayloadType: info.PayloadType, Marker: info.Marker,
		Keyframe:   pub.video && packet.Keyframe(pub.codec, info.Payload),
		AudioLevel: info.AudioLevel, Voice: info.Voice, HasAudioLevel: info.HasAudioLevel, Payload: info.Payload,
	}
	if p.Keyframe {
		pub.wanted, pub.first = false, false
	}
	if keep && len(info.Payload) > 0 {
		pub.history.Put(&p)
	}
	m := newMedia()
	m.fill(pub, &p)
	return m
}

// tell appends what is due to be told to the client about what it sends, and says when there is more.
func (p *participant) tell(now time.Time, dst []rtcp.Packet) ([]rtcp.Packet, time.Time) {
	in := &p.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	next := now.Add(reportSpacing)
	soon := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	var reports []rtcp.ReceptionReport
	due := !now.Before(in.reportAt)
	for _, pub := range in.publications {
		if pub.ssrc == 0 {
			continue
		}
		dst = pub.askAgain(now, time.Duration(p.rtt.Load()), in, dst)
		if pub.repairs {
			soon(pub.missing.Deadline())
		}
		if dst = pub.askKeyframe(now, in, dst); pub.wanted {
			soon(pub.keyframeAt())
		}
		if due && now.Sub(pub.heard) < 5*reportSpacing && len(reports) < 31 {
			reports = append(reports, pub.books.Report(now, pub.ssrc))
		}
	}
	if due {
		in.reportAt = now.Add(reportSpacing)
	}
	if len(reports) > 0 {
		dst = append(dst, &rtcp.ReceiverReport{SSRC: in.own, Reports: reports})
	}
	if !in.feedbackAt.IsZero() && !now.Before(in.feedbackAt) {
		in.feedbackAt = time.Time{}
		dst = append(dst, in.arrivals.BuildFeedbackPacket()...)
	}
	soon(in.feedbackAt)
	return dst, next
}

// askAgain appends a NACK for what is missing and due.
func (pub *publication) askAgain(now time.Time, rtt time.Duration, in *inbox, dst []rtcp.Packet) []rtcp.Packet {
	if !pub.repairs {
		return dst
	}
	missing, gaveUp := pub.missing.Due(now, rtt, in.lost[:0])
	in.lost = missing
	if gaveUp > 0 && pub.video {
		pub.wanted = true
	}
	if len(missing) == 0 {
		return dst
	}
	pub.owner.room.sfu.metrics.nackOut.Add(float64(len(missing)))
	in.pairs = nack.AppendPairs(in.pairs[:0], missing)
	return append(dst, &rtcp.TransportLayerNack{SenderSSRC: in.own, MediaSSRC: pub.ssrc, Nacks: append([]rtcp.NackPair(nil), in.pairs...)})
}

// askKeyframe appends a PLI when one is wanted and due.
func (pub *publication) askKeyframe(now time.Time, in *inbox, dst []rtcp.Packet) []rtcp.Packet {
	if !pub.wanted || now.Before(pub.keyframeAt()) {
		return dst
	}
	pub.wanted, pub.first, pub.asked = false, false, now
	pub.owner.room.sfu.metrics.pliOut.Inc()
	return append(dst, &rtcp.PictureLossIndication{SenderSSRC: in.own, MediaSSRC: pub.ssrc})
}
