package packet

import "slices"

// Limits of the dependency descriptor (AV1 RTP specification, table A.1 and the widths of §A.4.1).
const (
	MaxTargets = 32
	maxChains  = MaxTargets
	templates  = 64
	maxSpatial = 3
	maxTime    = 7
	// maxReferences is how many earlier frames one frame may refer to: AV1 has seven, and one more of the layer below.
	maxReferences = 8
)

// Indication is what a frame is to a decode target (table A.2).
type Indication uint8

// The indications.
const (
	// NotPresent frames are not part of the target.
	NotPresent Indication = iota
	// Discardable frames are part of it, and no other frame of it refers to them.
	Discardable
	// Switchable frames are where one may begin to forward the target, when they can be decoded themselves.
	Switchable
	// Required frames are neither.
	Required
)

// definition is what a template or a frame says of its dependencies.
type definition struct {
	indications uint64 // two bits for each target, the first one lowest
	references  [maxReferences]uint16
	count       uint8
	chains      [maxChains]uint8
}

func (f *definition) indication(target int) Indication {
	return Indication(f.indications >> (2 * target) & 3)
}

// frameTemplate is what many frames have in common.
type frameTemplate struct {
	spatial, temporal uint8
	definition
}

// Structure is the template dependency structure of a coded video sequence: which decode targets there are and what its
// frames are to them (§A.4.1). It never changes and may be shared.
type Structure struct {
	offset    uint8
	targets   int
	chains    int
	templates []frameTemplate
	protected [MaxTargets]uint8 // by which chain
	// resolutions are width and height minus one of each spatial layer.
	resolutions [maxSpatial + 1][2]uint16
	resolved    bool
	spatial     uint8 // the highest id

	present [MaxTargets]uint64 // which templates are part of a target
	layers  [MaxTargets]struct{ spatial, temporal uint8 }
}

// Targets is the number of decode targets, 1 to MaxTargets.
func (s *Structure) Targets() int { return s.targets }

// Layer is the highest spatial and temporal layer of a target.
func (s *Structure) Layer(target int) (spatial, temporal uint8) {
	l := &s.layers[target]
	return l.spatial, l.temporal
}

// Within says that all frames of target a are also frames of b, so that whoever gets b has all that a needs.
func (s *Structure) Within(a, b int) bool { return s.present[a]&^s.present[b] == 0 }

// Resolution is the largest size of a spatial layer's frames in pixels; false when the structure does not tell.
func (s *Structure) Resolution(spatial uint8) (width, height int, ok bool) {
	if !s.resolved || spatial > s.spatial {
		return 0, 0, false
	}
	r := s.resolutions[spatial]
	return int(r[0]) + 1, int(r[1]) + 1, true
}

// ProtectedBy is the chain that a target needs unbroken; false when the structure has no chains.
func (s *Structure) ProtectedBy(target int) (chain int, ok bool) {
	return int(s.protected[target]), s.chains > 0
}

// template finds the template with the given id, nil when it belongs to another structure.
func (s *Structure) template(id uint8) *frameTemplate {
	i := int(id-s.offset) & (templates - 1)
	if i >= len(s.templates) {
		return nil
	}
	return &s.templates[i]
}

// equal compares all that is read from the wire.
func (s *Structure) equal(o *Structure) bool {
	return s.offset == o.offset && s.targets == o.targets && s.chains == o.chains && s.protected == o.protected &&
		s.resolved == o.resolved && s.resolutions == o.resolutions && slices.Equal(s.templates, o.templates)
}

// read takes a structure from the wire into s, whose templates are written over. It is false when it is malformed.
func (s *Structure) read(r *bitReader) bool {
	*s = Structure{templates: s.templates[:0]}
	s.offset = uint8(r.read(6))
	s.targets = int(r.read(5)) + 1
	if !s.readLayers(r) {
		return false
	}
	for i := range s.templates {
		s.templates[i].indications = readIndications(r, s.targets)
	}
	for i := range s.templates {
		f := &s.templates[i]
		for r.flag() {
			if !f.refer(r.read(4) + 1) {
				return false
			}
		}
	}
	s.readChains(r)
	if s.resolved = r.flag(); s.resolved {
		for i := range s.spatial + 1 {
			s.resolutions[i] = [2]uint16{uint16(r.read(16)), uint16(r.read(16))}
		}
	}
	s.derive()
	return !r.over
}

