package sfu

import (
	"slices"

	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

// maxExtension is the largest id of a header extension in the one-byte form (RFC 8285 §4.2), which is what we write.
const maxExtension = 14

// agreement is what one answer says about a line. It never changes.
type agreement struct {
	codecs [packet.AV1 + 1]transport.Codec // by codec; payload type 0: the client cannot decode it
	h264   [8]transport.Codec              // all formats of H.264, in the client's order
	level  uint8                           // extension id

	dependency uint8 // extension id of the dependency descriptor; 0: the client does not go by it

	transport uint8 // extension id of transport-wide numbers; 0: the client does not report on them
}

// codec is what a stream is sent as; payload type 0: the client cannot decode it.
func (a *agreement) codec(m *media) (found transport.Codec) {
	if m.codec != packet.H264 {
		return a.codecs[m.codec]
	}
	for _, c := range a.h264 {
		switch {
		case c.PayloadType == 0:
			return found
		case c.H264 == m.h264:
			return c
		case found.PayloadType == 0 && c.H264.Decodes(m.h264):
			found = c
		}
	}
	return found
}

// negotiated takes over what an answer says.
func (l *line) negotiated(s *transport.Section) {
	a := &agreement{level: s.Extensions.AudioLevel}
	for c := packet.Opus; c <= packet.AV1; c++ {
		if c.Video() == l.video {
			a.codecs[c], _ = s.Find(c)
		}
	}
	if reports := func(c transport.Codec) bool { return c.TransportCC && !c.Repair }; slices.ContainsFunc(s.Codecs, reports) &&
		s.Extensions.TransportCC <= maxExtension {
		a.transport = s.Extensions.TransportCC
	}
	if l.video && s.Mixed { // its longest needs the two-byte form
		a.dependency = s.Extensions.Dependency
	}
	if l.video {
		h264 := a.h264[:0]
		for _, c := range s.Codecs {
			if c.Codec == packet.H264 && len(h264) < len(a.h264) {
				h264 = append(h264, c)
			}
		}
	}
	if old := l.agreed.Load(); old == nil || *old != *a {
		l.agreed.Store(a)
	}
}
