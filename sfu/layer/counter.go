package layer

// sources is how many sources back a late packet can still be renumbered.
const sources = 8

// Counter joins the numbers of sources that follow each other in one outgoing stream, where the codec or an extension counts
// for itself: picture ids and TL0PICIDX of VP9 (RFC 9628 §4.2), frame numbers of the dependency descriptor. A receiver
// would take a number that leaps back for an old picture's. Gaps stay. The zero value is ready. It has one owner and no lock.
type Counter struct {
	shifts  [sources]shift // a ring
	count   int
	highest uint16
}

type shift struct {
	source uint64
	by     uint16
}

// Begin makes source the newest, with value on its first packet. mask is the largest value, one less than a power of two.
// The first source of all passes unchanged.
func (c *Counter) Begin(source uint64, value, mask uint16) {
	s := shift{source: source}
	if c.count > 0 {
		s.by = c.highest + 1 - value
	}
	c.shifts[c.count%sources] = s
	c.count++
	c.highest = (value + s.by) & mask
}

// Map is what a value of source becomes; false for a source that did not begin lately.
func (c *Counter) Map(source uint64, value, mask uint16) (uint16, bool) {
	for i := c.count - 1; i >= max(0, c.count-sources); i-- {
		if s := &c.shifts[i%sources]; s.source == source {
			out := (value + s.by) & mask
			if i == c.count-1 && (out-c.highest)&mask <= mask/2 {
				c.highest = out
			}
			return out, true
		}
	}
	return 0, false
}
