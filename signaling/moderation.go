package signaling

import (
	"context"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// sources is what a participant may publish who is not limited.
var sources = wire.List[string]{wire.SourceMicrophone, wire.SourceCamera, wire.SourceScreen, wire.SourceScreenAudio}

// rights shows what a participant may do.
func (l *loop) rights(p *participant) wire.RightsView {
	view := wire.RightsView{
		Subscribe: !p.rights.SendOnly, Moderate: p.granted || l.call.Moderates(p.device.UID), Hidden: p.rights.Hidden,
	}
	for _, source := range sources {
		if p.rights.MayPublish(source) {
			view.Publish = append(view.Publish, source)
		}
	}
	return view
}

// mayOffer refuses what the participant has no right to send or to receive.
func (p *participant) mayOffer(params wire.OfferParams) *wire.Error {
	for _, publication := range params.Publications {
		if !p.rights.MayPublish(publication.Source) {
			return wire.Refuse(wire.CodeNotAllowed, "You may not publish this source here.").With("source", publication.Source)
		}
	}
	if p.rights.SendOnly && len(params.Slots) > 0 {
		return wire.Refuse(wire.CodeNotAllowed, "You may not receive anything here; offer no slots.")
	}
	return nil
}

func notAllowed() *wire.Error {
	return wire.Refuse(wire.CodeNotAllowed, "Only a moderator may do this.")
}

// hand raises a participant's hand or lowers it, and tells everybody.
func (l *loop) hand(by call.Device, moderator bool, params wire.HandParams, reply answer) {
	p, refusal := l.seat(by)
	if refusal != nil {
		reply(nil, refusal)
		return
	}
	if params.ParticipantID != "" && params.ParticipantID != p.id {
		if !moderator && !l.call.Moderates(by.UID) {
			reply(nil, notAllowed())
			return
		}
		if p = l.room.byID[params.ParticipantID]; p == nil || p.rights.Hidden {
			reply(nil, noParticipant())
			return
		}
	}
	reply(wire.Empty{}, nil)
	if p.rights.Hidden || params.Raised != p.raised.IsZero() {
		return // nobody sees it, or it is so already
	}
	now := time.Now()
	p.raised = time.Time{}
	if params.Raised {
		p.raised = now
	}
	event := wire.HandEvent{SessionID: l.id, ParticipantID: p.id, Raised: params.Raised, At: wire.Millis(p.raised)}
	l.tell(now, wire.EventSessionHand, event, l.room.others(nil)...)
}

// muteOther notes somebody's publication as muted and asks their client to make it so.
func (l *loop) muteOther(by call.Device, moderator bool, params wire.MuteOtherParams, reply answer) {
	_, refusal := l.seat(by)
	switch {
	case refusal != nil:
		reply(nil, refusal)
		return
	case !moderator && !l.call.Moderates(by.UID):
		reply(nil, notAllowed())
		return
	}
	l.muteFor(l.user(by.UID), params.PublicationID, reply)
}

// muteFor does so for a moderator, or for the operator, who is nobody.
func (l *loop) muteFor(by wire.UserView, publication string, reply answer) {
	owner := l.room.publisher(publication)
	if owner == nil {
		reply(nil, wire.Refuse(wire.CodePublicationNotFound, "There is no such publication."))
		return
	}
	l.pass("mute", reply, func(ctx context.Context) error {
		return l.server.deps.Media.Mute(ctx, l.id, owner.id, publication, true)
	})
	event := wire.MutedEvent{SessionID: l.id, PublicationID: publication, By: by}
	l.tell(time.Now(), wire.EventSessionMuted, event, owner.at())
}

// expel puts a participant's user out of the call.
func (l *loop) expel(by call.Device, moderator bool, params wire.ExpelParams, reply answer) {
	_, refusal := l.seat(by)
	if refusal != nil {
		reply(nil, refusal)
		return
	}
	if p := l.room.byID[params.ParticipantID]; p != nil && p.rights.Hidden {
		reply(nil, noParticipant())
		return
	}
	l.expelFor(by, moderator, params.ParticipantID, reply)
}

func noParticipant() *wire.Error {
	return wire.Refuse(wire.CodeParticipantNotFound, "There is no such participant.")
}

// expelFor does so for a moderator, or for the operator, who is nobody.
func (l *loop) expelFor(by call.Device, moderator bool, participant string, reply answer) {
	p := l.room.byID[participant]
	if p == nil {
		reply(nil, noParticipant())
		return
	}
	if refusal := l.apply(time.Now(), call.Expel{By: by, UID: p.device.UID, Moderator: moderator}); refusal != nil {
		reply(nil, refusal)
		return
	}
	reply(wire.Empty{}, nil)
}

// publisher finds whose publication it is, nil if nobody's.
func (r *room) publisher(publication string) *participant {
	for _, p := range r.byID {
		for i := range p.publications {
			if p.publications[i].PublicationID == publication {
				return p
			}
		}
	}
	return nil
}
