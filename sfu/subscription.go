package sfu

import (
	"math/bits"
	"sync/atomic"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/transport"
)

// subscription is one publication carried into one line: another publication, or the same one after something else, is another
// subscription.
type subscription struct {
	publication *publication
	line        *line
	id          uint64 // of all in the room

	granted uint8 // a bit for each encoding that it may be sent of; guarded by room.mu

	begun atomic.Bool // its first packets have been looked for; cleared with the receiver's lock held

	// Guarded by line.to.sending. Sound has one layer, and is not chosen from.
	selector layer.Selector
	wish     layer.Layer // the best that may be forwarded
	urgent   bool
	paused   bool
	arriving uint8 // which encodings were, when it was last aimed
	shows    replay
}

// everything is the wish for the best that there is.
var everything = layer.Layer{Encoding: layer.All, Spatial: layer.All, Temporal: layer.All}

// smallest is the wish for the smallest encoding, with all its layers.
var smallest = layer.Layer{Spatial: layer.All, Temporal: layer.All}

// newSubscription is made with the room's lock held.
func newSubscription(pub *publication, l *line) *subscription {
	r := l.to.room
	r.subscribed++
	return &subscription{publication: pub, line: l, id: r.subscribed, granted: all, wish: l.first()}
}

// provenRate is what a network must have been found to carry for a new picture to begin with the largest encoding.
const provenRate = 2_000_000

// first is what a new picture begins with, before it has its share: the smallest encoding, whose first keyframe is some packets,
// where the network is not known to carry a large one.
func (l *line) first() layer.Layer {
	if l.reported() && !l.to.proven.Load() {
		return smallest
	}
	return everything
}

// reported says whether the client has agreed to report what arrives on the line, and somebody goes by it.
func (l *line) reported() bool {
	a := l.agreed.Load()
	return a != nil && a.transport != 0 && l.to.room.sfu.config.Pacing != transport.Off
}

// want says what may be forwarded at best from now on; an urgent wish is for the sake of a link that cannot carry more, see
// layer.Selector. The receiver's lock is held.
func (s *subscription) want(best layer.Layer, urgent bool) {
	if s.paused {
		s.begun.Store(false)
	}
	s.wish, s.urgent, s.paused = best, urgent, false
	s.aim(s.arriving)
}

// pause stops forwarding until something is wanted. The receiver's lock is held.
func (s *subscription) pause() {
	if s.paused {
		return
	}
	s.paused = true
	s.selector.Pause()
	if l := s.line; l.carried == s {
		l.origin = origin{}
		l.numbers.Switch(0)
	}
}

// shown is the layer that is forwarded; false when nothing is. The receiver's lock is held.
func (s *subscription) shown() (layer.Layer, bool) { return s.selector.Current() }

// aim chooses what is wanted of the encodings that are arriving: a publisher stops the largest when its own link or processor
// cannot carry them all. The receiver's lock is held.
func (s *subscription) aim(arriving uint8) {
	s.arriving = arriving
	if s.paused || arriving == 0 {
		return
	}
	target := s.wish
	if e := nearest(arriving, target.Encoding); e != target.Encoding {
		target.Encoding = e
		if s.wish.Encoding != layer.All {
			target.Spatial, target.Temporal = layer.All, layer.All
		}
	}
	s.selector.Set(target, s.urgent)
}

// nearest is the largest of some encodings that is no larger than the best, else the smallest. There is at least one.
func nearest(encodings, best uint8) uint8 {
	if below := encodings & (2<<min(best, 7) - 1); below != 0 {
		return uint8(bits.Len8(below) - 1)
	}
	return uint8(bits.TrailingZeros8(encodings))
}
