package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/netlab"
	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/bench/verdict"
	"github.com/parleyrtc/parley/bench/witness"
)

// scene is one call of witnesses, each behind a network of its own.
type scene struct {
	q         *quality
	uids      []string
	sessionID string
	people    []*person
	callers   []*client.Client // who are signed in and not a person yet, by place; nil: is one, or has not come
}

// person is a witness and its network.
type person struct {
	*witness.Witness
	access *netlab.Access
	source uint32
	asked  time.Time // when it asked to join
}

// trip is the way to the server and back on networks that are not clean.
const trip = 50 * time.Millisecond

// clean and far are networks without and with a distance.
func clean() netlab.Rules { return netlab.Rules{} }
func far() netlab.Rules   { return worse(link.Rules{}, link.Rules{}) }

// worse is a distance and what else is wrong with each direction.
func worse(down, up link.Rules) netlab.Rules {
	down.Delay, up.Delay = trip/2, trip/2
	return netlab.Rules{Down: link.Config{Rules: down}, Up: link.Config{Rules: up}}
}

// openScene signs people in and has the first one ring the others. It must be closed even if that fails.
func (q *quality) openScene(ctx context.Context, people int) (*scene, error) {
	s := &scene{q: q}
	var err error
	if s.uids, err = q.target.names(people); err != nil {
		return s, err
	}
	guid := "quality-" + runID()
	if err := q.target.Group(ctx, guid, s.uids); err != nil {
		return s, err
	}
	for range s.uids {
		c, err := q.target.Dial(ctx, s.uids[len(s.callers)])
		if err != nil {
			return s, err
		}
		s.callers = append(s.callers, c)
	}
	var body struct {
		Call client.Call `json:"call"`
	}
	err = s.callers[0].Request(ctx, "call.initiate", map[string]any{
		"receiverId": guid, "receiverType": "group", "type": "video", "timeoutSeconds": ringSeconds, "mutationId": client.NewMutationID(),
	}, &body)
	s.sessionID = body.Call.SessionID
	return s, err
}

// enter has the next person join, over a network of its own.
func (s *scene) enter(ctx context.Context, cfg witness.Config, rules netlab.Rules) (*person, error) {
	p, err := s.prepare(ctx, cfg, rules)
	if err != nil {
		return nil, err
	}
	return p, s.join(ctx, p)
}

// role is who somebody is in a scene.
type role struct {
	cfg   witness.Config
	rules netlab.Rules
}

// cast has people enter one after the other.
func (s *scene) cast(ctx context.Context, roles []role) ([]*person, error) {
	for i, one := range roles {
		s.q.progress.tell(Update{Phase: "joining", Done: float64(i), Total: float64(len(roles)), Unit: "people"})
		if _, err := s.enter(ctx, one.cfg, one.rules); err != nil {
			return nil, err
		}
	}
	return s.people, nil
}

// prepare has the next person accept, and does everything that is done before it joins.
func (s *scene) prepare(ctx context.Context, cfg witness.Config, rules netlab.Rules) (*person, error) {
	at := len(s.people)
	if at == len(s.callers) {
		return nil, fmt.Errorf("%w: everybody is there", ErrShape)
	}
	rules.Seed = s.q.cfg.Seed<<8 + uint64(at)
	access, err := netlab.OpenAccess(s.q.server, rules)
	if err != nil {
		return nil, err
	}
	p := &person{access: access, source: uint32(at + 1)}
	cfg.Source, cfg.Seed, cfg.Answer = p.source, rules.Seed, access.Rewrite
	if rules.Down.Rules.Delay > 0 {
		cfg.RoundTrip = rules.Down.Rules.Delay + rules.Up.Rules.Delay + 5*time.Millisecond // as libwebrtc adds
	}
	if p.Witness, err = witness.New(cfg); err != nil {
		access.Close()
		return nil, err
	}
	s.people = append(s.people, p)
	if at > 0 {
		_, err = s.callers[at].Accept(ctx, s.sessionID)
	}
	return p, err
}

// join has a prepared person join and waits for the connection.
func (s *scene) join(ctx context.Context, p *person) error {
	at := int(p.source - 1)
	c := s.callers[at]
	p.asked = time.Now()
	s.callers[at] = nil // the witness closes it
	if err := p.Join(ctx, c, s.sessionID); err != nil {
		return fmt.Errorf("%s joins: %w", s.uids[at], err)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	select {
	case <-p.Connected():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s gets no media connection: %w", s.uids[at], ctx.Err())
	}
}

// close ends the call for everybody.
func (s *scene) close() {
	var ending sync.WaitGroup
	for _, p := range s.people {
		ending.Go(func() {
			p.Close()
			p.access.Close()
		})
	}
	for _, c := range s.callers {
		if c != nil {
			ending.Go(c.Close)
		}
	}
	ending.Wait()
}

// window is a time in which a row is measured.
type window struct{ from, to time.Time }

func (w window) length() time.Duration { return w.to.Sub(w.from) }

// measured lets a time pass and returns it.
func (q *quality) measured(ctx context.Context, d time.Duration) (window, error) {
	from := time.Now()
	err := q.wait(ctx, "measuring", d)
	return window{from, time.Now()}, err
}

// saw and heard judge what one person got of another.
func (p *person) saw(of *person, w window) verdict.Picture {
	return verdict.Screen(p.Shown(of.source), w.from, w.to)
}
func (p *person) heard(of *person, w window) verdict.Heard {
	return verdict.Hear(p.Sounds(of.source), verdict.Browser, w.from, w.to)
}
