package sfu

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTwoParticipantsSeeAndHearEachOther(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true})
	alice.play()
	bob.play()
	for _, c := range []struct {
		to   *client
		from string
	}{{alice, "bob"}, {bob, "alice"}} {
		for _, video := range []bool{false, true} {
			p := c.to.packet(0, video)
			if who := sent(p, video); !strings.HasPrefix(who, c.from+"/") {
				t.Errorf("%s received %q, video %v", c.to.id, who, video)
			}
		}
		started := b.await("slotStarted", func(e Event) bool {
			return e.Kind == SlotStarted && e.Participant == c.to.id && e.TrackKind == "video"
		})
		if started.PublicationID != c.from+".1" {
			t.Errorf("slotStarted names %q", started.PublicationID)
		}
		b.awaitKind(Connected, c.to.id)
	}
}

func TestNothingFlowsBeforeTheGateOpens(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{})
	bob := newClient(b, "room", "bob", clientOptions{})
	alice.play()
	b.awaitKind(Connected, "alice")
	b.awaitKind(Connected, "bob")
	// Wait until the gate has stopped packets, so that this is not a race that the gate wins by being early.
	eventually(t, func() bool { return b.count("parley_rtp_dropped_total", "not_accepted") > 20 })
	if n := len(bob.slot(bob.offered.Slots[0].AudioMID)) + len(bob.slot(bob.offered.Slots[0].VideoMID)); n > 0 {
		t.Fatalf("%d packets came through the closed gate", n)
	}
	must(t, b.OpenRoom(context.Background(), "room"))
	bob.packet(0, true)
	bob.packet(0, false)
}

func TestOneRefusedOfferLeavesTheRoomAlone(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true})
	alice.play()
	bob.packet(0, true)
	good := bob.offered
	for name, row := range map[string]struct {
		sdp  func(string) string
		edit func(*Offer)
		code string
	}{
		"empty":          {sdp: func(string) string { return "" }, code: CodeSDPInvalid},
		"noise":          {sdp: func(string) string { return "hello\r\nworld" }, code: CodeSDPInvalid},
		"truncated":      {sdp: func(s string) string { return s[:len(s)/3] }, code: CodeSDPInvalid},
		"NUL":            {sdp: func(s string) string { return s + "\x00" }, code: CodeSDPInvalid},
		"too long":       {sdp: func(s string) string { return s + strings.Repeat("a=x\r\n", 200_000) }, code: CodeSDPInvalid},
		"too many media": {sdp: func(s string) string { return s + strings.Repeat("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", 64) }, code: CodeSDPTooManyMedia},
		"no ICE":         {sdp: func(s string) string { return strings.ReplaceAll(s, "a=ice-ufrag", "a=ice-nothing") }, code: CodeSDPNoICE},
		"no fingerprint": {sdp: func(s string) string { return strings.ReplaceAll(s, "a=fingerprint", "a=x-print") }, code: CodeSDPInvalid},
		"new fingerprint": {sdp: func(s string) string {
			return strings.ReplaceAll(s, "a=fingerprint:sha-256 ", "a=fingerprint:sha-256 00:")
		}, code: CodeSDPInvalid},
		"passive":         {sdp: func(s string) string { return strings.ReplaceAll(s, "a=setup:actpass", "a=setup:passive") }, code: CodeSDPInvalid},
		"duplicate mid":   {sdp: func(s string) string { return strings.ReplaceAll(s, "a=mid:1", "a=mid:0") }, code: CodeSDPInvalid},
		"no mids":         {sdp: func(s string) string { return strings.ReplaceAll(s, "a=mid:", "a=dim:") }, code: CodeSDPInvalid},
		"unbundled":       {sdp: func(s string) string { return strings.ReplaceAll(s, "a=group:BUNDLE", "a=group:LS") }, code: CodeSDPInvalid},
		"odd ssrc":        {sdp: func(s string) string { return strings.ReplaceAll(s, "a=ssrc:", "a=ssrc:x") }, code: CodeSDPInvalid},
		"image":           {sdp: func(s string) string { return strings.ReplaceAll(s, "m=audio", "m=image") }, code: CodeSDPInvalid},
		"unknown mid":     {edit: func(o *Offer) { o.Publications = []OfferedPublication{{MID: "99", Source: "camera"}} }, code: CodeSDPInvalid},
		"wrong kind":      {edit: func(o *Offer) { o.Publications = []OfferedPublication{{MID: "0", Source: "camera"}} }, code: CodeSDPInvalid},
		"wrong source":    {edit: func(o *Offer) { o.Publications = []OfferedPublication{{MID: "0", Source: "radio"}} }, code: CodeSDPInvalid},
		"wrong direction": {edit: func(o *Offer) { o.Slots = []OfferedSlot{{AudioMID: "0", VideoMID: "1"}} }, code: CodeSDPInvalid},
		"two uses":        {edit: func(o *Offer) { o.Publications = append(o.Publications, o.Publications[0]) }, code: CodeSDPInvalid},
		"pair gap":        {edit: func(o *Offer) { o.Slots = []OfferedSlot{{Pair: 7, AudioMID: "2", VideoMID: "3"}} }, code: CodeSDPInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			offer := good
			offer.Publications = append([]OfferedPublication(nil), good.Publications...)
			if row.sdp != nil {
				offer.SDP = row.sdp(good.SDP)
			}
			if row.edit != nil {
				row.edit(&offer)
			}
			_, err := b.Offer(context.Background(), offer)
			var refused *Error
			if !errors.As(err, &refused) || refused.Code != row.code {
				t.Errorf("got %v, want %s", err, row.code)
			}
		})
	}
	drain(bob)
	bob.packet(0, true)
	if err := bob.offer(false, nil); err != nil {
		t.Fatalf("a good offer after the bad ones: %v", err)
	}
	drain(bob)
	bob.packet(0, true)
	if got := b.Count().Participants; got != 2 {
		t.Errorf("%d participants, want 2", got)
	}
}

func drain(c *client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ch := range c.received {
		for len(ch) > 0 {
			<-ch
		}
	}
}

func eventually(t testing.TB, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
