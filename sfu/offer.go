package sfu

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/parleyrtc/parley/sfu/transport"
)

// offerPatience bounds one negotiation.
const offerPatience = 10 * time.Second

// sources are the names of what can be published, with their kinds.
var sources = map[string]string{"microphone": "audio", "camera": "video", "screen": "video", "screenAudio": "audio"}

// offer answers one offer. A refused one changes nothing.
func (p *participant) offer(ctx context.Context, offer Offer) (answer Answer, err error) {
	if !p.negotiating.TryLock() {
		return Answer{}, &Error{CodeOfferInProgress, "another offer is being answered"}
	}
	defer p.negotiating.Unlock()
	defer func() {
		if v := recover(); v != nil {
			p.log.Error("panic", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
			p.fail(ReasonServer)
			answer, err = Answer{}, &Error{CodeInternal, "the offer could not be answered"}
		}
	}()
	description, err := transport.ParseOffer(offer.SDP)
	if err != nil {
		return Answer{}, refusal(err)
	}
	roles, err := p.roles(description, offer)
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, offerPatience)
	defer cancel()
	return p.negotiate(ctx, offer, description, roles)
}

// refusal is the client's view of an error of the transport.
func refusal(err error) error {
	switch {
	case errors.Is(err, transport.ErrTooManyMedia):
		return &Error{CodeSDPTooManyMedia, err.Error()}
	case errors.Is(err, transport.ErrNoICE):
		return &Error{CodeSDPNoICE, err.Error()}
	case errors.Is(err, transport.ErrSDP):
		return &Error{CodeSDPInvalid, err.Error()}
	}
	return fmt.Errorf("negotiate: %w", err)
}

func (p *participant) negotiate(ctx context.Context, offer Offer, description *transport.Description, roles transport.Roles) (Answer, error) {
	peer, fresh := p.peer.Load(), false
	if peer == nil {
		var err error
		if peer, err = p.room.sfu.plane.NewPeer(p); err != nil {
			return Answer{}, err
		}
		fresh = true
		p.expires.Store(p.alarm.count(time.Now().Add(p.room.sfu.config.ConnectTimeout)))
		p.peer.Store(peer)
		if p.gone.Load() {
			peer.Close()
			return Answer{}, &Error{CodeNotJoined, "the participant has left"}
		}
	}
	if peer.State() == transport.Closed { // by the client itself; a new one is a new participant
		p.fail(ReasonFailed)
		return Answer{}, &Error{CodeNotJoined, "the connection was closed: join again"}
	}
	agreed, err := peer.Negotiate(ctx, description, roles)
	switch {
	case err == nil:
	case fresh && !p.live.Load(): // As if this offer had never come: the next one begins anew.
		p.expires.Store(0)
		p.peer.Store(nil)
		peer.Close()
		return Answer{}, refusal(err)
	case errors.Is(err, transport.ErrUnusable):
		p.fail(ReasonFailed)
		return Answer{}, refusal(err)
	default:
		return Answer{}, refusal(err)
	}
	if p.expires.Load() != 0 {
		// A restart gets its time.
		p.expires.Store(p.alarm.count(time.Now().Add(p.room.sfu.config.ConnectTimeout)))
	}
	infos := p.agree(offer, description, agreed)
	return Answer{SDP: agreed.SDP, Publications: infos}, nil
}

// roles checks what the offer says about its m-lines against its SDP.
func (p *participant) roles(d *transport.Description, offer Offer) (transport.Roles, error) {
	var roles transport.Roles
	used := map[string]bool{}
	claim := func(mid, kind string, directions ...string) error {
		s := d.Section(mid)
		if s == nil {
			return &Error{CodeSDPInvalid, fmt.Sprintf("there is no m-line with mid %.20q", mid)}
		}
		if used[mid] {
			return &Error{CodeSDPInvalid, fmt.Sprintf("mid %q has two uses", mid)}
		}
		used[mid] = true
		if s.Kind != kind {
			return &Error{CodeSDPInvalid, fmt.Sprintf("mid %q is not %s", mid, kind)}
		}
		for _, direction := range directions {
			if s.Direction == direction {
				return nil
			}
		}
		return &Error{CodeSDPInvalid, fmt.Sprintf("mid %q is %s", mid, s.Direction)}
	}
	for _, pub := range offer.Publications {
		kind, ok := sources[pub.Source]
		if !ok {
			return roles, &Error{CodeSDPInvalid, fmt.Sprintf("there is no source %.20q", pub.Source)}
		}
		if err := claim(pub.MID, kind, "sendonly", "sendrecv"); err != nil {
			return roles, err
		}
		roles.Receive = append(roles.Receive, pub.MID)
	}
	pairs := map[int]bool{}
	for _, slot := range offer.Slots {
		if slot.Pair < 0 || slot.Pair >= len(offer.Slots) || slot.Pair >= p.most || pairs[slot.Pair] {
			return roles, &Error{CodeSDPInvalid, "pairs must be numbered from 0 without gaps, up to the limit"}
		}
		pairs[slot.Pair] = true
		for _, half := range []struct{ mid, kind string }{{slot.AudioMID, "audio"}, {slot.VideoMID, "video"}} {
			if err := claim(half.mid, half.kind, "recvonly"); err != nil {
				return roles, err
			}
			roles.Send = append(roles.Send, transport.SendLine{MID: half.mid, StreamID: pairName(slot.Pair)})
		}
	}
	return roles, nil
}

