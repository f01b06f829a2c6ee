// Package red carries copies of earlier audio frames in later packets (RFC 2198), so that a frame survives the loss of its packet.
//
// A payload is a list of headers and then the frames, the oldest first and the packet's own, the primary, last:
//
//	|1| payload type | 14 bits: how much earlier | 10 bits: length |   for each copy
//	|0| payload type |                                             for the primary
//	copy | copy | … | primary
//
// Frames are opaque: nothing here looks into them.
package red

import "encoding/binary"

const (
	// MaxCopies is the most copies of one packet that are read: browsers send at most as many.
	MaxCopies = 9
	// MaxOffset is how many ticks of the RTP clock a copy may be older than its packet: 341 ms of Opus.
	MaxOffset = 1<<14 - 1
	// MaxLength is the longest copy in bytes.
	MaxLength = 1<<10 - 1

	copyHeader    = 4
	primaryHeader = 1
)

// Payload says where things are in a payload.
type Payload struct {
	// Copies is how many frames come before the primary.
	Copies int
	// Primary is where the packet's own frame begins, in bytes. It goes on to the end.
	Primary int
}

// Parse reads a payload. It is false for what is not of this format, or has no frame of its own.
func Parse(b []byte) (p Payload, ok bool) {
	at, copies := 0, 0
	for {
		switch {
		case at >= len(b):
			return Payload{}, false
		case b[at]&0x80 == 0:
			p.Primary += at + primaryHeader
			p.Copies = at / copyHeader
			return p, p.Primary < len(b)
		case at+copyHeader > len(b) || at/copyHeader == MaxCopies:
			return Payload{}, false
		}
		copies += int(binary.BigEndian.Uint32(b[at:]) & MaxLength)
		p.Primary = copies
		at += copyHeader
	}
}

// Copy is copy n of a parsed payload b, 0 for the oldest, and the payload type that its frame has. The frame is part of b.
func (p Payload) Copy(b []byte, n int) (payloadType uint8, c Copy) {
	from := p.Headers()
	for i := range n + 1 {
		head := binary.BigEndian.Uint32(b[copyHeader*i:])
		payloadType = uint8(head>>24) & 0x7F
		c = Copy{Offset: head >> 10 & MaxOffset, Frame: b[from : from+int(head&MaxLength)]}
		from += len(c.Frame)
	}
	return payloadType, c
}

// Headers is how long the headers are, in bytes.
func (p Payload) Headers() int { return copyHeader*p.Copies + primaryHeader }

// Retype writes a payload type into headers, which are those of a parsed payload or a copy of them.
func Retype(headers []byte, payloadType uint8) {
	for at := 0; at < len(headers); at += copyHeader {
		headers[at] = headers[at]&0x80 | payloadType&0x7F
	}
}

// Copy is an earlier frame.
type Copy struct {
	Offset uint32 // how much earlier, in ticks of the RTP clock
	Frame  []byte
}

// Fits says whether the format has room for the copy.
func (c Copy) Fits() bool {
	return c.Offset > 0 && c.Offset <= MaxOffset && len(c.Frame) > 0 && len(c.Frame) <= MaxLength
}

// Append appends to dst all of a payload that comes before the primary. Copies are the oldest first, each of which Fits.
func Append(dst []byte, payloadType uint8, copies []Copy) []byte {
	for _, c := range copies {
		dst = binary.BigEndian.AppendUint32(dst, 1<<31|uint32(payloadType&0x7F)<<24|c.Offset<<10|uint32(len(c.Frame)))
	}
	dst = append(dst, payloadType&0x7F)
	for _, c := range copies {
		dst = append(dst, c.Frame...)
	}
	return dst
}
