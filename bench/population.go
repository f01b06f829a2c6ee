package bench

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
)

// joinsAtOnce keeps the handshakes of a big room from timing one another out.
const joinsAtOnce = 8

// size brings participants in, or takes the last ones out, until there are so many units.
func (s *stage) size(ctx context.Context, units int, progress Progress) error {
	target := s.participants(units)
	var err error
	if target < len(s.clients) {
		err = s.shrink(ctx, target)
	} else {
		err = s.grow(ctx, target, progress)
	}
	if err != nil {
		return err
	}
	return s.tellReceivers()
}

// grow brings the next participants into their rooms, which it opens first.
func (s *stage) grow(ctx context.Context, target int, progress Progress) error {
	first := len(s.clients)
	if target == first {
		return nil
	}
	if err := s.name(target); err != nil {
		return err
	}
	if err := s.cast(target); err != nil {
		return err
	}
	joined := make(chan struct{}, target-first)
	counted := make(chan struct{})
	go func() { // ends when joined is closed
		defer close(counted)
		done := 0
		for range joined {
			done++
			progress.tell(Update{Phase: "joining", Done: float64(done), Total: float64(target - first), Unit: "clients"})
		}
	}()
	err := s.enter(ctx, first, target, joined)
	close(joined)
	<-counted
	return err
}

// enter brings participants in, several at once.
func (s *stage) enter(ctx context.Context, first, target int, joined chan<- struct{}) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(joinsAtOnce)
	if s.shape.OneToOne {
		s.rooms = append(s.rooms, make([]*room, (target-first)/2)...) // each call fills in its own
	}
	var err error
	for i := first; i < target && err == nil; i++ {
		room, place := s.place(i)
		if s.shape.OneToOne {
			group.Go(func() error { return s.pair(ctx, room, joined) })
			i++ // the other one
			continue
		}
		if place == 0 {
			err = s.openGroup(ctx, room)
			if err != nil {
				break
			}
		}
		in, uid, media := s.rooms[room], s.names[i], s.clients[i]
		group.Go(func() error {
			defer func() { joined <- struct{}{} }()
			return in.bring(ctx, uid, media)
		})
	}
	if failed := group.Wait(); err == nil {
		err = failed
	}
	s.rooms = slices.DeleteFunc(s.rooms, func(r *room) bool { return r == nil }) // whose call did not come about
	return err
}

// openGroup makes the next room.
func (s *stage) openGroup(ctx context.Context, room int) error {
	size := s.shape.roomSize()
	if err := s.name((room + 1) * size); err != nil {
		return err
	}
	r, err := openGroup(ctx, s.target, s.shape, fmt.Sprintf("load-%s-%d", s.run, room), s.names[room*size:(room+1)*size])
	if err != nil {
		return err
	}
	s.rooms = append(s.rooms, r)
	return nil
}

// pair makes a call and brings both sides in.
func (s *stage) pair(ctx context.Context, room int, joined chan<- struct{}) error {
	uids, media := s.names[2*room:2*room+2], s.clients[2*room:2*room+2]
	r, err := openPairCall(ctx, s.target, s.shape, uids[0], uids[1])
	s.rooms[room] = r
	for i := 1; i >= 0 && err == nil; i-- { // the callee first: until then there is no call to bring media into
		err = r.bring(ctx, uids[i], media[i])
		joined <- struct{}{}
	}
	return err
}

// name finds users for so many participants.
func (s *stage) name(participants int) error {
	if participants <= len(s.names) {
		return nil
	}
	names, err := s.target.names(participants)
	if err != nil {
		return err
	}
	s.names = append(s.names, names[len(s.names):]...)
	return nil
}

// shrink takes the last participants out until so many are left.
func (s *stage) shrink(ctx context.Context, target int) error {
	for i := len(s.clients) - 1; i >= target; i-- {
		room, place := s.place(i)
		if err := s.rooms[room].take(ctx, s.names[i]); err != nil {
			return s.target.explain(s.names[i]+" leaves", err)
		}
		s.clients = s.clients[:i]
		if place == 0 {
			s.rooms[room].close()
			s.rooms = s.rooms[:room]
		}
	}
	return nil
}
