package transport

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/parleyrtc/parley/sfu/packet"
)

// Bounds of one offer.
const (
	MaxSections   = 64        // m-lines
	maxSDP        = 512 << 10 // bytes
	maxMID        = 16        // characters; the longest that a one-byte header extension carries
	maxSourceLine = 64        // a=ssrc sources of one m-line
)

// Why an offer is refused before anything has changed.
var (
	ErrSDP          = errors.New("the session description is not valid")
	ErrTooManyMedia = fmt.Errorf("the session description has more than %d m-lines", MaxSections)
	ErrNoICE        = errors.New("the session description has no ICE credentials")
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSDP, fmt.Sprintf(format, args...))
}

// Description is a parsed session description.
type Description struct {
	Sections    []Section
	Fingerprint string // algorithm, a space, and the digest, in lower case
	ufrag       string // of the first m-line, as the next
	password    string
	parsed      *sdp.SessionDescription
}

// Section is one m-line.
type Section struct {
	MID        string
	Kind       string // audio, video or application
	Direction  string // sendonly, recvonly, sendrecv or inactive, as its author sees it; inactive when rejected
	Codecs     []Codec
	Extensions packet.Extensions
	SSRCs      []uint32          // declared by the author, in order, repairs left out
	Repairs    map[uint32]uint32 // RTX source to the source it repairs
	RIDs       []string          // of the encodings that the author sends, from the smallest to the largest; none: there is only one
	Mixed      bool              // header extensions of two-byte form may be sent (RFC 8285 §6)
	DataLimit  int
}

// Codec is one payload type of a section.
type Codec struct {
	PayloadType uint8
	Codec       packet.Codec
	H264        packet.H264Format // of H.264
	Repair      bool              // this is RTX
	RTX         uint8             // payload type of the RTX for this codec; 0: none
	Repairs     uint8             // for RTX: the payload type it repairs
	Redundant   bool              // this is RED (RFC 2198) of Codec
	RED         uint8             // payload type of the RED of this codec; 0: none
	NACK        bool
	TransportCC bool // arrival times are reported by transport-wide numbers
}

// Section returns the m-line with this mid, or nil.
func (d *Description) Section(mid string) *Section {
	for i := range d.Sections {
		if d.Sections[i].MID == mid {
			return &d.Sections[i]
		}
	}
	return nil
}

// Find returns the section's first payload type for a codec.
func (s *Section) Find(codec packet.Codec) (Codec, bool) {
	for _, c := range s.Codecs {
		if c.Codec == codec && !c.Repair && !c.Redundant {
			return c, true
		}
	}
	return Codec{}, false
}

// ParseOffer reads a client's offer and refuses what we would not answer: ErrSDP, ErrTooManyMedia or ErrNoICE. Nothing it
// says about candidates is kept.
func ParseOffer(text string) (*Description, error) {
	d, err := parse(text)
	if err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d, nil
}

