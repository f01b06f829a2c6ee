package transport

import (
	"context"
	"fmt"
	"strings"

	"github.com/pion/webrtc/v4"
)

// Roles says what each m-line of an offer is for. Audio and video m-lines in neither list are switched off.
type Roles struct {
	Receive []string   // mids of the client's publications
	Send    []SendLine // in any order
}

// SendLine is an m-line that we send on.
type SendLine struct {
	MID      string
	StreamID string // of the MediaStream that the client is to see; one for each pair keeps it in lip sync
}

// Answer is what a negotiation came to.
type Answer struct {
	SDP         string
	Description *Description // of our answer: payload types and extension ids as agreed
	Streams     map[string]*Stream
}

// Negotiate answers an offer. After an error that is not ErrUnusable the peer is as it was.
func (p *Peer) Negotiate(ctx context.Context, offer *Description, roles Roles) (Answer, error) {
	if p.fingerprint != "" && p.fingerprint != offer.Fingerprint {
		return Answer{}, invalid("its DTLS fingerprint has changed: a new connection must join anew")
	}
	sends, text, err := p.prepare(offer, roles)
	if err != nil {
		return Answer{}, err
	}
	p.fingerprint = offer.Fingerprint
	if p.ufrag != offer.ufrag { // an ICE restart forgets the addresses
		p.ufrag = strings.Clone(offer.ufrag)
		p.remotes.Store(0)
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: text}); err != nil {
		if p.pc.SignalingState() == webrtc.SignalingStateStable {
			return Answer{}, invalid("%v", err)
		}
		return Answer{}, fmt.Errorf("%w: %w: %v", ErrUnusable, ErrSDP, err)
	}
	answer, err := p.answer(ctx, offer, sends)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	return answer, nil
}

// prepare checks the roles against the offer and returns it as pion may see it.
func (p *Peer) prepare(offer *Description, roles Roles) (map[string]SendLine, string, error) {
	receives, off := map[string]bool{}, map[string]bool{}
	sends := map[string]SendLine{}
	for _, mid := range roles.Receive {
		receives[mid] = true
	}
	for _, line := range roles.Send {
		if receives[line.MID] {
			return nil, "", invalid("mid %q both sends and receives", line.MID)
		}
		sends[line.MID] = line
	}
	for _, s := range offer.Sections {
		_, sending := sends[s.MID]
		if s.Kind != "application" && !sending && !receives[s.MID] {
			off[s.MID] = true
		}
	}
	text, err := offer.rewritten(receives, off)
	return sends, text, err
}

// answer does the second half, in the only order that works with pion: tracks in m-line order between the remote
// description and the answer.
func (p *Peer) answer(ctx context.Context, offer *Description, sends map[string]SendLine) (Answer, error) {
	for i := range offer.Sections {
		s := &offer.Sections[i]
		line, ok := sends[s.MID]
		if !ok || p.streams[s.MID] != nil {
			continue
		}
		// The names are the role's: those of the section would keep the whole offer in memory.
		stream := &Stream{MID: line.MID, Video: s.Kind == "video", id: line.StreamID}
		sender, err := p.pc.AddTrack(track{stream, p.plane.fast})
		if err == nil {
			err = p.placed(sender, s.MID) // the m-line may have two directions, or no codec of ours
		}
		if err != nil {
			return Answer{}, invalid("%v", err)
		}
		p.streams[line.MID] = stream
	}
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return Answer{}, invalid("%v", err) // such as several tracks in one m-line, the way of old browsers
	}
	done := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(answer); err != nil {
		return Answer{}, invalid("%v", err)
	}
	if err := p.gathered(ctx, done); err != nil {
		return Answer{}, err
	}
	text := p.pc.LocalDescription().SDP
	description, err := parse(text)
	if err != nil {
		return Answer{}, err
	}
	text = withSimulcast(text, offer, description)
	p.agree(offer, description)
	streams := map[string]*Stream{}
	for mid := range sends {
		if s := p.streams[mid]; s.bound {
			streams[mid] = s
		}
	}
	return Answer{SDP: text, Description: description, Streams: streams}, nil
}

// agree notes what authenticates checks between the agents from here on.
func (p *Peer) agree(offer, answer *Description) {
	s := &secrets{theirs: strings.Clone(offer.ufrag), theirPassword: strings.Clone(offer.password)}
	for _, m := range answer.parsed.MediaDescriptions {
		if s.ours = answer.attribute(m, "ice-ufrag"); s.ours != "" { // a refused m-line has none
			s.password = answer.attribute(m, "ice-pwd")
			break
		}
	}
	p.secrets.Store(s)
}

// placed makes sure that pion gave the track to the m-line that we meant.
func (p *Peer) placed(sender *webrtc.RTPSender, mid string) error {
	for _, t := range p.pc.GetTransceivers() {
		if t.Sender() == sender && t.Mid() != mid {
			return fmt.Errorf("track for mid %q went to mid %q", mid, t.Mid())
		}
	}
	return nil
}
