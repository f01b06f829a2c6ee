package transport

import (
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
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
	attribute := func(key string) string {
		if v, ok := m.Attribute(key); ok {
			return v
		}
		v, _ := d.parsed.Attribute(key)
		return v
	}
	// RFC 8839 §5.4: at least 4 and 22 characters.
	if len(attribute("ice-ufrag")) < 4 || len(attribute("ice-pwd")) < 22 {
		return ErrNoICE
	}
	if d.ufrag == "" {
		d.ufrag = attribute("ice-ufrag")
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

// rewritten returns the offer as pion may see it. Candidates are left out: we answer the addresses from which a client's
// authenticated checks come, and never send to one that it merely names. Simulcast is left out because we do not take it
// yet. Sections in sendonly are made so, whatever the client offers, and those in off are switched off.
func (d *Description) rewritten(sendonly, off map[string]bool) (string, error) {
	for i, m := range d.parsed.MediaDescriptions {
		kept := m.Attributes[:0]
		for _, a := range m.Attributes {
			switch a.Key {
			case "candidate", "end-of-candidates", "remote-candidates", "rid", "simulcast":
				continue
			case "sendrecv", "sendonly", "recvonly":
				if sendonly[d.Sections[i].MID] {
					a.Key = "sendonly"
				}
				if off[d.Sections[i].MID] {
					a.Key = "inactive"
				}
			}
			kept = append(kept, a)
		}
		m.Attributes = kept
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
