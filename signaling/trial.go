package signaling

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// The bounds of tests of the connection. One costs as much as a call of its length.
const (
	trialLife    = time.Minute // a test takes some 15 s
	trialRate    = 0.1         // a second for one user: one in ten seconds
	trialBurst   = 3
	maxTrials    = 100 // at once in this process; more wait
	maxTrialLegs = 8   // PeerConnections of one test: five ways, and two for the bit rate
)

// trials are the tests of connections that go on now: each is a room of the media side without a call, in which one device
// is alone with itself.
type trials struct {
	// Set at construction.
	limits *limits

	// Guarded by mu.
	mu     sync.Mutex
	byID   map[string]*trial
	byUser map[string]*trial
	closed bool
}

// trial is one test of one device.
type trial struct {
	// Set at construction.
	id     string
	device call.Device
	expiry *time.Timer

	// Guarded by mu.
	mu   sync.Mutex
	legs map[string]string // participant ids by the client's name
	over bool
}

func newTrials() *trials {
	return &trials{limits: newLimits(trialRate, trialBurst), byID: map[string]*trial{}, byUser: map[string]*trial{}}
}

// beginTrial makes room for a test. A user has one: another one that goes on is ended.
func (s *Server) beginTrial(now time.Time, by call.Device, reply answer) {
	if s.draining.Load() {
		reply(nil, wire.Refuse(wire.CodeDraining, "This server takes no new calls."))
		return
	}
	if wait, allowed := allow(s.trials.limits.user(now, by.UID), now); !allowed {
		reply(nil, tooFast(wait))
		return
	}
	t := &trial{id: newID("t_"), device: by, legs: map[string]string{}}
	before, ok := s.trials.add(t, func() { s.endTrial(t) })
	if before != nil {
		s.endTrial(before)
	}
	if !ok {
		reply(nil, tooFast(trialLife/2))
		return
	}
	reply(wire.TestResult{TestID: t.id, ICEServers: s.iceServers(by.UID, t.id), VideoCodec: defaultCodec}, nil)
}

// add takes a test in, unless there are too many, and gives the one that it replaces.
func (ts *trials) add(t *trial, expired func()) (before *trial, ok bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	before = ts.byUser[t.device.UID]
	if ts.closed || before == nil && len(ts.byID) >= maxTrials {
		return nil, false
	}
	t.expiry = time.AfterFunc(trialLife, expired)
	ts.byID[t.id], ts.byUser[t.device.UID] = t, t
	return before, true
}

// offerTrial negotiates one PeerConnection of a test.
func (s *Server) offerTrial(by call.Device, params wire.TestOfferParams, reply answer) {
	t := s.trials.of(by, params.TestID)
	if t == nil {
		reply(nil, errNotFound())
		return
	}
	offer := MediaOffer{Room: t.id, SDP: params.SDP}
	for _, publication := range params.Publications {
		offer.Publications = append(offer.Publications, MediaPublication(publication))
	}
	for _, slot := range params.Slots {
		offer.Slots = append(offer.Slots, MediaSlot(slot))
	}
	var answered MediaAnswer
	err := guarded(s.context, func(ctx context.Context) (err error) {
		answered, err = t.offer(ctx, s.deps.Media, params.Leg, offer)
		return err
	})
	if err != nil {
		var refusal *MediaError
		if !errors.As(err, &refusal) {
			s.log.Error("the media side failed", "doing", "connection test", "error", err)
		}
		reply(nil, mediaRefusal(err))
		return
	}
	reply(wire.OfferResult{SDP: answered.SDP}, nil)
}

// offer answers an offer of a leg, which joins first if it is new. Offers of a test come one at a time.
func (t *trial) offer(ctx context.Context, media Media, leg string, offer MediaOffer) (MediaAnswer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return MediaAnswer{}, &MediaError{Code: wire.CodeNotJoined, Message: "The test is over."}
	}
	participant, joined := t.legs[leg]
	if !joined {
		if len(t.legs) >= maxTrialLegs {
			return MediaAnswer{}, &MediaError{Code: wire.CodeRoomFull, Message: "The test has too many connections."}
		}
		participant = newID("p_")
		join := MediaJoin{Room: t.id, Participant: participant, UID: t.device.UID, Device: t.device.ID, Open: true, Pairs: 1, MaxPairs: 1}
		if err := media.Join(ctx, join); err != nil {
			return MediaAnswer{}, err
		}
		t.legs[leg] = participant
	}
	offer.Participant = participant
	return media.Offer(ctx, offer)
}

// of finds a test of a device.
func (ts *trials) of(by call.Device, id string) *trial {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.byID[id]; t != nil && t.device == by {
		return t
	}
	return nil
}

// endTrial frees what a test holds, at its end or its expiry.
func (s *Server) endTrial(t *trial) {
	s.trials.remove(t)
	t.expiry.Stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	t.over = true
	err := guarded(s.context, func(ctx context.Context) error { return s.deps.Media.Close(ctx, t.id, string(call.ReasonLeft)) })
	if err != nil {
		s.log.Error("the media side failed", "doing", "end of a connection test", "error", err)
	}
}

func (ts *trials) remove(t *trial) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.byID, t.id)
	if ts.byUser[t.device.UID] == t {
		delete(ts.byUser, t.device.UID)
	}
}

// close lets no test begin and none expire any more; the media side is closed after this.
func (ts *trials) close() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.closed = true
	for _, t := range ts.byID {
		t.expiry.Stop()
	}
}
