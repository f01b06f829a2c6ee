package transport

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/parleyrtc/parley/sfu/packet"
)

const ridExtensions = "a=extmap:4 " + packet.URIRID + "\r\na=extmap:5 " + packet.URIRepairedRID + "\r\n"

// encoded is an offer of one video m-line with these lines about its encodings.
func encoded(lines ...string) string {
	plain := strings.Replace(video("0"), "a=rid:h send\r\na=simulcast:send h\r\n", "", 1)
	return head + "a=group:BUNDLE 0\r\n" + plain + ridExtensions + strings.Join(lines, "\r\n") + "\r\n"
}

func TestEncodingsAreReadInTheirOrder(t *testing.T) {
	for name, tt := range map[string]struct {
		lines []string
		want  []string
	}{
		"three":                 {[]string{"a=rid:q send", "a=rid:h send", "a=rid:f send", "a=simulcast:send q;h;f"}, []string{"q", "h", "f"}},
		"declared otherwise":    {[]string{"a=rid:f send max-width=1280", "a=rid:q send", "a=simulcast:send q;f"}, []string{"q", "f"}},
		"paused at first":       {[]string{"a=rid:1 send", "a=rid:2 send", "a=simulcast:send 1;~2"}, []string{"1", "2"}},
		"alternatives":          {[]string{"a=rid:1 send", "a=rid:2 send", "a=rid:3 send", "a=simulcast:send 1,3;2"}, []string{"1", "2"}},
		"both directions":       {[]string{"a=rid:a send", "a=rid:b send", "a=rid:c recv", "a=simulcast:recv c send a;b"}, []string{"a", "b"}},
		"one":                   {[]string{"a=rid:h send", "a=simulcast:send h"}, nil},
		"only what is received": {[]string{"a=rid:h recv", "a=simulcast:recv h"}, nil},
		"only rids":             {[]string{"a=rid:h send", "a=rid:q send"}, nil},
	} {
		d, err := ParseOffer(encoded(tt.lines...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := d.Sections[0].RIDs; !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		text, err := d.rewritten(nil, nil)
		if err != nil || strings.Contains(text, "simulcast") || strings.Contains(text, "a=rid") || strings.Contains(text, "a=ssrc") != (tt.want == nil) ||
			!strings.Contains(text, packet.URIRepairedRID) {
			t.Errorf("%s: %v, pion would see %s", name, err, text)
		}
	}
}

func TestMalformedEncodingsAreRefused(t *testing.T) {
	three := []string{"a=rid:q send", "a=rid:h send", "a=rid:f send"}
	for _, line := range []string{
		"a=simulcast:send q;h;f;e",
		"a=simulcast:send q;q",
		"a=simulcast:send q;x",
		"a=simulcast:send q;",
		"a=simulcast:send ;;",
		"a=simulcast:send q;h.f",
		"a=simulcast:send q;" + strings.Repeat("h", 17),
		"a=simulcast:send " + strings.Repeat("q;", 10000),
	} {
		if _, err := ParseOffer(encoded(append(three, line)...)); !errors.Is(err, ErrSDP) {
			t.Errorf("%.40s: %v", line, err)
		}
	}
	nameless := strings.Replace(encoded(append(three, "a=simulcast:send q;h;f")...), ridExtensions, "", 1)
	if _, err := ParseOffer(nameless); !errors.Is(err, ErrSDP) {
		t.Errorf("without a header extension for the rid: %v", err)
	}
}
