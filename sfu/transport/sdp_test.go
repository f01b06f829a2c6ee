package transport

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/parleyrtc/parley/sfu/packet"
)

const head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
const credentials = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\n"

func video(mid string) string {
	return "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98\r\nc=IN IP4 0.0.0.0\r\na=mid:" + mid + "\r\na=sendonly\r\n" + credentials +
		"a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n" +
		"a=rtpmap:98 H264/90000\r\na=extmap:3/recvonly urn:ietf:params:rtp-hdrext:sdes:mid\r\n" +
		"a=ssrc-group:FID 1111 2222\r\na=ssrc:1111 cname:x\r\na=ssrc:2222 cname:x\r\na=candidate:1 1 udp 1 10.0.0.1 5000 typ host\r\n" +
		"a=rid:h send\r\na=simulcast:send h\r\n"
}

func TestOfferIsRead(t *testing.T) {
	d, err := ParseOffer(head + "a=group:BUNDLE 0\r\n" + video("0"))
	if err != nil {
		t.Fatal(err)
	}
	s := d.Section("0")
	if s == nil || s.Kind != "video" || s.Direction != "sendonly" || s.Extensions.MID != 3 {
		t.Fatalf("section %+v", s)
	}
	if c, ok := s.Find(packet.VP8); !ok || c.PayloadType != 96 || c.RTX != 97 || !c.NACK {
		t.Errorf("VP8 is %+v", c)
	}
	if c, ok := s.Find(packet.H264); !ok || c.RTX != 0 || c.NACK {
		t.Errorf("H264 is %+v", c)
	}
	if len(s.SSRCs) != 1 || s.SSRCs[0] != 1111 || s.Repairs[2222] != 1111 {
		t.Errorf("sources %v, repairs %v", s.SSRCs, s.Repairs)
	}
	if d.Fingerprint != "sha-256 aa:bb" {
		t.Errorf("fingerprint %q", d.Fingerprint)
	}
	text, err := d.rewritten(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"candidate", "simulcast", "a=rid"} {
		if strings.Contains(text, word) {
			t.Errorf("%s is still in %s", word, text)
		}
	}
}

func TestRejectedSectionIsInactive(t *testing.T) {
	for text, want := range map[string]string{
		video("0"): "sendonly",
		strings.Replace(video("0"), "m=video 9", "m=video 0", 1):                                                        "inactive",
		strings.Replace(strings.Replace(video("0"), "m=video 9", "m=video 0", 1), "a=mid", "a=bundle-only\r\na=mid", 1): "sendonly",
	} {
		d, err := ParseOffer(head + "a=group:BUNDLE 0\r\n" + text)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Sections[0].Direction; got != want {
			t.Errorf("direction %s, want %s", got, want)
		}
	}
}

func TestTooManySections(t *testing.T) {
	var b strings.Builder
	b.WriteString(head + "a=group:BUNDLE")
	for i := range MaxSections + 1 {
		fmt.Fprintf(&b, " %d", i)
	}
	b.WriteString("\r\n")
	for i := range MaxSections + 1 {
		b.WriteString(video(fmt.Sprint(i)))
	}
	if _, err := ParseOffer(b.String()); !errors.Is(err, ErrTooManyMedia) {
		t.Errorf("got %v", err)
	}
}

func FuzzParseOffer(f *testing.F) {
	f.Add(head + "a=group:BUNDLE 0\r\n" + video("0"))
	f.Add(encoded("a=rid:q send", "a=rid:h send", "a=simulcast:send q;~h"))
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseOffer(text)
		if err != nil {
			if !errors.Is(err, ErrSDP) && !errors.Is(err, ErrTooManyMedia) && !errors.Is(err, ErrNoICE) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if len(d.Sections) == 0 || len(d.Sections) > MaxSections {
			t.Errorf("%d sections", len(d.Sections))
		}
		for _, s := range d.Sections {
			if len(s.RIDs) == 1 || len(s.RIDs) > MaxEncodings || len(s.SSRCs) > maxSourceLine {
				t.Errorf("%d encodings, %d sources", len(s.RIDs), len(s.SSRCs))
			}
		}
		if _, err := d.rewritten(map[string]bool{"0": true}, nil); err != nil {
			t.Error(err)
		}
	})
}

// What we would not answer with does not reach pion; an m-line of which nothing would be left stays as it is.
func TestUnknownCodecsAndExtensionsAreLeftOut(t *testing.T) {
	section := func(mid, formats, lines string) string {
		return "m=video 9 UDP/TLS/RTP/SAVPF " + formats + "\r\nc=IN IP4 0.0.0.0\r\na=mid:" + mid + "\r\na=sendonly\r\n" + credentials + lines
	}
	d, err := ParseOffer(head + "a=group:BUNDLE 0 1\r\n" +
		section("0", "96 97 98 99", "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:* nack\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"+
			"a=rtpmap:98 ulpfec/90000\r\na=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=98\r\na=rtcp-fb:98 nack\r\n"+
			"a=extmap:1 urn:ietf:params:rtp-hdrext:toffset\r\na=extmap:2/sendonly "+packet.URIMID+"\r\n") +
		section("1", "100", "a=rtpmap:100 H263/90000\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := d.rewritten(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"SAVPF 96 97\r\n", "rtpmap:96", "rtpmap:97", "apt=96", "rtcp-fb:* nack", packet.URIMID, "SAVPF 100\r\n", "rtpmap:100"} {
		if !strings.Contains(text, line) {
			t.Errorf("%s is missing in %s", line, text)
		}
	}
	for _, line := range []string{"ulpfec", "apt=98", "rtcp-fb:98", "toffset"} {
		if strings.Contains(text, line) {
			t.Errorf("%s is still in %s", line, text)
		}
	}
}
