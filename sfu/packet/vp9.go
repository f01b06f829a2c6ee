package packet

import "encoding/binary"

// VP9Descriptor is the payload descriptor of RFC 9628 §4.2. A picture is what is captured at one time; its frames are its
// spatial layers.
type VP9Descriptor struct {
	// Start and End mark the ends of a frame.
	Start, End bool
	// Keyframe is set on the first packet of a picture that needs no other, as far as the clear part of a frame tells.
	Keyframe bool
	// Predicted frames refer to frames of earlier pictures. The others are where one may switch up to their spatial layer.
	Predicted bool
	// Flexible says that the descriptor itself names the pictures referred to, in References.
	Flexible bool
	// NotForUpper frames are not referred to by the spatial layer above.
	NotForUpper bool

	HasPictureID, HasLayers, HasTL0, HasStructure bool
	// Long says that the picture id takes 15 bits, else 7.
	Long      bool
	PictureID uint16
	// TID and SID are the temporal and the spatial layer, 0 to 7 each.
	TID, SID uint8
	// SwitchUp: later pictures of higher temporal layers refer to none of those layers before this picture.
	SwitchUp bool
	// InterLayer frames refer to the spatial layer below in the same picture.
	InterLayer bool
	// TL0 counts the pictures of the lowest temporal layer, modulo 256. Only in non-flexible mode.
	TL0 uint8
	// References are how many pictures back the pictures referred to are, ReferenceCount of them.
	References     [3]uint8
	ReferenceCount int

	// Structure is set when HasStructure.
	Structure VP9Structure

	// Size is the length of the descriptor in bytes.
	Size int

	pictureIDAt, tl0At int
}

// VP9Structure is the scalability structure of RFC 9628 §4.2.1.
type VP9Structure struct {
	// SpatialLayers is 1 to 8.
	SpatialLayers int
	// Resolutions are width and height of the spatial layers in pixels, when Resolved.
	Resolutions [8][2]uint16
	Resolved    bool
	// Group is the length of the picture group in pictures, 0 when there is none, and TemporalLayers how many layers it has.
	Group, TemporalLayers int
}

// Flags of the first byte.
const (
	vp9PictureID   = 0x80
	vp9Predicted   = 0x40
	vp9Layers      = 0x20
	vp9Flexible    = 0x10
	vp9Start       = 0x08
	vp9End         = 0x04
	vp9Structure   = 0x02
	vp9NotForUpper = 0x01
)

// PictureIDMask is the largest picture id of the descriptor's width.
func (d *VP9Descriptor) PictureIDMask() uint16 { return pictureIDMask(d.Long) }

// ParseVP9 reads the descriptor at the start of payload into d, overwriting all of it. It is false when the payload ends
// inside the descriptor or right after it, and when flexible mode names more than three references.
func ParseVP9(payload []byte, d *VP9Descriptor) bool {
	*d = VP9Descriptor{}
	if len(payload) < 2 {
		return false
	}
	first := payload[0]
	d.Predicted, d.Flexible = first&vp9Predicted != 0, first&vp9Flexible != 0
	d.Start, d.End = first&vp9Start != 0, first&vp9End != 0
	d.NotForUpper = first&vp9NotForUpper != 0
	r := byteReader{b: payload, at: 1}
	if first&vp9PictureID != 0 {
		d.pictureID(&r)
	}
	if first&vp9Layers != 0 {
		d.layers(&r)
	}
	if d.Flexible && d.Predicted && !d.references(&r) {
		return false
	}
	if first&vp9Structure != 0 {
		d.HasStructure = true
		d.Structure.read(&r)
	}
	if r.over || r.at >= len(payload) {
		return false
	}
	d.Size = r.at
	d.Keyframe = d.Start && !d.Predicted && d.SID == 0 && keyframeHeaderVP9(payload[r.at])
	return true
}

func (d *VP9Descriptor) pictureID(r *byteReader) {
	d.HasPictureID = true
	d.pictureIDAt = r.at
	b := r.next()
	d.PictureID = uint16(b)
	if b&0x80 != 0 {
		d.Long = true
		d.PictureID = uint16(b&0x7F)<<8 | uint16(r.next())
	}
}

func (d *VP9Descriptor) layers(r *byteReader) {
	b := r.next()
	d.HasLayers = true
	d.TID, d.SwitchUp = b>>5, b&0x10 != 0
	d.SID, d.InterLayer = b>>1&0x07, b&0x01 != 0
	if !d.Flexible {
		d.HasTL0 = true
		d.tl0At = r.at
		d.TL0 = r.next()
	}
}

func (d *VP9Descriptor) references(r *byteReader) bool {
	for d.ReferenceCount < len(d.References) {
		b := r.next()
		d.References[d.ReferenceCount] = b >> 1
		d.ReferenceCount++
		if b&0x01 == 0 {
			return true
		}
	}
	return false
}

func (s *VP9Structure) read(r *byteReader) {
	head := r.next()
	s.SpatialLayers = int(head>>5) + 1
	if s.Resolved = head&0x10 != 0; s.Resolved {
		for i := range s.SpatialLayers {
			s.Resolutions[i] = [2]uint16{r.next16(), r.next16()}
		}
	}
	if head&0x08 == 0 {
		return
	}
	s.Group = int(r.next())
	for range s.Group {
		b := r.next()
		s.TemporalLayers = max(s.TemporalLayers, int(b>>5)+1)
		r.at += int(b >> 2 & 0x03)
	}
}

// Patch writes new indices into payload, which must hold at least d.Size bytes and be the one d was parsed from or a copy
// of it. Fields the descriptor does not have stay out and widths stay as they are, so the length does not change.
func (d *VP9Descriptor) Patch(payload []byte, pictureID uint16, tl0 uint8) {
	if d.HasPictureID {
		if d.Long {
			binary.BigEndian.PutUint16(payload[d.pictureIDAt:], pictureID|0x8000)
		} else {
			payload[d.pictureIDAt] = uint8(pictureID & 0x7F)
		}
	}
	if d.HasTL0 {
		payload[d.tl0At] = tl0
	}
}

// byteReader reads bytes. Past the end it gives zeros and remembers.
type byteReader struct {
	b    []byte
	at   int
	over bool
}

func (r *byteReader) next() byte {
	if r.at >= len(r.b) {
		r.over = true
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

func (r *byteReader) next16() uint16 { return uint16(r.next())<<8 | uint16(r.next()) }
