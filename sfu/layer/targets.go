package layer

import "github.com/parleyrtc/parley/sfu/packet"

// announced is for how many frames a receiver is told of a change of decode targets: a second of video, and some loss.
const announced = 32

// targets moves between decode targets by the dependency descriptor (AV1 RTP specification §A.4.4). It works on frames,
// whose numbers tell which ones have been forwarded, and so whether another can be decoded.
type targets struct {
	structure *packet.Structure // nil: no keyframe yet
	order     [packet.MaxTargets]uint8
	current   int

	changes [remembered]turn // a ring
	count   int              // of changes ever

	highest int64
	sent    window // the frames forwarded

	active uint32 // as the sender says
	mask   uint32 // of those, what current includes
	tell   int    // for so many frames more
}

// turn says which target is forwarded from a frame on.
type turn struct {
	from   int64
	target int
}

// at is the target in force at a frame, -1 when that is not known any more.
func (t *targets) at(frame int64) int {
	for i := t.count - 1; i >= max(0, t.count-remembered); i-- {
		if c := &t.changes[i%remembered]; frame >= c.from {
			return c.target
		}
	}
	return -1
}

func (t *targets) layer() Layer {
	if t.structure == nil {
		return Layer{}
	}
	return layerOf(t.structure, t.current)
}

func layerOf(s *packet.Structure, target int) Layer {
	spatial, temporal := s.Layer(target)
	return Layer{Spatial: spatial, Temporal: temporal}
}

// choose says whether p is forwarded. All packets of a frame share its fate.
func (t *targets) choose(p *Packet, wish Layer, urgent, fresh bool, d *Decision) bool {
	f := &p.Dependency
	if !p.HasDependency || t.structure == nil && !p.Keyframe { // Nothing is known of it but its layers.
		l := t.layer()
		return p.Spatial <= l.Spatial && p.Temporal <= l.Temporal
	}
	switch {
	case t.structure == nil || f.Frame > t.highest:
		t.advance(f)
		t.consider(f, wish, urgent, fresh)
	case f.Frame <= t.highest-windowSize || f.Structure != t.structure:
		return false
	}
	target := t.at(f.Frame)
	if target < 0 || f.Indication(target) == packet.NotPresent {
		return false
	}
	t.sent.set(f.Frame)
	t.finish(f, target, d)
	return true
}

// finish says what changes in a packet that is forwarded.
func (t *targets) finish(f *packet.Dependency, target int, d *Decision) {
	spatial, _ := t.structure.Layer(target)
	d.Marker = d.Marker || f.Last && f.Spatial == spatial
	d.Active = t.mask
	d.Announce = t.tell > 0 || (f.Attached || f.HasActive) && t.mask != f.Active
}

// advance makes f the newest frame.
func (t *targets) advance(f *packet.Dependency) {
	if t.structure == nil {
		t.sent = window{}
	} else {
		t.sent.advance(t.highest, f.Frame)
	}
	t.highest = f.Frame
	if t.tell > 0 {
		t.tell--
	}
	if t.structure != f.Structure {
		t.structure = f.Structure
		t.sort()
		t.current, t.count, t.active = -1, 0, 0
	}
	if t.active != f.Active {
		t.active = f.Active
		t.remask()
	}
}

// sort orders the targets from the best to the least.
func (t *targets) sort() {
	for i := range t.structure.Targets() {
		at := i
		for ; at > 0 && t.better(i, int(t.order[at-1])); at-- {
			t.order[at] = t.order[at-1]
		}
		t.order[at] = uint8(i)
	}
}

// better compares by size, then by frame rate.
func (t *targets) better(a, b int) bool {
	x, y := layerOf(t.structure, a), layerOf(t.structure, b)
	if x.Spatial != y.Spatial {
		return x.Spatial > y.Spatial
	}
	return x.Temporal > y.Temporal
}

