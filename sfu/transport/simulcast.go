package transport

import (
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

// MaxEncodings is how many encodings one m-line may be sent in: more than a browser makes, which halves the size twice.
const MaxEncodings = 3

// maxRID bounds a rid, in characters: the longest that a one-byte header extension carries.
const maxRID = 16

// simulcast reads in which encodings the author of the section sends (RFC 8853 §5.1). Of alternatives it takes the first. What
// is said of each by restrictions is the sender's business: what comes is measured.
func (s *Section) simulcast(m *sdp.MediaDescription) error {
	value, ok := m.Attribute("simulcast")
	if !ok || s.Kind != "video" {
		return nil
	}
	var streams string
	fields := strings.Fields(value)
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i] == "send" {
			streams = fields[i+1]
		}
	}
	if streams == "" {
		return nil
	}
	if n := strings.Count(streams, ";") + 1; n > MaxEncodings {
		return invalid("mid %.20q is sent in %d encodings, more than %d", s.MID, n, MaxEncodings)
	}
	declared := sendRIDs(m)
	for stream := range strings.SplitSeq(streams, ";") {
		first, _, _ := strings.Cut(stream, ",")
		rid := strings.TrimPrefix(first, "~") // paused at first
		switch {
		case !validRID(rid):
			return invalid("a=simulcast of mid %.20q has a malformed rid", s.MID)
		case slices.Contains(s.RIDs, rid):
			return invalid("a=simulcast of mid %.20q names rid %q twice", s.MID, rid)
		case !slices.Contains(declared, rid):
			return invalid("a=simulcast of mid %.20q names rid %q, which no a=rid line sends", s.MID, rid)
		}
		s.RIDs = append(s.RIDs, rid)
	}
	switch {
	case len(s.RIDs) == 1: // That is like any other m-line.
		s.RIDs = nil
	case s.Extensions.MID == 0 || s.Extensions.RID == 0:
		return invalid("mid %.20q is sent in several encodings without the header extensions of mid and rid", s.MID)
	}
	return nil
}

// sendRIDs are the rids that are declared to be sent (RFC 8851 §4).
func sendRIDs(m *sdp.MediaDescription) (rids []string) {
	for _, a := range m.Attributes {
		if a.Key != "rid" {
			continue
		}
		if f := strings.Fields(a.Value); len(f) >= 2 && f[1] == "send" {
			rids = append(rids, f[0])
		}
	}
	return rids
}

// validRID says whether a rid is one (RFC 8851 §10), and short enough.
func validRID(rid string) bool {
	for _, c := range rid {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return rid != "" && len(rid) <= maxRID
}

// withSimulcast adds to an answer that we take the encodings that the client offered. pion is not told of them: it would have
// a receiver for each, and nothing to receive.
func withSimulcast(answer string, offer, agreed *Description) string {
	for i := range offer.Sections {
		s := &offer.Sections[i]
		if a := agreed.Section(s.MID); len(s.RIDs) == 0 || a == nil || a.Direction != "recvonly" {
			continue
		}
		var b strings.Builder
		mid := "\r\na=mid:" + s.MID + "\r\n"
		b.WriteString(mid)
		for _, rid := range s.RIDs {
			b.WriteString("a=rid:" + rid + " recv\r\n")
		}
		b.WriteString("a=simulcast:recv " + strings.Join(s.RIDs, ";") + "\r\n")
		answer = strings.Replace(answer, mid, b.String(), 1)
	}
	return answer
}
