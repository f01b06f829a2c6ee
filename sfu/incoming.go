package sfu

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/history"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/report"
	"github.com/parleyrtc/parley/sfu/transport"
)

// maxSources bounds the sources of one client that are remembered: 64 m-lines need two each, and some change.
const maxSources = 512

// inbox is what a participant knows of what it receives. Its lock is taken for a run of packets or a report at a time, never
// over I/O; the receiving goroutine is nearly always alone.
type inbox struct {
	mu           sync.Mutex
	own          uint32    // our SSRC in reports
	started      time.Time // arrival times are counted from here
	publications []*publication
	sources      map[uint32]*publication // media and repairs
	last         *publication            // that the newest packet was of, nil: look it up
	lastSSRC     uint32
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
	in.publications, in.last = publications, nil
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

// take parses a run's packets and accounts for them, collects those to forward, and says when the alarm has something to tell
// the client.
func (in *inbox) take(batch []transport.Datagram, r *run) (at time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for i := range batch {
		if reason := in.receive(&batch[i], r); reason != forwarded {
			r.tally.dropped[reason]++
		}
	}
	r.even()
	at = in.feedbackAt
	for i := range r.parts {
		pub := r.parts[i].publication
		if next := pub.missing.Deadline(); pub.repairs && !next.IsZero() && (at.IsZero() || next.Before(at)) {
			at = next
		}
	}
	return at
}

// receive adds a datagram to the run, or says why not.
func (in *inbox) receive(d *transport.Datagram, r *run) dropReason {
	info := &in.info
	if packet.Parse(d.Data, &in.ids, info) != nil {
		return dropMalformed
	}
	codec := &in.codecs[info.PayloadType]
	if info.HasTransportSequence {
		in.arrived(d.Arrived, info, codec)
	}
	if len(info.Payload) > maxPayload {
		return dropTooLong
	}
	pub := in.last
	if pub == nil || info.SSRC != in.lastSSRC {
		if pub = in.publication(info); pub == nil {
			return dropSource
		}
	}
	sequence, reason := pub.receive(d.Arrived, info, codec)
	if reason == forwarded {
		r.tally.in[kindIndex(pub.video)]++
		m := r.add(pub)
		pub.take(d.Arrived, sequence, info, m)
		if info.PaddingSize == 0 {
			m.payload, m.spare = d.Data[len(d.Data)-len(info.Payload):], d.Spare
		}
	}
	return reason
}

// arrived notes when a packet came, to be reported. Padding in the RTX of a video probes for bandwidth.
func (in *inbox) arrived(now time.Time, info *packet.Info, codec *transport.Codec) {
	in.arrivals.Record(info.SSRC, info.TransportSequence, now.Sub(in.started).Microseconds())
	at := now.Add(audioFeedback)
	if codec.Repair || codec.Codec.Video() {
		at = now.Add(videoFeedback)
	}
	if in.feedbackAt.IsZero() || at.Before(in.feedbackAt) {
		in.feedbackAt = at
	}
}

// publication finds whose packet it is: by its source, or by the mid that comes with the first packets of a source that the
// SDP did not declare (RFC 8843 §9.2), or because there is only one of its kind.
func (in *inbox) publication(info *packet.Info) *publication {
	if pub := in.sources[info.SSRC]; pub != nil {
		in.last, in.lastSSRC = pub, info.SSRC
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
	if pub != nil && len(in.sources) < maxSources {
		in.sources[info.SSRC] = pub
	}
	return pub
}

// receive takes note of one packet of this publication or of its repairs, and returns its number. The inbox's lock is held.
func (pub *publication) receive(now time.Time, info *packet.Info, codec *transport.Codec) (int64, dropReason) {
	if codec.Repair {
		return pub.repaired(now, info, codec)
	}
	if codec.Codec == packet.Unknown || codec.Codec.Video() != pub.video {
		return 0, dropPayloadType
	}
	highest, _ := pub.sequence.Highest()
	switch {
	case pub.ssrc == 0:
		pub.restart(info.SSRC, codec)
	case pub.ssrc != info.SSRC && now.Sub(pub.heard) < sourceSilence:
		return 0, dropSource
	case pub.ssrc != info.SSRC:
		pub.restart(info.SSRC, codec)
	case pub.codec != codec.Codec || pub.h264 != codec.H264:
		// The number line goes on through a change of codec; what was sent before it and comes late belongs to the old one.
		if pub.sequence.Peek(info.Sequence) <= highest {
			return 0, dropLate
		}
		pub.restart(info.SSRC, codec)
	}
	pub.heard = now
	pub.repairs = codec.NACK
	_, started := pub.sequence.Highest()
	sequence := pub.sequence.Unwrap(info.Sequence)
	pub.books.Received(now, sequence, info.Timestamp)
	if !pub.missing.Received(now, sequence) && started && sequence <= highest {
		return 0, dropDuplicate // a repetition of it came first, or it is too late to be of use
	}
	return sequence, forwarded
}

// repaired takes note of a retransmission.
func (pub *publication) repaired(now time.Time, info *packet.Info, codec *transport.Codec) (int64, dropReason) {
	if pub.ssrc == 0 || !info.UnwrapRTX(pub.ssrc, codec.Repairs) {
		return 0, dropPadding
	}
	sequence := pub.sequence.Peek(info.Sequence)
	if highest, _ := pub.sequence.Highest(); sequence > highest || !pub.missing.Received(now, sequence) {
		return 0, dropRepair
	}
	return sequence, forwarded
}

// take makes m the packet to forward, and keeps a copy of it when somebody may ask for it again.
func (pub *publication) take(now time.Time, sequence int64, info *packet.Info, m *media) {
	p := history.Packet{
		Sequence: sequence, Timestamp: info.Timestamp, Arrived: now, PayloadType: info.PayloadType, Marker: info.Marker,
		Keyframe:   pub.video && packet.Keyframe(pub.codec, info.Payload),
		AudioLevel: info.AudioLevel, Voice: info.Voice, HasAudioLevel: info.HasAudioLevel, Payload: info.Payload,
	}
	if p.Keyframe {
		pub.wanted, pub.first = false, false
	}
	if len(info.Payload) > 0 && len(*pub.subscriptions.Load()) > 0 {
		pub.history.Put(&p)
	}
	m.fill(pub, &p)
}
