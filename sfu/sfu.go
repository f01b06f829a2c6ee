// Package sfu forwards media between the participants of rooms.
package sfu

import (
	"context"
	"net/netip"
)

// SFU holds the rooms of this process. All methods may be called from any goroutine.
type SFU struct {
	config Config
	notify func(Event)
}

// New opens the media sockets. notify is called for every event, events of one room one at a time and in order; it must
// not block and must not call back into the SFU.
func New(config Config, notify func(Event)) (*SFU, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	return &SFU{config: config, notify: notify}, nil
}

// Join lets a participant negotiate. A participant id can be used once.
func (s *SFU) Join(ctx context.Context, join Join) error { return nil }

// Offer answers an offer.
func (s *SFU) Offer(ctx context.Context, offer Offer) (Answer, error) { return Answer{}, nil }

// Mute records that a publication is muted or not, and tells it by a Publications event.
func (s *SFU) Mute(ctx context.Context, room, participant, publication string, muted bool) error {
	return nil
}

// Leave takes a participant out, without a Gone event. An unknown room or participant is not an error.
func (s *SFU) Leave(ctx context.Context, room, participant, reason string) error { return nil }

// OpenRoom lets media flow in a room. An unknown room is not an error: its first Join says Open.
func (s *SFU) OpenRoom(ctx context.Context, room string) error { return nil }

// CloseRoom ends a room for everybody, without Gone events. An unknown room is not an error.
func (s *SFU) CloseRoom(ctx context.Context, room, reason string) error { return nil }

// Addresses are the addresses that candidates carry, for TURN's allow-list.
func (s *SFU) Addresses() []netip.AddrPort { return nil }

// Stats counts what exists now.
func (s *SFU) Stats() Stats { return Stats{} }

// Close ends every room, closes the sockets and waits for all goroutines.
func (s *SFU) Close() error { return nil }
