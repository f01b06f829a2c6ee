package packet

import "slices"

// URIDependencyDescriptor names the extension that tells of frames and layers what an encrypted payload does not.
const URIDependencyDescriptor = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

// Dependency is the dependency descriptor of one packet (AV1 RTP specification, appendix A), with what it takes over from
// its template filled in.
type Dependency struct {
	// Structure is the one its template comes from; never nil after a successful Read.
	Structure *Structure
	// Attached says that the packet carries the structure: it is the first of a keyframe.
	Attached bool
	// First and Last mark the ends of a frame, which is one spatial layer of a picture.
	First, Last bool
	// Number is the frame number on the wire, Frame the same extended to 64 bits.
	Number uint16
	Frame  int64
	// Spatial and Temporal are the layers of the frame.
	Spatial, Temporal uint8
	// Active has a bit for each decode target that the sender produces. HasActive says that this packet tells so.
	Active    uint32
	HasActive bool

	template uint8
	frame    definition
	// What the frame does not take from its template.
	ownIndications, ownReferences, ownChains bool
}

// Indication is what the frame is to a decode target.
func (d *Dependency) Indication(target int) Indication { return d.frame.indication(target) }

// References are how many frames back the frames are that this one needs. The slice belongs to d.
func (d *Dependency) References() []uint16 { return d.frame.references[:d.frame.count] }

// Chain is how many frames back the chain's previous frame is; 0: this frame begins it.
func (d *Dependency) Chain(chain int) int { return int(d.frame.chains[chain]) }

// epoch is a structure and the frame that brought it.
type epoch struct {
	structure *Structure
	from      int64
}

// DependencyReader reads the descriptors of one encoding. It keeps the structure that keyframes bring, and the one before
// for packets that come late. The zero value is ready. It has one owner and no lock.
type DependencyReader struct {
	current, before epoch
	highest         int64
	started         bool
	active          uint32
	activeFrom      int64
	scratch         Structure
}

// Read reads raw, the extension's value, into d, overwriting all of it. It is false when raw is malformed, or its structure
// has not been seen; d is not to be used then. Reading a packet again changes nothing.
func (r *DependencyReader) Read(raw []byte, d *Dependency) bool {
	*d = Dependency{}
	if len(raw) < 3 {
		return false
	}
	in := bitReader{b: raw}
	d.First, d.Last = in.flag(), in.flag()
	d.template = uint8(in.read(6))
	d.Number = uint16(in.read(16))
	d.Frame = r.extend(d.Number)
	hasActive := false
	if len(raw) > 3 {
		d.Attached = in.flag()
		hasActive = in.flag()
		d.ownIndications, d.ownReferences, d.ownChains = in.flag(), in.flag(), in.flag()
		if d.Attached && !r.scratch.read(&in) {
			return false
		}
	}
	if d.Structure = r.structure(d); d.Structure == nil {
		return false
	}
	if hasActive {
		d.HasActive = true
		d.Active = in.read(d.Structure.targets)
	}
	if !d.define(&in) {
		return false
	}
	r.accept(d)
	return true
}

func (r *DependencyReader) extend(n uint16) int64 {
	if !r.started {
		return int64(n)
	}
	return r.highest + int64(int16(n-uint16(r.highest)))
}

// structure finds the structure that d's template is from. What d brings itself is in scratch.
func (r *DependencyReader) structure(d *Dependency) *Structure {
	for _, e := range [...]epoch{r.current, r.before} {
		switch {
		case e.structure == nil:
		case d.Attached && e.structure.equal(&r.scratch):
			return e.structure
		case !d.Attached && d.Frame >= e.from:
			return e.structure
		}
	}
	if !d.Attached {
		return nil
	}
	s := r.scratch
	s.templates = slices.Clone(s.templates)
	return &s
}

// define fills in what the frame takes from its template or says itself.
func (d *Dependency) define(in *bitReader) bool {
	t := d.Structure.template(d.template)
	if t == nil {
		return false
	}
	d.Spatial, d.Temporal, d.frame = t.spatial, t.temporal, t.definition
	if d.ownIndications {
		d.frame.indications = readIndications(in, d.Structure.targets)
	}
	if d.ownReferences {
		d.frame.count = 0
		d.frame.references = [maxReferences]uint16{}
		for size := in.read(2); size != 0; size = in.read(2) {
			if !d.frame.refer(in.read(4*int(size)) + 1) {
				return false
			}
		}
	}
	if d.ownChains {
		for c := range d.Structure.chains {
			d.frame.chains[c] = uint8(in.read(8))
		}
	}
	return !in.over
}

// accept moves on to what a whole descriptor says.
func (r *DependencyReader) accept(d *Dependency) {
	r.highest = max(r.highest, d.Frame)
	if !r.started {
		r.started, r.highest = true, d.Frame
	}
	if d.Attached && (r.current.structure == nil || d.Frame > r.current.from) {
		r.before, r.current = r.current, epoch{d.Structure, d.Frame}
	}
	switch {
	case d.HasActive:
	case d.Attached:
		d.Active = 1<<d.Structure.targets - 1
	default:
		d.Active = r.active
		return
	}
	if d.Frame >= r.activeFrom {
		r.active, r.activeFrom = d.Active, d.Frame
	}
}

// Append writes the descriptor after dst and returns the longer slice. One that was read and not changed comes out as it
// was. With a copy one may change Number, to continue another source's, and Active with HasActive, to tell a receiver which
// targets it gets: at most 5 bytes are added then.
func (d *Dependency) Append(dst []byte) []byte {
	w := bitWriter{b: dst}
	w.flag(d.First)
	w.flag(d.Last)
	w.write(uint32(d.template), 6)
	w.write(uint32(d.Number), 16)
	if !d.Attached && !d.HasActive && !d.ownIndications && !d.ownReferences && !d.ownChains {
		return w.b
	}
	w.flag(d.Attached)
	w.flag(d.HasActive)
	w.flag(d.ownIndications)
	w.flag(d.ownReferences)
	w.flag(d.ownChains)
	if d.Attached {
		d.Structure.write(&w)
	}
	if d.HasActive {
		w.write(d.Active, d.Structure.targets)
	}
	if d.ownIndications {
		writeIndications(&w, d.frame.indications, d.Structure.targets)
	}
	if d.ownReferences {
		for _, n := range d.References() {
			size := referenceSize(n)
			w.write(uint32(size), 2)
			w.write(uint32(n-1), 4*size)
		}
		w.write(0, 2)
	}
	if d.ownChains {
		for c := range d.Structure.chains {
			w.write(uint32(d.frame.chains[c]), 8)
		}
	}
	return w.b
}

// referenceSize is the shortest way to write a difference, in units of four bits.
func referenceSize(n uint16) int {
	switch {
	case n <= 1<<4:
		return 1
	case n <= 1<<8:
		return 2
	}
	return 3
}
