package protect

// window is how many of the last packets of a source are remembered one by one (RFC 3711 §3.3.2 asks for 64 at least): audio
// is repeated without RTX, and a path that reorders may hold a packet back for a second of video.
const window = 1024

// source is one SSRC of the peer: how far its index has come, and which of the last ones were opened. It exists only once a
// packet of it was authentic, and moves only with such packets.
type source struct {
	ssrc    uint32
	highest int64
	seen    [window / 64]uint64 // A ring: index i is bit i modulo window.
}

// estimate is the index that a sequence number most likely stands for: the nearest to the highest one, on a tie the one with
// the same roll-over counter (RFC 3711 §3.3.1). There is nothing before the first lap, so that a stream that starts near 2^15
// may jump ahead by more than half a lap. The result may be past endOfIndex.
func (s *source) estimate(seq uint16) int64 {
	const half, lap = 1 << 15, 1 << 16
	index := s.highest&^(lap-1) | int64(seq)
	switch ahead := index - s.highest; {
	case ahead > half && index >= lap:
		return index - lap
	case ahead < -half:
		return index + lap
	}
	return index
}

// bit is the place of an index in seen.
func bit(index int64) (word int, mask uint64) {
	i := uint64(index) % window
	return int(i / 64), 1 << (i % 64)
}

// fresh says that the packet was not opened before and is young enough to know.
func (s *source) fresh(index int64) bool {
	if index > s.highest {
		return true
	}
	word, mask := bit(index)
	return s.highest-index < window && s.seen[word]&mask == 0
}

// accept remembers that an authentic packet was opened.
func (s *source) accept(index int64) {
	if index-s.highest >= window {
		clear(s.seen[:])
		s.highest = index
	}
	for ; s.highest < index; s.highest++ {
		word, mask := bit(s.highest + 1)
		s.seen[word] &^= mask
	}
	word, mask := bit(index)
	s.seen[word] |= mask
}

// sources are those of one peer, MaxSources at most.
type sources struct {
	known map[uint32]*source
	last  *source // The one found last: packets come in runs.
}

// find returns nil for an SSRC without an authentic packet so far.
func (t *sources) find(ssrc uint32) *source {
	if t.last != nil && t.last.ssrc == ssrc {
		return t.last
	}
	s := t.known[ssrc]
	if s != nil {
		t.last = s
	}
	return s
}

// full says that a further source must be refused.
func (t *sources) full() bool { return len(t.known) >= MaxSources }

// check is what can be said about a packet of s, which may be nil, before its tag is verified: nil, ErrSources, ErrReplay.
func (t *sources) check(s *source, index int64) error {
	switch {
	case s == nil && t.full():
		return ErrSources
	case s != nil && !s.fresh(index):
		return ErrReplay
	}
	return nil
}

// accept remembers an authentic packet; s is nil for the first of its source.
func (t *sources) accept(s *source, ssrc uint32, index int64) {
	if s == nil {
		s = &source{ssrc: ssrc, highest: index}
		if t.known == nil {
			t.known = map[uint32]*source{}
		}
		t.known[ssrc], t.last = s, s
	}
	s.accept(index)
}
