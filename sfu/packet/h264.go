package packet

import (
	"strconv"
	"strings"
)

// H264Format is what an SDP says about one H.264 payload type: a profile and a packetization mode. Levels are left out, as a
// receiver's is no limit to what it decodes (level-asymmetry-allowed). The zero value is of no stream.
type H264Format struct {
	profile h264Profile
	mode    uint8
}

type h264Profile uint8

// The profiles of browsers (H.264 annex A.2).
const (
	h264Unknown h264Profile = iota
	h264ConstrainedBaseline
	h264Baseline
	h264Main
	h264ConstrainedHigh
	h264High
)

// ParseH264 reads an fmtp line; what it leaves out has the defaults of RFC 6184 §8.1.
func ParseH264(fmtp string) H264Format {
	f := H264Format{profile: h264Baseline}
	for _, p := range strings.Split(fmtp, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(name) {
		case "profile-level-id":
			f.profile = parseH264Profile(value)
		case "packetization-mode":
			n, _ := strconv.ParseUint(value, 10, 8)
			f.mode = uint8(n)
		}
	}
	return f
}

// parseH264Profile reads profile_idc and the constraint flags; flags that make two names one profile are those of RFC 6184
// table 5.
func parseH264Profile(id string) h264Profile {
	n, err := strconv.ParseUint(id, 16, 24)
	if err != nil || len(id) != 6 {
		return h264Unknown
	}
	const set0, set1, set4and5 = 0x80, 0x40, 0x0C
	switch flags := n >> 8 & 0xFF; n >> 16 {
	case 0x42:
		if flags&set1 != 0 {
			return h264ConstrainedBaseline
		}
		return h264Baseline
	case 0x4D:
		if flags&set0 != 0 {
			return h264ConstrainedBaseline
		}
		return h264Main
	case 0x64:
		if flags&set4and5 == set4and5 {
			return h264ConstrainedHigh
		}
		return h264High
	}
	return h264Unknown
}

// Decodes says whether a decoder of format f takes a stream of another: the same mode, and a profile that includes it.
func (f H264Format) Decodes(stream H264Format) bool {
	if f.mode != stream.mode || stream.profile == h264Unknown {
		return false
	}
	switch stream.profile {
	case f.profile:
		return true
	case h264ConstrainedBaseline:
		return f.profile != h264Unknown
	case h264Main, h264ConstrainedHigh:
		return f.profile == h264High
	}
	return false
}
