package main

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/parleyrtc/parley/sfu"
	"github.com/parleyrtc/parley/signaling"
)

// localMedia is signaling's media side in this process: an SFU, in signaling's words.
type localMedia struct {
	sfu  *sfu.SFU
	told atomic.Pointer[signaling.Server] // who hears the SFU's events; set before the first Join

	// revoke ends what TURN relays for a room that is over; nil when TURN is off. Set before the first Join.
	revoke func(session string) int
}

// Join lets a participant negotiate.
func (m *localMedia) Join(ctx context.Context, join signaling.MediaJoin) error {
	return mediaError(m.sfu.Join(ctx, sfu.Join(join)))
}

// Offer answers an offer.
func (m *localMedia) Offer(ctx context.Context, offer signaling.MediaOffer) (signaling.MediaAnswer, error) {
	in := sfu.Offer{
		Room: offer.Room, Participant: offer.Participant, SDP: offer.SDP, ICERestart: offer.ICERestart,
		Publications: make([]sfu.OfferedPublication, 0, len(offer.Publications)),
		Slots:        make([]sfu.OfferedSlot, 0, len(offer.Slots)),
	}
	for _, p := range offer.Publications {
		in.Publications = append(in.Publications, sfu.OfferedPublication(p))
	}
	for _, s := range offer.Slots {
		in.Slots = append(in.Slots, sfu.OfferedSlot(s))
	}
	answer, err := m.sfu.Offer(ctx, in)
	return signaling.MediaAnswer{SDP: answer.SDP}, mediaError(err)
}

// Mute records that a publication is muted or not.
func (m *localMedia) Mute(ctx context.Context, room, participant, publication string, muted bool) error {
	return mediaError(m.sfu.Mute(ctx, room, participant, publication, muted))
}

// Wish passes on what a receiver wishes for its pairs.
func (m *localMedia) Wish(_ context.Context, room, participant string, wishes []signaling.MediaSlotWish) error {
	in := make([]sfu.SlotWish, 0, len(wishes))
	for _, w := range wishes {
		in = append(in, sfu.SlotWish(w))
	}
	return mediaError(m.sfu.Wish(room, participant, in))
}

// Stats passes on what a receiver measured on its pairs.
func (m *localMedia) Stats(_ context.Context, room, participant string, stats []signaling.MediaSlotStats) error {
	in := make([]sfu.SlotStats, 0, len(stats))
	for _, s := range stats {
		in = append(in, sfu.SlotStats(s))
	}
	return mediaError(m.sfu.Stats(room, participant, in))
}

// Leave takes a participant out.
func (m *localMedia) Leave(ctx context.Context, room, participant, reason string) error {
	return mediaError(m.sfu.Leave(ctx, room, participant, reason))
}

// Open lets media flow in a room.
func (m *localMedia) Open(ctx context.Context, room string) error {
	return mediaError(m.sfu.OpenRoom(ctx, room))
}

// Close ends a room and what is relayed for it.
func (m *localMedia) Close(ctx context.Context, room, reason string) error {
	if m.revoke != nil {
		m.revoke(room)
	}
	return mediaError(m.sfu.CloseRoom(ctx, room, reason))
}

func mediaError(err error) error {
	var refusal *sfu.Error
	if errors.As(err, &refusal) {
		return &signaling.MediaError{Code: refusal.Code, Message: refusal.Message}
	}
	return err
}

// notify hands the SFU's events to signaling.
func (m *localMedia) notify(event sfu.Event) {
	if server := m.told.Load(); server != nil {
		server.MediaEvent(mediaEvent(event))
	}
}

var eventKinds = map[sfu.Kind]signaling.MediaEventKind{
	sfu.Connected: signaling.MediaConnected, sfu.Disconnected: signaling.MediaDisconnected, sfu.Gone: signaling.MediaGone,
	sfu.Publications: signaling.MediaPublications, sfu.Slot: signaling.MediaSlotChanged,
	sfu.SlotStarted: signaling.MediaSlotStarted, sfu.SlotsNeeded: signaling.MediaSlotsNeeded, sfu.Codec: signaling.MediaCodec,
	sfu.DataWaiting: signaling.MediaDataWaiting, sfu.Watched: signaling.MediaWatched, sfu.SlotPaused: signaling.MediaSlotPaused,
	sfu.Speakers: signaling.MediaSpeakers, sfu.Quality: signaling.MediaQuality,
}

func mediaEvent(e sfu.Event) signaling.MediaEvent {
	out := signaling.MediaEvent{
		Kind: eventKinds[e.Kind], Room: e.Room, Participant: e.Participant, Silent: e.Silent, Reason: e.Reason,
		Pair: e.Pair, Source: e.Source, Audio: e.Audio, Video: e.Video, TrackKind: e.TrackKind,
		PublicationID: e.PublicationID, RTPTimestamp: e.RTPTimestamp, Pairs: e.Pairs, VideoCodec: e.VideoCodec,
		Paused: e.Paused, Speaker: e.Speaker, Voices: e.Voices, Score: e.Score, Grade: e.Grade, Cause: e.Cause,
	}
	for _, w := range e.Watched {
		watched := signaling.MediaWatchedPublication{ID: w.ID, MID: w.MID, Active: w.Active}
		for _, encoding := range w.Encodings {
			watched.Encodings = append(watched.Encodings, signaling.MediaWatchedEncoding(encoding))
		}
		out.Watched = append(out.Watched, watched)
	}
	for _, p := range e.Publications {
		out.Publications = append(out.Publications, signaling.MediaPublicationInfo{ID: p.ID, Kind: p.Kind, Source: p.Source, Muted: p.Muted})
	}
	return out
}
