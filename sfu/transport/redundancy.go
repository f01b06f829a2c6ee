package transport

import (
	"slices"
	"strconv"
	"strings"

	"github.com/parleyrtc/parley/sfu/packet"
)

// redundancy finds which payload types are RED, and of what.
func (s *Section) redundancy(names, params *[128]string) {
	for i := range s.Codecs {
		c := &s.Codecs[i]
		of, ok := redundant(params[c.PayloadType])
		if !ok || !strings.EqualFold(names[c.PayloadType], "red") {
			continue
		}
		for j := range s.Codecs {
			if primary := &s.Codecs[j]; primary.PayloadType == of && primary.Codec == packet.Opus && !primary.Redundant {
				// What is lost is asked for by source: what the primary answers, its RED does.
				c.Codec, c.Redundant, c.NACK, c.TransportCC = primary.Codec, true, primary.NACK, c.TransportCC || primary.TransportCC
				primary.RED = c.PayloadType
			}
		}
	}
}

// redundant is the payload type that the frames of a RED have by its fmtp line (RFC 2198 §5), such as 111/111; false when they
// are of several, which nobody sends.
func redundant(fmtp string) (payloadType uint8, ok bool) {
	first, _, _ := strings.Cut(fmtp, "/")
	n, err := strconv.ParseUint(first, 10, 7)
	if err != nil {
		return 0, false
	}
	for _, other := range strings.Split(fmtp, "/") {
		if other != first {
			return 0, false
		}
	}
	return uint8(n), true
}

// preferRedundant puts RED before what it is of. An answer keeps the order, and browsers send RED when it comes first.
func (s *Section) preferRedundant(formats []string) {
	redundant := func(format string) int {
		for _, c := range s.Codecs {
			if c.Redundant && strconv.Itoa(int(c.PayloadType)) == format {
				return 0
			}
		}
		return 1
	}
	slices.SortStableFunc(formats, func(a, b string) int { return redundant(a) - redundant(b) })
}
