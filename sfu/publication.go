package sfu

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/sfu/history"
	"github.com/parleyrtc/parley/sfu/nack"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/report"
	"github.com/parleyrtc/parley/sfu/seq"
	"github.com/parleyrtc/parley/sfu/transport"
)

// What one publication keeps for retransmission besides Config.HistoryPackets, which is for video.
const (
	videoPayload = 1200 // bytes of a packet, on average at most
	audioPackets = 128
	audioBytes   = 32 << 10
)

// sourceSilence is how long a publication's source must have been silent before another one, that no SDP declared, takes its
// place.
const sourceSilence = 500 * time.Millisecond

// publication is one track that a participant sends.
type publication struct {
	// Set at construction.
	owner  *participant
	id     string
	mid    string
	source string
	video  bool

	muted bool // guarded by room.mu

	// subscriptions never changes: it is replaced, with room.mu held.
	subscriptions atomic.Pointer[[]*subscription]

	// Guarded by owner.incoming.mu.
	ssrc     uint32 // 0: not known yet
	codec    packet.Codec
	h264     packet.H264Format
	epoch    uint64 // counts sources and codecs: numbers of different epochs have nothing to do with each other
	repairs  bool   // the client answers NACKs
	heard    time.Time
	sequence seq.Sequence
	missing  *nack.Generator
	books    *report.Receiver
	line     report.Line
	history  *history.History
	wanted   bool // a keyframe
	first    bool // by somebody who has no picture at all yet
	asked    time.Time
}

func newPublication(p *participant, mid, source string, video bool) *publication {
	pub := &publication{owner: p, id: p.id + "." + mid, mid: mid, source: source, video: video, missing: nack.New(nack.Config{})}
	if video {
		n := p.room.sfu.config.HistoryPackets
		pub.history = history.New(n, n*videoPayload)
	} else {
		pub.history = history.New(audioPackets, audioBytes)
	}
	pub.subscriptions.Store(&[]*subscription{})
	return pub
}

func (pub *publication) info() PublicationInfo {
	kind := "audio"
	if pub.video {
		kind = "video"
	}
	return PublicationInfo{ID: pub.id, MID: pub.mid, Kind: kind, Source: pub.source, Muted: pub.muted}
}

// set notes that the publication is muted or not. What comes is forwarded all the same: a muted microphone's silence keeps
// the receiver's clock running, and a camera's black frames or nothing at all are its client's choice. What to show meanwhile
// is the receivers' choice, who are told. A picture that comes back does so with a keyframe. The room's lock is held.
func (pub *publication) set(muted bool) {
	back := pub.muted && !muted
	pub.muted = muted
	if back && len(*pub.subscriptions.Load()) > 0 {
		pub.wantKeyframe(time.Now(), false)
	}
}

// subscribe and unsubscribe replace the list. The room's lock is held.
func (pub *publication) subscribe(s *subscription) {
	list := append(slices.Clone(*pub.subscriptions.Load()), s)
	pub.subscriptions.Store(&list)
	pub.owner.room.sfu.metrics.subscriptions.Add(1)
}

func (pub *publication) unsubscribe(s *subscription) {
	list := slices.DeleteFunc(slices.Clone(*pub.subscriptions.Load()), func(o *subscription) bool { return o == s })
	pub.subscriptions.Store(&list)
	pub.owner.room.sfu.metrics.subscriptions.Add(-1)
}

// restart begins a new epoch. The inbox's lock is held.
func (pub *publication) restart(ssrc uint32, codec *transport.Codec) {
	if pub.ssrc != ssrc {
		pub.sequence = seq.Sequence{}
		pub.books = report.NewReceiver(codec.Codec.ClockRate())
		pub.line = report.Line{}
	}
	pub.ssrc, pub.codec, pub.h264 = ssrc, codec.Codec, codec.H264
	pub.epoch++
	pub.missing.Reset()
	pub.history.Reset()
}

// firstSpacing is the shortest time between two keyframe requests for the sake of somebody who waits for a first picture.
// Joining is rare enough to be worth a keyframe; but libwebrtc does not hear a request within 300 ms of another.
const firstSpacing = 320 * time.Millisecond

// wantKeyframe asks the publisher for a keyframe, not more often than the configuration says: all who ask meanwhile are
// served by the next one. first says that whoever asks has no picture at all, and is not to wait that long.
func (pub *publication) wantKeyframe(now time.Time, first bool) {
	if !pub.video {
		return
	}
	in := &pub.owner.incoming
	in.mu.Lock()
	pub.wanted = true
	pub.first = pub.first || first
	at := pub.keyframeAt()
	in.mu.Unlock()
	if at.Before(now) {
		at = now
	}
	pub.owner.alarm.by(at)
}

// keyframeAt is when a wanted keyframe may be asked for. The inbox's lock is held.
func (pub *publication) keyframeAt() time.Time {
	spacing := pub.owner.room.sfu.config.KeyframeSpacing
	if pub.first {
		spacing = min(spacing, firstSpacing)
	}
	return pub.asked.Add(spacing)
}

// repeat makes m a packet out of the history, its payload in into; false when it is gone or from another epoch.
func (pub *publication) repeat(epoch uint64, sequence int64, m *media, into []byte) bool {
	in := &pub.owner.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	if pub.epoch != epoch {
		return false
	}
	old, ok := pub.history.Get(sequence)
	if !ok {
		return false
	}
	m.fill(pub, old)
	m.payload = into[:copy(into, old.Payload)]
	m.sent = m.payload
	if old.Padding > 0 {
		m.sent = appendPadding(m.payload, int(old.Padding))
	}
	return true
}