// consider changes the current target where f allows it.
func (t *targets) consider(f *packet.Dependency, wish Layer, urgent, fresh bool) {
	if t.current >= 0 && t.current == t.best(wish) {
		return
	}
	settled := t.current >= 0 && t.allowed(t.current, wish)
	decodable := t.decodable(f)
	for _, o := range t.order[:t.structure.Targets()] {
		c := int(o)
		if settled && !t.better(c, t.current) {
			return
		}
		if !t.allowed(c, wish) {
			continue
		}
		down := fresh && t.current >= 0 && t.structure.Within(c, t.current)
		if down || decodable && f.Indication(c) == packet.Switchable {
			t.change(c, f.Frame)
			return
		}
	}
	switch {
	case t.current < 0:
		t.change(t.best(wish), f.Frame)
	case urgent && fresh && !settled:
		t.slow(f.Frame)
	}
}

// slow falls to the lowest frame rate of the current size.
func (t *targets) slow(frame int64) {
	spatial, _ := t.structure.Layer(t.current)
	lowest := t.current
	for c := range t.structure.Targets() {
		if s, _ := t.structure.Layer(c); s == spatial && t.structure.Within(c, t.current) && t.better(lowest, c) {
			lowest = c
		}
	}
	if lowest != t.current {
		t.change(lowest, frame)
	}
}

func (t *targets) allowed(target int, wish Layer) bool {
	l := layerOf(t.structure, target)
	return t.active>>target&1 != 0 && l.Spatial <= wish.Spatial && l.Temporal <= wish.Temporal
}

// best is the target that is wanted: the best one allowed, else the least that there is.
func (t *targets) best(wish Layer) int {
	least := int(t.order[t.structure.Targets()-1])
	for _, o := range t.order[:t.structure.Targets()] {
		if t.allowed(int(o), wish) {
			return int(o)
		}
		if t.active>>o&1 != 0 {
			least = int(o)
		}
	}
	return least
}

func (t *targets) change(target int, from int64) {
	t.current = target
	t.changes[t.count%remembered] = turn{from, target}
	t.count++
	t.remask()
}

// remask finds what a receiver gets of the active targets, and sees that it is told.
func (t *targets) remask() {
	var mask uint32
	for c := range t.structure.Targets() {
		if t.current >= 0 && t.active>>c&1 != 0 && t.structure.Within(c, t.current) {
			mask |= 1 << c
		}
	}
	if mask == t.mask {
		return
	}
	before := t.mask
	t.mask, t.tell = mask, announced
	if before == 0 && mask == t.active { // A new structure, and the receiver gets all of it, as it supposes.
		t.tell = 0
	}
}

// decodable says that all frames that f refers to were forwarded.
func (t *targets) decodable(f *packet.Dependency) bool {
	for _, back := range f.References() {
		n := f.Frame - int64(back)
		if n <= t.highest-windowSize || !t.sent.has(n) {
			return false
		}
	}
	return true
}

// stuck says that a wanted size is there and has not been reached.
func (t *targets) stuck(wish Layer) bool {
	if t.structure == nil || t.current < 0 {
		return false
	}
	spatial, _ := t.structure.Layer(t.best(wish))
	now, _ := t.structure.Layer(t.current)
	return spatial != now
}

// windowSize is how many frames back are remembered, more than any template refers back.
const windowSize = 256

// window has one bit for each of the last windowSize frames.
type window [windowSize / 64]uint64

func (w *window) has(n int64) bool { return w[uint64(n)%windowSize/64]>>(uint64(n)%64)&1 != 0 }

func (w *window) set(n int64) { w[uint64(n)%windowSize/64] |= 1 << (uint64(n) % 64) }

// advance clears the bits of (from, to], which now stand for new frames.
func (w *window) advance(from, to int64) {
	if to-from >= windowSize {
		*w = window{}
		return
	}
	for n := from + 1; n <= to; n++ {
		w[uint64(n)%windowSize/64] &^= 1 << (uint64(n) % 64)
	}
}
