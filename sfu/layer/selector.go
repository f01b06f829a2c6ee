package layer

// Selector chooses the packets of one subscription. The zero value wants nothing. It has one owner and no lock.
type Selector struct {
	wanted  bool
	urgent  bool
	target  Layer
	running bool
	current uint8 // encoding, while running

	newest uint32 // timestamp of the newest picture of the current encoding

	// One of these is in use, by what the encoding's last keyframe told.
	described bool
	steps     steps
	targets   targets
}

// Set says what is wanted from now on. An urgent wish is for the sake of a link that cannot carry more: what must wait for
// a keyframe to become smaller falls to its lowest frame rate meanwhile.
func (s *Selector) Set(target Layer, urgent bool) {
	s.wanted, s.target, s.urgent = true, target, urgent
}

// Pause stops at once. What is wanted again after that begins with a keyframe.
func (s *Selector) Pause() { s.wanted, s.running = false, false }

// Restart forgets what is forwarded and keeps what is wanted, as when the publisher's codec or its numbers change. It goes on
// with a keyframe.
func (s *Selector) Restart() { s.running = false }

// Current is the highest layer that is forwarded; false when nothing is.
func (s *Selector) Current() (Layer, bool) {
	if !s.running {
		return Layer{}, false
	}
	l := s.within()
	l.Encoding = s.current
	return l, true
}

// within is the layer inside the current encoding.
func (s *Selector) within() Layer {
	if s.described {
		return s.targets.layer()
	}
	return s.steps.layer()
}

// Wants is the encoding that a keyframe is wanted of, because what is wanted cannot be reached otherwise.
func (s *Selector) Wants() (encoding uint8, ok bool) {
	switch {
	case !s.wanted:
		return 0, false
	case !s.running || s.current != s.target.Encoding:
		return s.target.Encoding, true
	case s.described:
		return s.current, s.targets.stuck(s.target)
	}
	return s.current, s.steps.stuck(s.target)
}

// Choose says what becomes of a packet. Packets of all encodings are to be shown to it, each once, in order of arrival.
func (s *Selector) Choose(p *Packet) Decision {
	d := Decision{Verdict: Forward, Marker: p.Marker}
	if !s.running || p.Encoding != s.current {
		switch {
		case s.begins(p):
			s.begin(p)
			d.Verdict = Begin
		case s.wanted && p.Encoding == s.target.Encoding:
			return Decision{Verdict: Waiting}
		default:
			return Decision{Verdict: Other}
		}
	}
	fresh := d.Verdict == Begin || int32(p.Timestamp-s.newest) > 0
	if fresh {
		s.newest = p.Timestamp
		if p.Keyframe {
			s.renew(p)
		}
	}
	var forward bool
	if s.described {
		forward = s.targets.choose(p, s.wish(), s.urgent, fresh, &d)
	} else {
		forward = s.steps.choose(p, s.wish(), fresh, p.Timestamp == s.newest, &d)
	}
	switch {
	case forward:
		return d
	case d.Verdict == Begin: // A structure whose first frame belongs to nothing that is wanted.
		s.running = false
		return Decision{Verdict: Waiting}
	}
	return Decision{Verdict: Skip}
}

// begins says whether p may be the first packet of its encoding. While there is no picture at all a smaller one than wanted
// will do.
func (s *Selector) begins(p *Packet) bool {
	return s.wanted && p.Keyframe && (p.Encoding == s.target.Encoding || !s.running && p.Encoding < s.target.Encoding)
}

func (s *Selector) begin(p *Packet) {
	s.running, s.current = true, p.Encoding
	s.described = p.HasDependency
	s.steps, s.targets = steps{}, targets{}
}

// renew prepares for a keyframe of the current encoding, after which layers are told as it tells them.
func (s *Selector) renew(p *Packet) {
	if s.described != p.HasDependency {
		s.described = p.HasDependency
		s.steps, s.targets = steps{}, targets{}
	}
}

// wish is what is wanted of the current encoding. One that another shall replace stays as it is.
func (s *Selector) wish() Layer {
	if s.current == s.target.Encoding {
		return s.target
	}
	l := s.within()
	if s.urgent && s.target.Encoding < s.current {
		l.Temporal = 0
	}
	return l
}