// pairName is the name of a pair's MediaStream.
func pairName(pair int) string { return fmt.Sprintf("pair-%d", pair) }

// agree takes over what was negotiated.
func (p *participant) agree(offer Offer, description *transport.Description, agreed transport.Answer) []PublicationInfo {
	r := p.room
	r.mu.Lock()
	defer r.unlock()
	if p.removed {
		return nil
	}
	changed := p.publish(offer.Publications)
	p.incoming.negotiated(p.publications, description, agreed.Description)
	p.offerSlots(offer.Slots, agreed)
	infos := p.infos()
	if changed {
		r.emit(Event{Kind: Publications, Participant: p.id, Publications: infos})
	}
	r.arrange()
	return infos
}

// publish makes the publications those of an offer, and says whether anything changed. The room's lock is held.
func (p *participant) publish(offered []OfferedPublication) bool {
	changed := len(offered) != len(p.publications)
	list := make([]*publication, 0, len(offered))
	for _, o := range offered {
		var pub *publication
		for _, old := range p.publications {
			if old.mid == o.MID && old.source == o.Source {
				pub = old
			}
		}
		if pub == nil {
			pub = newPublication(p, o.MID, o.Source, sources[o.Source] == "video")
			pub.muted = o.Muted
			changed = true
		}
		changed = changed || pub.muted != o.Muted
		pub.set(o.Muted)
		list = append(list, pub)
	}
	p.replacePublications(list)
	return changed
}

// replacePublications sets the list. Whoever carried one that is gone is put right by room.arrange. The room's lock is held.
func (p *participant) replacePublications(list []*publication) {
	p.room.sfu.metrics.publications.Add(int64(len(list) - len(p.publications)))
	for _, pub := range p.publications {
		if !slices.Contains(list, pub) {
			p.room.speakers.leave(time.Now(), pub.microphone)
		}
	}
	p.publications = list
}

// line is the line of a stream, now in a pair. A stream that comes back, after an offer without its m-line or in another pair,
// goes on where it was: a second line would count from anew under the same SSRC and key. The room's lock is held.
func (p *participant) line(stream *transport.Stream, pair int, video bool) *line {
	if stream == nil {
		return newLine(p, pair, video, pairName(pair), nil)
	}
	l := p.made[stream]
	if l == nil {
		l = newLine(p, pair, video, pairName(pair), stream)
		p.made[stream] = l
	}
	l.pair = pair
	return l
}

// offerSlots makes the pairs those of an offer. The room's lock is held.
func (p *participant) offerSlots(offered []OfferedSlot, agreed transport.Answer) {
	before := p.pairs
	p.pairs = make([]*slotPair, len(offered))
	lines := map[uint32]*line{}
	place := func(pair int, video bool, mid string) *line {
		l := p.line(agreed.Streams[mid], pair, video)
		if section := agreed.Description.Section(mid); section != nil && l.stream != nil {
			l.negotiated(section)
			lines[l.stream.SSRC] = l
		}
		return l
	}
	for _, o := range offered {
		p.pairs[o.Pair] = &slotPair{audio: place(o.Pair, false, o.AudioMID), video: place(o.Pair, true, o.VideoMID)}
	}
	for _, pair := range before {
		for _, l := range []*line{pair.audio, pair.video} {
			if l.stream != nil && lines[l.stream.SSRC] != l {
				l.carry(nil)
			}
		}
	}
	p.lines.Store(&lines)
	if before == nil { // less than it was told to have is its own choice, and more may be asked for
		p.asked = len(p.pairs)
	}
	p.asked = max(p.asked, len(p.pairs))
}
