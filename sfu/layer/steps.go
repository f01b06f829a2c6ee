package layer

// remembered is how many changes of layer a late packet can still be judged by.
const remembered = 8

// steps moves between layers by the flags of the codec's own descriptor. It works on pictures: what a picture's packets
// have in common is the timestamp, and a late packet is judged by what was in force at its own.
type steps struct {
	changes [remembered]change // a ring
	count   int                // of changes ever; 0: no keyframe yet

	free bool  // the newest picture lets any higher temporal layer follow
	seen uint8 // the newest picture's spatial layers so far, a bit each
	// The highest spatial layer of the newest picture so far, and of the one before it.
	top, topBefore uint8
}

// change says which layers are forwarded from the picture at a timestamp on.
type change struct {
	from              uint32
	spatial, temporal uint8
}

func (s *steps) now() *change { return &s.changes[(s.count-1)%remembered] }

func (s *steps) layer() Layer {
	if s.count == 0 {
		return Layer{}
	}
	return Layer{Spatial: s.now().spatial, Temporal: s.now().temporal}
}

// at is what was in force at a timestamp.
func (s *steps) at(timestamp uint32) *change {
	oldest := max(0, s.count-remembered)
	for i := s.count - 1; i > oldest; i-- {
		if c := &s.changes[i%remembered]; int32(timestamp-c.from) >= 0 {
			return c
		}
	}
	return &s.changes[oldest%remembered]
}

// set puts layers in force from a picture on.
func (s *steps) set(from uint32, spatial, temporal uint8) {
	if s.count > 0 {
		now := s.now()
		if now.spatial == spatial && now.temporal == temporal {
			return
		}
		if now.from == from {
			now.spatial, now.temporal = spatial, temporal
			return
		}
	}
	s.count++
	*s.now() = change{from, spatial, temporal}
}

// choose says whether p is forwarded. A fresh packet is the first of its picture, and newest says that it is of the newest.
func (s *steps) choose(p *Packet, wish Layer, fresh, newest bool, d *Decision) bool {
	if fresh {
		s.picture(p, wish)
	}
	if newest {
		s.climb(p, wish, fresh)
	}
	c := s.at(p.Timestamp)
	if p.Spatial > c.spatial || p.Temporal > c.temporal {
		return false
	}
	// RFC 9628 §4.1: the marker is on the last packet of a picture, which is another one when higher layers are left out.
	// Above an intra frame the next layer joins.
	d.Marker = d.Marker || p.Last && p.Spatial == c.spatial && !(p.Intra && p.Spatial < wish.Spatial)
	return true
}

// picture begins a picture: here one goes down, and up behind a wall or at a keyframe.
func (s *steps) picture(p *Packet, wish Layer) {
	s.topBefore, s.top, s.seen = s.top, 0, 0
	free := s.free
	s.free = false
	if p.Keyframe || s.count == 0 {
		s.set(p.Timestamp, 0, wish.Temporal) // Its spatial layers follow one by one.
		return
	}
	now := *s.now()
	if free {
		now.temporal = max(now.temporal, wish.Temporal)
	}
	s.set(p.Timestamp, min(now.spatial, wish.Spatial), min(now.temporal, wish.Temporal))
}

// climb goes up where the newest picture's flags allow it, with the first packet of a frame: later ones share its fate.
func (s *steps) climb(p *Packet, wish Layer, fresh bool) {
	first := s.seen>>(p.Spatial&7)&1 == 0
	s.seen |= 1 << (p.Spatial & 7)
	s.top = max(s.top, p.Spatial)
	now := *s.now()
	if fresh && p.Sync && p.Temporal == now.temporal+1 && p.Temporal <= wish.Temporal {
		now.temporal++
	}
	if first && p.Intra && p.Spatial == now.spatial+1 && p.Spatial <= wish.Spatial && p.Temporal <= now.temporal {
		now.spatial++
	}
	s.set(p.Timestamp, now.spatial, now.temporal)
	s.free = s.free || p.SwitchUp && p.Temporal <= now.temporal
}

// stuck says that a wanted spatial layer is there and out of reach.
func (s *steps) stuck(wish Layer) bool {
	return s.count > 0 && min(wish.Spatial, max(s.top, s.topBefore)) > s.now().spatial
}