// What comes after a template in the list of layers (table A.3).
const (
	sameLayer = iota
	nextTemporal
	nextSpatial
	noMoreLayers
)

func (s *Structure) readLayers(r *bitReader) bool {
	var spatial, temporal uint8
	for {
		if len(s.templates) == templates || spatial > maxSpatial || temporal > maxTime {
			return false
		}
		s.templates = append(s.templates, frameTemplate{spatial: spatial, temporal: temporal})
		switch r.read(2) {
		case nextTemporal:
			temporal++
		case nextSpatial:
			temporal = 0
			spatial++
		case noMoreLayers:
			s.spatial = spatial
			return true
		}
		if r.over {
			return false
		}
	}
}

func (s *Structure) readChains(r *bitReader) {
	s.chains = int(r.below(uint32(s.targets) + 1))
	if s.chains == 0 {
		return
	}
	for i := range s.targets {
		s.protected[i] = uint8(r.below(uint32(s.chains)))
	}
	for i := range s.templates {
		for c := range s.chains {
			s.templates[i].chains[c] = uint8(r.read(4))
		}
	}
}

// derive finds what the targets consist of.
func (s *Structure) derive() {
	for t := range s.targets {
		l := &s.layers[t]
		for i := range s.templates {
			if f := &s.templates[i]; f.indication(t) != NotPresent {
				s.present[t] |= 1 << i
				l.spatial, l.temporal = max(l.spatial, f.spatial), max(l.temporal, f.temporal)
			}
		}
	}
}

// write is the inverse of read.
func (s *Structure) write(w *bitWriter) {
	w.write(uint32(s.offset), 6)
	w.write(uint32(s.targets-1), 5)
	for i := range s.templates {
		w.write(s.follows(i), 2)
	}
	for i := range s.templates {
		writeIndications(w, s.templates[i].indications, s.targets)
	}
	for i := range s.templates {
		f := &s.templates[i]
		for _, n := range f.references[:f.count] {
			w.flag(true)
			w.write(uint32(n-1), 4)
		}
		w.flag(false)
	}
	w.below(uint32(s.chains), uint32(s.targets)+1)
	if s.chains > 0 {
		for i := range s.targets {
			w.below(uint32(s.protected[i]), uint32(s.chains))
		}
		for i := range s.templates {
			for c := range s.chains {
				w.write(uint32(s.templates[i].chains[c]), 4)
			}
		}
	}
	w.flag(s.resolved)
	if s.resolved {
		for i := range s.spatial + 1 {
			w.write(uint32(s.resolutions[i][0]), 16)
			w.write(uint32(s.resolutions[i][1]), 16)
		}
	}
}

// follows is how the template after i differs from it.
func (s *Structure) follows(i int) uint32 {
	switch {
	case i+1 == len(s.templates):
		return noMoreLayers
	case s.templates[i+1].spatial != s.templates[i].spatial:
		return nextSpatial
	case s.templates[i+1].temporal != s.templates[i].temporal:
		return nextTemporal
	}
	return sameLayer
}

func (f *definition) refer(difference uint32) bool {
	if int(f.count) == maxReferences {
		return false
	}
	f.references[f.count] = uint16(difference)
	f.count++
	return true
}

func readIndications(r *bitReader, targets int) (v uint64) {
	for t := range targets {
		v |= uint64(r.read(2)) << (2 * t)
	}
	return v
}

func writeIndications(w *bitWriter, v uint64, targets int) {
	for t := range targets {
		w.write(uint32(v>>(2*t)&3), 2)
	}
}