func parse(text string) (*Description, error) {
	if len(text) > maxSDP {
		return nil, invalid("longer than %d bytes", maxSDP)
	}
	if strings.IndexByte(text, 0) >= 0 {
		return nil, invalid("it contains a NUL")
	}
	if n := strings.Count("\n"+text, "\nm="); n > MaxSections {
		return nil, ErrTooManyMedia
	}
	d := &Description{parsed: &sdp.SessionDescription{}}
	if err := d.parsed.UnmarshalString(text); err != nil {
		return nil, invalid("%v", err)
	}
	if len(d.parsed.MediaDescriptions) == 0 {
		return nil, invalid("it has no m-line")
	}
	d.Sections = make([]Section, len(d.parsed.MediaDescriptions))
	_, mixed := d.parsed.Attribute(sdp.AttrKeyExtMapAllowMixed)
	for i, m := range d.parsed.MediaDescriptions {
		d.Sections[i].Mixed = mixed
		if err := d.Sections[i].read(m); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (s *Section) read(m *sdp.MediaDescription) error {
	s.Kind = m.MediaName.Media
	s.Direction = "sendrecv"
	s.Repairs = map[uint32]uint32{}
	bundleOnly := false
	for _, a := range m.Attributes {
		switch a.Key {
		case "mid":
			s.MID = a.Value
		case "sendonly", "recvonly", "sendrecv", "inactive":
			s.Direction = a.Key
		case sdp.AttrKeyExtMapAllowMixed:
			s.Mixed = true
		case "bundle-only":
			bundleOnly = true
		case "extmap":
			s.extension(a.Value)
		case "ssrc-group":
			s.group(a.Value)
		}
	}
	if m.MediaName.Port.Value == 0 && !bundleOnly {
		s.Direction = "inactive"
	}
	if err := s.sources(m); err != nil {
		return err
	}
	if err := s.simulcast(m); err != nil {
		return err
	}
	if s.Kind == "audio" || s.Kind == "video" {
		s.codecs(m)
	}
	return nil
}

// sources collects a=ssrc lines once each.
func (s *Section) sources(m *sdp.MediaDescription) error {
	for _, a := range m.Attributes {
		if a.Key != "ssrc" {
			continue
		}
		word, _, _ := strings.Cut(a.Value, " ")
		n, err := strconv.ParseUint(word, 10, 32)
		if err != nil {
			return invalid("a=ssrc:%.20q is not a number", word)
		}
		ssrc := uint32(n)
		if _, repair := s.Repairs[ssrc]; repair || slices.Contains(s.SSRCs, ssrc) {
			continue
		}
		if len(s.SSRCs) == maxSourceLine {
			return invalid("more than %d sources on one m-line", maxSourceLine)
		}
		s.SSRCs = append(s.SSRCs, ssrc)
	}
	return nil
}

// group reads "FID media repair" (RFC 5576 §4.2).
func (s *Section) group(value string) {
	f := strings.Fields(value)
	if len(f) != 3 || f[0] != "FID" || len(s.Repairs) >= maxSourceLine {
		return
	}
	media, err1 := strconv.ParseUint(f[1], 10, 32)
	repair, err2 := strconv.ParseUint(f[2], 10, 32)
	if err1 == nil && err2 == nil {
		s.Repairs[uint32(repair)] = uint32(media)
	}
}

func (s *Section) extension(value string) {
	f := strings.Fields(value)
	if len(f) < 2 {
		return
	}
	id, _, _ := strings.Cut(f[0], "/")
	n, err := strconv.ParseUint(id, 10, 8)
	if err != nil || n == 0 {
		return
	}
	switch f[1] {
	case packet.URIMID:
		s.Extensions.MID = uint8(n)
	case packet.URIRID:
		s.Extensions.RID = uint8(n)
	case packet.URIRepairedRID:
		s.Extensions.RepairedRID = uint8(n)
	case packet.URIAudioLevel:
		s.Extensions.AudioLevel = uint8(n)
	case packet.URITransportCC:
		s.Extensions.TransportCC = uint8(n)
	case packet.URIAbsSendTime:
		s.Extensions.AbsSendTime = uint8(n)
	case packet.URIDependencyDescriptor:
		s.Extensions.Dependency = uint8(n)
	}
}

// codecs lists the payload types in the order of the m-line, which is the order of preference.
func (s *Section) codecs(m *sdp.MediaDescription) {
	var names, params [128]string
	var nack, transportCC [128]bool
	for _, a := range m.Attributes {
		if a.Key != "rtpmap" && a.Key != "fmtp" && a.Key != "rtcp-fb" {
			continue
		}
		pt, rest, _ := strings.Cut(a.Value, " ")
		if pt == "*" && a.Key == "rtcp-fb" {
			for i := range nack {
				nack[i] = nack[i] || rest == "nack"
				transportCC[i] = transportCC[i] || rest == "transport-cc"
			}
			continue
		}
		n, err := strconv.ParseUint(pt, 10, 7)
		if err != nil {
			continue
		}
		switch a.Key {
		case "rtpmap":
			names[n], _, _ = strings.Cut(rest, "/")
		case "fmtp":
			params[n] = rest
		case "rtcp-fb":
			nack[n] = nack[n] || rest == "nack"
			transportCC[n] = transportCC[n] || rest == "transport-cc"
		}
	}
	for _, format := range m.MediaName.Formats {
		n, err := strconv.ParseUint(format, 10, 7)
		if err != nil || names[n] == "" {
			continue
		}
		c := Codec{PayloadType: uint8(n), Codec: packet.ParseCodec(names[n]), NACK: nack[n], TransportCC: transportCC[n]}
		if c.Codec == packet.H264 {
			c.H264 = packet.ParseH264(params[n])
		}
		if strings.EqualFold(names[n], "rtx") {
			c.Repair = true
			c.Repairs = apt(params[n])
		}
		s.Codecs = append(s.Codecs, c)
	}
	for i := range s.Codecs {
		for _, r := range s.Codecs {
			if r.Repair && !s.Codecs[i].Repair && r.Repairs == s.Codecs[i].PayloadType {
				s.Codecs[i].RTX = r.PayloadType
			}
		}
	}
	s.redundancy(&names, &params)
}

// apt is the associated payload type of RTX (RFC 4588 §8.1).
func apt(fmtp string) uint8 {
	for _, p := range strings.Split(fmtp, ";") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(p), "apt="); ok {
			n, _ := strconv.ParseUint(v, 10, 7)
			return uint8(n)
		}
	}
	return 0
}
