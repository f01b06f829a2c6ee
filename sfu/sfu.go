// Package sfu forwards media between the participants of rooms.
//
// A room has participants, each with one PeerConnection in the hands of package transport. A participant's publications
// are what it sends; its slot pairs are what it can receive. The room puts publications on pairs, each such placement is a
// subscription. A packet's road:
//
//	transport → participant.Packets (forward.go): a run of packets from one client
//	→ inbox.take (incoming.go): parsed, matched to their publications, counted, kept for repetition
//	→ subscription.send (forward.go): for each subscriber in turn, renumbered by its line, sealed into the transport's batch
//
// All of it happens on the goroutine that received the packets, and no packet is copied for it. What is sent to a participant
// is guarded by its sending lock, whoever sends. What is due by the clock, RTCP above all, is done by its alarm.
package sfu

import (
	"context"
	"errors"
	"net/netip"
	"sync"

	"github.com/parleyrtc/parley/sfu/transport"
)

// SFU holds the rooms of this process. All methods may be called from any goroutine.
type SFU struct {
	// Set at construction.
	config  Config
	notify  func(Event)
	plane   *transport.Plane
	metrics *metrics

	alarms sync.WaitGroup // of all participants

	mu     sync.Mutex
	rooms  map[string]*room
	closed bool
}

// New opens the media sockets. notify is called for every event, events of one room one at a time and in order; it must
// not block and must not call back into the SFU.
func New(config Config, notify func(Event)) (*SFU, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(config.Registerer)
	if err != nil {
		return nil, err
	}
	plane, err := transport.Listen(transport.Config{
		UDP: config.UDP, TCP: config.TCP, Advertise: config.Advertise,
		Disconnected: config.ICEDisconnected, Failed: config.ICEFailed, Path: config.MediaPath, Segmentation: config.Segmentation,
		Rebinding: config.Rebinding, Logger: config.Logger,
	})
	if err != nil {
		return nil, err
	}
	if err := m.sockets(config.Registerer, plane); err != nil {
		return nil, errors.Join(err, plane.Close())
	}
	return &SFU{config: config, notify: notify, plane: plane, metrics: m, rooms: map[string]*room{}}, nil
}

// Join lets a participant negotiate. A participant id can be used once.
func (s *SFU) Join(_ context.Context, join Join) error {
	r, err := s.enter(join)
	if err != nil {
		return err
	}
	return r.join(join)
}

// enter finds the room of a join, or makes it, and counts the join in so that the room stays.
func (s *SFU) enter(join Join) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, &Error{CodeDraining, "the server is shutting down"}
	}
	r := s.rooms[join.Room]
	if r == nil {
		if len(s.rooms) >= s.config.MaxRooms {
			return nil, &Error{CodeRoomFull, "this server has no room for another call"}
		}
		r = newRoom(s, join.Room)
		s.rooms[join.Room] = r
		s.metrics.rooms.Add(1)
	}
	r.entering++
	return r, nil
}

// left ends an empty room.
func (s *SFU) left(r *room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.entering == 0 && s.rooms[r.id] == r && r.empty() {
		delete(s.rooms, r.id)
		s.metrics.rooms.Add(-1)
	}
}

func (s *SFU) room(id string) *room {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms[id]
}

// Offer answers an offer. Errors for the client are *Error; the room is unaffected by them.
func (s *SFU) Offer(ctx context.Context, offer Offer) (Answer, error) {
	p := s.participant(offer.Room, offer.Participant)
	if p == nil {
		return Answer{}, &Error{CodeNotJoined, "there is no such participant"}
	}
	answer, err := p.offer(ctx, offer)
	if err != nil {
		s.metrics.offers[1].Inc()
		return Answer{}, err
	}
	s.metrics.offers[0].Inc()
	return answer, nil
}

func (s *SFU) participant(room, id string) *participant {
	r := s.room(room)
	if r == nil {
		return nil
	}
	return r.member(id)
}

// Mute records that a publication is muted or not, and tells it by a Publications event.
func (s *SFU) Mute(_ context.Context, room, participant, publication string, muted bool) error {
	p := s.participant(room, participant)
	if p == nil {
		return &Error{CodeNotJoined, "there is no such participant"}
	}
	return p.room.mute(p, publication, muted)
}

// Leave takes a participant out, without a Gone event. An unknown room or participant is not an error.
func (s *SFU) Leave(_ context.Context, room, participant, reason string) error {
	if p := s.participant(room, participant); p != nil {
		p.log.Info("participant left", "reason", reason)
		p.room.remove(p, "")
	}
	return nil
}

// OpenRoom lets media flow in a room. An unknown room is not an error: its first Join says Open.
func (s *SFU) OpenRoom(_ context.Context, room string) error {
	if r := s.room(room); r != nil {
		r.mu.Lock()
		defer r.unlock()
		r.openGate()
	}
	return nil
}

// CloseRoom ends a room for everybody, without Gone events. An unknown room is not an error.
func (s *SFU) CloseRoom(_ context.Context, room, reason string) error {
	if r := s.room(room); r != nil {
		r.log.Info("room closed", "reason", reason)
		r.end()
	}
	return nil
}

// Addresses are the addresses that candidates carry, for TURN's allow-list.
func (s *SFU) Addresses() []netip.AddrPort { return s.plane.Addresses() }

// Count counts what exists now.
func (s *SFU) Count() Totals {
	return Totals{
		Rooms:         int(s.metrics.rooms.Load()),
		Participants:  int(s.metrics.participants.Load()),
		Publications:  int(s.metrics.publications.Load()),
		Subscriptions: int(s.metrics.subscriptions.Load()),
	}
}

// Close ends every room, closes the sockets and waits for all goroutines.
func (s *SFU) Close() error {
	s.mu.Lock()
	s.closed = true
	rooms := make([]*room, 0, len(s.rooms))
	for _, r := range s.rooms {
		rooms = append(rooms, r)
	}
	s.mu.Unlock()
	for _, r := range rooms {
		r.end()
	}
	s.alarms.Wait()
	return s.plane.Close()
}
