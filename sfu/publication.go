package sfu

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/sfu/layer"
)

// publication is one track that a participant sends.
type publication struct {
	// Set at construction.
	owner  *participant
	id     string
	mid    string
	source string
	video  bool

	microphone *microphone // nil: always heard

	muted  bool   // guarded by room.mu
	demand demand // guarded by room.mu

	// subscriptions never changes: it is replaced, with room.mu held.
	subscriptions atomic.Pointer[[]*subscription]

	// Guarded by owner.incoming.mu.
	encodings []*encoding // from the smallest to the largest; never empty
	beat      uint32      // counts pictures of all encodings
}

func newPublication(p *participant, mid, source string, video bool) *publication {
	pub := &publication{owner: p, id: p.id + "." + mid, mid: mid, source: source, video: video}
	pub.encodings = []*encoding{newEncoding(pub, "", 0, 1)}
	if source == "microphone" {
		pub.microphone = p.room.speakers.join(time.Now(), p)
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

// set notes that the publication is muted or not. What comes is forwarded all the same, but for the microphones of a room in
// which only some are heard: a muted microphone's silence keeps the receiver's clock running, and a camera's black frames or
// nothing at all are its client's choice. What to show meanwhile
// is the receivers' choice, who are told. A picture that comes back does so with a keyframe. The room's lock is held.
func (pub *publication) set(muted bool) {
	back := pub.muted && !muted
	pub.muted = muted
	pub.owner.room.speakers.mute(time.Now(), pub.microphone, muted)
	if back && len(*pub.subscriptions.Load()) > 0 {
		pub.wantKeyframe(time.Now(), layer.All, false)
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

// shape gives the publication the encodings that are named so, from the smallest to the largest; none: there is one without a
// name. Those that it had go on. The inbox's lock is held.
func (pub *publication) shape(rids []string) {
	if len(rids) == 0 {
		rids = []string{""}
	}
	same := func(e *encoding, rid string) bool { return e.rid == rid }
	if slices.EqualFunc(pub.encodings, rids, same) {
		return
	}
	old := pub.encodings
	pub.encodings = make([]*encoding, len(rids))
	for i, rid := range rids {
		at := slices.IndexFunc(old, func(e *encoding) bool { return e.rid == rid })
		if at < 0 {
			pub.encodings[i] = newEncoding(pub, strings.Clone(rid), i, len(rids)) // or the whole offer would stay in memory
			continue
		}
		pub.encodings[i] = old[at]
		pub.encodings[i].index = uint8(i)
		pub.encodings[i].epoch++ // whoever knew it under another index begins anew
		pub.encodings[i].history.Reset()
	}
}
