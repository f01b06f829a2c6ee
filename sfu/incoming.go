package sfu

import (
	"iter"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/layer"
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
	sources      map[uint32]*encoding // media and repairs
	last         *encoding            // that the newest packet was of, nil: look it up
	lastSSRC     uint32
	mids         map[string]*publication
	codecs       [128]transport.Codec // by payload type, one table for all m-lines as BUNDLE demands
	ids          packet.Extensions

	clock      report.Clock
	arrivals   *twcc.Recorder
	feedbackAt time.Time // zero: nothing to tell
	reportAt   time.Time

	info     packet.Info
	lost     []uint16
	measured []layer.Measure
	pairs    []rtcp.NackPair
}

func (in *inbox) init() {
	in.own = rand.Uint32()
	in.started = time.Now().Add(-time.Second)
	in.sources = map[uint32]*encoding{}
	in.mids = map[string]*publication{}
	in.arrivals = twcc.NewRecorder(in.own)
}

// negotiated takes over what an offer and its answer agreed on.
func (in *inbox) negotiated(publications []*publication, offer, answer *transport.Description) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.publications, in.last = publications, nil
	clear(in.mids)
	for _, pub := range publications {
		in.mids[pub.mid] = pub
		agreed, offered := answer.Section(pub.mid), offer.Section(pub.mid)
		if agreed == nil || offered == nil {
			continue
		}
		pub.shape(offered.RIDs)
		for _, c := range agreed.Codecs {
			in.codecs[c.PayloadType] = c
		}
		in.extensions(agreed.Extensions)
		if len(offered.RIDs) > 0 {
			continue // the packets tell
		}
		for _, ssrc := range offered.SSRCs {
			in.sources[ssrc] = pub.encodings[0]
		}
		for ssrc := range offered.Repairs {
			in.sources[ssrc] = pub.encodings[0]
		}
	}
	in.forget()
}

// forget drops the sources of what is not received any more. The others stay known: a client names what a source is of only with
// its first packets.
func (in *inbox) forget() {
	known := map[*encoding]bool{}
	for e := range in.encodings() {
		known[e] = true
	}
	maps.DeleteFunc(in.sources, func(_ uint32, e *encoding) bool { return !known[e] })
}

// extensions merges an m-line's ids: BUNDLE gives an id one meaning.
func (in *inbox) extensions(ids packet.Extensions) {
	in.ids.MID = max(in.ids.MID, ids.MID)
	in.ids.AudioLevel = max(in.ids.AudioLevel, ids.AudioLevel)
	in.ids.TransportCC = max(in.ids.TransportCC, ids.TransportCC)
	in.ids.RID = max(in.ids.RID, ids.RID)
	in.ids.RepairedRID = max(in.ids.RepairedRID, ids.RepairedRID)
	in.ids.Dependency = max(in.ids.Dependency, ids.Dependency)
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
		for _, e := range r.parts[i].publication.encodings {
			if next := e.missing.Deadline(); e.repairs && !next.IsZero() && (at.IsZero() || next.Before(at)) {
				at = next
			}
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
	e := in.last
	if e == nil || info.SSRC != in.lastSSRC {
		if e = in.encoding(info); e == nil {
			return dropSource
		}
	}
	sequence, reason := e.receive(d.Arrived, info, codec)
	if reason == forwarded {
		r.tally.in[kindIndex(e.publication.video)]++
		if codec.Redundant {
			e.restore(d.Arrived, sequence, info, r)
		}
		m := r.add(e.publication)
		e.take(d.Arrived, sequence, info, m)
		highest, _ := e.sequence.Highest()
		m.late = sequence < highest
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

// encoding finds what a packet is of: by its source, or by the mid that comes with the first packets of a source that the
// SDP did not declare (RFC 8843 §9.2), or because there is only one of its kind.
func (in *inbox) encoding(info *packet.Info) *encoding {
	if e := in.sources[info.SSRC]; e != nil {
		in.last, in.lastSSRC = e, info.SSRC
		return e
	}
	pub := in.mids[string(info.MID)]
	repair := in.codecs[info.PayloadType].Repair
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
	if pub == nil {
		return nil
	}
	e := pub.encodings[0]
	if e.rid != "" {
		if e = pub.named(info, repair); e == nil {
			return nil
		}
	}
	if len(in.sources) < maxSources {
		in.sources[info.SSRC] = e
	}
	return e
}

// named finds the encoding that a packet says it is of (RFC 8852 §3), as the first ones of each source do.
func (pub *publication) named(info *packet.Info, repair bool) *encoding {
	rid := info.RID
	if repair && info.RepairedRID != nil {
		rid = info.RepairedRID
	}
	for _, e := range pub.encodings {
		if e.rid == string(rid) {
			return e
		}
	}
	return nil
}

// encodings are all that is received. The lock is held.
func (in *inbox) encodings() iter.Seq[*encoding] {
	return func(yield func(*encoding) bool) {
		for _, pub := range in.publications {
			for _, e := range pub.encodings {
				if !yield(e) {
					return
				}
			}
		}
	}
}
