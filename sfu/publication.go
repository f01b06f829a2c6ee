package sfu

import (
	"slices"
	"sync/atomic"
	"time"
)

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

	encodings []*encoding // guarded by owner.incoming.mu; never empty
}

func newPublication(p *participant, mid, source string, video bool) *publication {
	pub := &publication{owner: p, id: p.id + "." + mid, mid: mid, source: source, video: video}
	pub.encodings = []*encoding{newEncoding(pub)}
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
