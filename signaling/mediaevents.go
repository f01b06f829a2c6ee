package signaling

import (
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// MediaEvent takes a fact from the media side. It never blocks and may be called from any goroutine.
func (s *Server) MediaEvent(event MediaEvent) {
	s.metrics.mediaEvents.WithLabelValues(event.Kind.String()).Inc()
	l := s.calls.loop(event.Room)
	if l == nil {
		return // the call is over, and the room is being closed
	}
	if !l.box.media(event) {
		s.metrics.mediaDropped.Inc()
	}
}

// mediaEvent tells the machine and the devices what has happened on the media side.
func (l *loop) mediaEvent(now time.Time, e MediaEvent) {
	switch e.Kind {
	case MediaCodec:
		l.codec(now, e)
		return
	case MediaSpeakers:
		l.speakers(now, e)
		return
	}
	p := l.room.byID[e.Participant]
	if p == nil {
		return // has left meanwhile
	}
	switch e.Kind {
	case MediaConnected:
		l.connected(now, p)
	case MediaDisconnected:
		p.connected, p.silentSince = false, now.Add(-e.Silent)
		l.box.present(p.device)
	case MediaGone:
		l.gone(now, p, e.Reason)
	case MediaPublications:
		l.publications(now, p, e.Publications)
	case MediaSlotChanged:
		l.tell(now, wire.EventSessionSlot, wire.SlotEvent{
			SessionID: l.id, Pair: e.Pair, ParticipantID: e.Source, Audio: e.Audio, Video: e.Video,
		}, p.at())
	case MediaSlotStarted:
		l.tell(now, wire.EventSessionSlotStarted, wire.SlotStartedEvent{
			SessionID: l.id, Pair: e.Pair, Kind: e.TrackKind, PublicationID: e.PublicationID, RTPTimestamp: e.RTPTimestamp,
		}, p.at())
	case MediaSlotsNeeded:
		l.tell(now, wire.EventSessionSlotsNeeded, wire.SlotsNeededEvent{SessionID: l.id, Pairs: e.Pairs}, p.at())
	case MediaDataWaiting:
		l.tell(now, wire.EventSessionDataWaiting, wire.DataWaitingEvent{SessionID: l.id}, p.at())
	case MediaWatched:
		l.tell(now, wire.EventSessionPublish, publishEvent(l.id, e.Watched), p.at())
	case MediaSlotPaused:
		l.tell(now, wire.EventSessionSlotPaused, wire.SlotPausedEvent{
			SessionID: l.id, Pair: e.Pair, Paused: e.Paused, Reason: e.Reason,
		}, p.at())
	case MediaQuality:
		l.quality(now, p, e)
	}
}

// connected announces a participant to the others the first time.
func (l *loop) connected(now time.Time, p *participant) {
	p.connected = true
	l.box.present(p.device)
	if p.announced {
		return
	}
	if p.rights.Hidden {
		l.greet(now, p)
		return
	}
	p.announced = true
	l.tell(now, wire.EventSessionJoined, wire.ParticipantEvent{SessionID: l.id, Participant: p.view()}, l.room.others(p)...)
	l.greet(now, p)
}

// greet tells a participant who has come what the others were told before.
func (l *loop) greet(now time.Time, p *participant) {
	if l.room.speakers != nil {
		l.tell(now, wire.EventSessionSpeakers, *l.room.speakers, p.at())
	}
}

// gone takes out a participant on whom the media side has given up.
func (l *loop) gone(now time.Time, p *participant, reason string) {
	l.removed(now, p, reason)
	l.failedMedia(now, p.device, reason)
}

// failedMedia takes a device that the media side has given up out of the call, unless it has joined again.
func (l *loop) failedMedia(now time.Time, d call.Device, reason string) {
	if l.room.byDevice[d] != nil {
		return
	}
	l.fact(now, call.MediaFailed{Device: d, Reason: call.Reason(reason)}, func() { l.failedMedia(time.Now(), d, reason) })
}

// publications shows what a participant publishes now: to the others once they know the participant, and to the
// participant, who learns the ids of their own tracks this way.
func (l *loop) publications(now time.Time, p *participant, infos []MediaPublicationInfo) {
	p.publications = nil
	for _, info := range infos {
		p.publications = append(p.publications, wire.PublicationView{
			PublicationID: info.ID, Kind: info.Kind, Source: info.Source, Muted: info.Muted,
		})
	}
	to := []call.Recipient{p.at()}
	if p.announced {
		to = append(to, l.room.others(p)...)
	}
	l.tell(now, wire.EventSessionUpdated, wire.ParticipantEvent{SessionID: l.id, Participant: p.view()}, to...)
}

// codec asks one participant, or all, to publish another codec.
func (l *loop) codec(now time.Time, e MediaEvent) {
	event := wire.CodecEvent{SessionID: l.id, VideoCodec: e.VideoCodec}
	if e.Participant != "" {
		if p := l.room.byID[e.Participant]; p != nil {
			l.tell(now, wire.EventSessionCodec, event, p.at())
		}
		return
	}
	l.room.codec = e.VideoCodec
	l.tell(now, wire.EventSessionCodec, event, l.room.others(nil)...)
}

// speakers tells everybody who speaks, and keeps it for those who come later.
func (l *loop) speakers(now time.Time, e MediaEvent) {
	event := wire.SpeakersEvent{SessionID: l.id, Speaker: e.Speaker, Voices: e.Voices}
	l.room.speakers = &event
	l.tell(now, wire.EventSessionSpeakers, event, l.room.others(nil)...)
}

// quality tells everybody, the participant too, how good a connection is.
func (l *loop) quality(now time.Time, p *participant, e MediaEvent) {
	l.notes = l.notes.measured(now, p.device.UID, e.Score)
	p.quality = &wire.QualityView{Score: e.Score, Grade: e.Grade, Cause: e.Cause}
	to := []call.Recipient{p.at()}
	if p.announced {
		to = append(to, l.room.others(p)...)
	}
	l.tell(now, wire.EventSessionQuality, wire.QualityEvent{SessionID: l.id, ParticipantID: p.id, QualityView: *p.quality}, to...)
}

func publishEvent(session string, watched []MediaWatchedPublication) wire.PublishEvent {
	event := wire.PublishEvent{SessionID: session}
	for _, w := range watched {
		publication := wire.WatchedPublication{PublicationID: w.ID, MID: w.MID, Active: w.Active}
		for _, encoding := range w.Encodings {
			publication.Encodings = append(publication.Encodings, wire.WatchedEncoding(encoding))
		}
		event.Publications = append(event.Publications, publication)
	}
	return event
}
