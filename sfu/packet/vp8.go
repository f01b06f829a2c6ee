package packet

import "encoding/binary"

// VP8Descriptor is the payload descriptor of RFC 7741 §4.2.
type VP8Descriptor struct {
	// Start is set on the first packet of a frame (S is set and the partition index is 0).
	Start bool
	// Keyframe is set on the first packet of a frame that needs no other (RFC 7741 §4.3, P is 0).
	Keyframe bool
	// NonReference frames can be left out without harm to later ones.
	NonReference bool
	// LayerSync frames refer to nothing above the base layer.
	LayerSync bool

	HasPictureID, HasTL0, HasTID, HasKeyIdx bool
	// Long says that the picture id takes 15 bits, else 7.
	Long bool

	PictureID uint16
	TL0       uint8
	// TID is the temporal layer, 0 to 3.
	TID uint8
	// KeyIdx is the temporal key frame index, 5 bits.
	KeyIdx uint8

	// Size is the length of the descriptor in bytes.
	Size int

	pictureIDAt, tl0At, keyIdxAt int
}

// PictureIDMask is the largest picture id of the descriptor's width.
func (d *VP8Descriptor) PictureIDMask() uint16 { return pictureIDMask(d.Long) }

// pictureIDMask is the same for VP8 and VP9, whose picture ids have 15 or 7 bits.
func pictureIDMask(long bool) uint16 {
	if long {
		return 0x7FFF
	}
	return 0x7F
}

// ParseVP8 reads the descriptor at the start of payload into d, overwriting all of it. It is false when the payload ends
// inside the descriptor or right after it.
func ParseVP8(payload []byte, d *VP8Descriptor) bool {
	*d = VP8Descriptor{}
	if len(payload) < 2 {
		return false
	}
	first := payload[0]
	d.NonReference = first&0x20 != 0
	d.Start = first&0x10 != 0 && first&0x07 == 0
	at := 1
	if first&0x80 != 0 {
		flags := payload[1]
		d.HasPictureID = flags&0x80 != 0
		d.HasTL0 = flags&0x40 != 0
		d.HasTID = flags&0x20 != 0
		d.HasKeyIdx = flags&0x10 != 0
		if at = d.optional(payload); at < 0 {
			return false
		}
	}
	if at >= len(payload) {
		return false
	}
	d.Size = at
	d.Keyframe = d.Start && payload[at]&0x01 == 0
	return true
}

// optional reads the fields the flags announce. It returns where they end, or -1 when the payload ends earlier.
func (d *VP8Descriptor) optional(payload []byte) int {
	at := 2
	if d.HasPictureID {
		if at >= len(payload) {
			return -1
		}
		d.pictureIDAt = at
		if payload[at]&0x80 == 0 {
			d.PictureID = uint16(payload[at])
			at++
		} else {
			if at+1 >= len(payload) {
				return -1
			}
			d.Long = true
			d.PictureID = binary.BigEndian.Uint16(payload[at:]) & 0x7FFF
			at += 2
		}
	}
	if d.HasTL0 {
		if at >= len(payload) {
			return -1
		}
		d.tl0At = at
		d.TL0 = payload[at]
		at++
	}
	if d.HasTID || d.HasKeyIdx {
		if at >= len(payload) {
			return -1
		}
		if d.HasTID {
			d.TID = payload[at] >> 6
			d.LayerSync = payload[at]&0x20 != 0
		}
		if d.HasKeyIdx {
			d.keyIdxAt = at
			d.KeyIdx = payload[at] & 0x1F
		}
		at++
	}
	return at
}

// Patch writes new indices into payload, which must hold at least d.Size bytes and be the one d was parsed from or a copy
// of it. Fields the descriptor does not have stay out and widths stay as they are, so the length does not change.
func (d *VP8Descriptor) Patch(payload []byte, pictureID uint16, tl0, keyIdx uint8) {
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
	if d.HasKeyIdx {
		payload[d.keyIdxAt] = payload[d.keyIdxAt]&^0x1F | keyIdx&0x1F
	}
}

// SizeVP8 reads width and height in pixels from the beginning of a keyframe, behind its descriptor (RFC 6386 §9.1); 0 when it is
// none.
func SizeVP8(frame []byte) (width, height int) {
	if len(frame) < 10 || frame[0]&0x01 != 0 || frame[3] != 0x9D || frame[4] != 0x01 || frame[5] != 0x2A {
		return 0, 0
	}
	return int(binary.LittleEndian.Uint16(frame[6:]) & 0x3FFF), int(binary.LittleEndian.Uint16(frame[8:]) & 0x3FFF)
}
