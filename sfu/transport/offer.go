package transport

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/parleyrtc/parley/sfu/packet"
)

// check refuses an offer that we would not answer.
func (d *Description) check() error {
	if len(d.parsed.MediaDescriptions) > MaxSections {
		return ErrTooManyMedia
	}
	var bundled []string
	for _, a := range d.parsed.Attributes {
		if group, ok := strings.CutPrefix(a.Value, "BUNDLE"); a.Key == "group" && ok {
			bundled = strings.Fields(group)
		}
	}
	seen := map[string]bool{}
	for i, m := range d.parsed.MediaDescriptions {
		s := &d.Sections[i]
		switch {
		case s.Kind != "audio" && s.Kind != "video" && s.Kind != "application":
			return invalid("an m-line is %.20q", s.Kind)
		case s.MID == "" || len(s.MID) > maxMID || strings.ContainsAny(s.MID, " \t"):
			return invalid("an m-line has no mid of 1 to %d characters", maxMID)
		case seen[s.MID]:
			return invalid("mid %q comes twice", s.MID)
		case len(d.Sections) > 1 && s.Direction != "inactive" && !slices.Contains(bundled, s.MID):
			return invalid("mid %q is not in the BUNDLE group", s.MID)
		}
		seen[s.MID] = true
		if err := d.transport(m); err != nil {
			return err
		}
	}
	return nil
}

// transport checks ICE and DTLS of one m-line, which may have its own or the session's.
func (d *Description) transport(m *sdp.MediaDescription) error {
	attribute := func(key string) string { return d.attribute(m, key) }
	// RFC 8839 §5.4: at least 4 and 22 characters.
	if len(attribute("ice-ufrag")) < 4 || len(attribute("ice-pwd")) < 22 {
		return ErrNoICE
	}
	if d.ufrag == "" {
		d.ufrag, d.password = attribute("ice-ufrag"), attribute("ice-pwd")
	}
	print := strings.ToLower(attribute("fingerprint"))
	algorithm, digest, _ := strings.Cut(print, " ")
	if !slices.Contains([]string{"sha-1", "sha-256", "sha-384", "sha-512"}, algorithm) || digest == "" {
		return invalid("it has no DTLS fingerprint")
	}
	if d.Fingerprint != "" && d.Fingerprint != print {
		return invalid("its m-lines have different DTLS fingerprints")
	}
	d.Fingerprint = print
	if attribute("setup") == "passive" {
		return invalid("a=setup:passive: we are the DTLS server")
	}
	return nil
}

// attribute is one of an m-line, or else of the session.
func (d *Description) attribute(m *sdp.MediaDescription, key string) string {
	if v, ok := m.Attribute(key); ok {
		return v
	}
	v, _ := d.parsed.Attribute(key)
	return v
}

// rewritten returns the offer as pion may see it. Candidates are left out: we answer the addresses from which a client's
// authenticated checks come, and never send to one that it merely names. Simulcast is left out, see
// withSimulcast, and so is every codec and header extension that we would not answer with: pion keeps the text, and what it parsed
// of it, for the life of the connection. Sections in sendonly are made so, whatever the client offers, with RED first, and those in
// off are switched off.
func (d *Description) rewritten(sendonly, off map[string]bool) (string, error) {
	for i, m := range d.parsed.MediaDescriptions {
		s := &d.Sections[i]
		known := s.known()
		m.MediaName.Formats = slices.DeleteFunc(m.MediaName.Formats, func(format string) bool { return !known(format) })
		if sendonly[s.MID] {
			s.preferRedundant(m.MediaName.Formats)
		}
		m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool { return !s.needs(a, known) })
		for j, a := range m.Attributes {
			switch {
			case a.Key != "sendrecv" && a.Key != "sendonly" && a.Key != "recvonly":
			case off[s.MID]:
				m.Attributes[j].Key = "inactive"
			case sendonly[s.MID]:
				m.Attributes[j].Key = "sendonly"
			}
		}
	}
	kept := d.parsed.Attributes[:0]
	for _, a := range d.parsed.Attributes {
		if a.Key != "candidate" && a.Key != "end-of-candidates" {
			kept = append(kept, a)
		}
	}
	d.parsed.Attributes = kept
	b, err := d.parsed.Marshal()
	if err != nil {
		return "", invalid("%v", err)
	}
	return string(b), nil
}

// known says which formats of the section are codecs of ours or repairs of them: all, when none is, so that the m-line stays
// whole and is refused.
func (s *Section) known() func(format string) bool {
	var ours, repairs [128]bool
	any := false
	for _, c := range s.Codecs {
		ours[c.PayloadType] = c.Codec != packet.Unknown
		any = any || ours[c.PayloadType]
	}
	for _, c := range s.Codecs {
		repairs[c.PayloadType] = c.Repair && ours[c.Repairs]
	}
	return func(format string) bool {
		n, err := strconv.ParseUint(format, 10, 7)
		return !any || err == nil && (ours[n] || repairs[n])
	}
}

// needs says whether an attribute of the section says something that the answer depends on.
func (s *Section) needs(a sdp.Attribute, known func(format string) bool) bool {
	first, rest, _ := strings.Cut(a.Value, " ")
	switch a.Key {
	case "candidate", "end-of-candidates", "remote-candidates", "rid", "simulcast":
		return false
	case "ssrc", "ssrc-group":
		return len(s.RIDs) == 0 // pion would take them for tracks
	case "rtpmap", "fmtp", "rtcp-fb":
		return first == "*" || known(first)
	case "extmap":
		uri, _, _ := strings.Cut(rest, " ")
		switch uri {
		case packet.URIMID, packet.URITransportCC, packet.URIAudioLevel, packet.URIDependencyDescriptor,
			// Also without rids: Chromium leaves an extension that one m-line was refused out of every m-line that it offers later,
			// and cannot begin simulcast in the middle of a session then.
			packet.URIRID, packet.URIRepairedRID:
			return true
		}
		return false
	}
	return true
}
