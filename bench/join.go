package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/parleyrtc/parley/bench/report"
)

// JoinConfig says how large a storm is.
type JoinConfig struct {
	Clients int           // who join one room at once; default 30
	Wait    time.Duration // how long the last one may take until its first packet; default 30 s
}

// storm is what the joiners found, together.
type storm struct {
	mu             sync.Mutex // guards the fields below
	answered, seen *hdrhistogram.Histogram
	last           time.Duration // until the last first packet
	arrived        int
	firstFailure   error
}

// Join measures a storm: one user talks in a group call, and all the others, signed in and with the call accepted, join at the
// same moment. It measures the time until each has the answer to its offer and its first packet.
func Join(ctx context.Context, t Target, cfg JoinConfig, p Progress) (report.Result, error) {
	if cfg.Clients == 0 {
		cfg.Clients = 30
	}
	if cfg.Wait == 0 {
		cfg.Wait = 30 * time.Second
	}
	room, err := openCrowd(ctx, t, cfg.Clients, p)
	defer room.close()
	if err != nil {
		return report.Result{}, err
	}
	var arrived atomic.Int64
	m, measuring := startMeter(ctx, t, p, "joining", func() (float64, float64, string) {
		return float64(arrived.Load()), float64(cfg.Clients), "clients have media"
	})
	found := &storm{answered: newLatencies(), seen: newLatencies()}
	room.rush(measuring, cfg.Wait, found, &arrived)
	partial, died := interrupted(ctx, measuring)
	took := m.finish()

	r := report.Result{
		Scenario: "join", Shape: report.Plural(cfg.Clients, "client") + " into a room in which one talks",
		Arrivals: "all at once", Partial: partial,
	}
	found.fill(&r, cfg.Clients, partial)
	m.fill(&r, took)
	if died != nil {
		return r, died
	}
	if found.arrived == 0 && found.firstFailure != nil && !partial {
		return r, fmt.Errorf("nobody got media: %w", found.firstFailure)
	}
	return r, nil
}

func (s *storm) fill(r *report.Result, clients int, partial bool) {
	r.Add("clients", "clients", float64(clients), report.Count, report.Neither)
	r.Add("arrived", "clients with media", float64(s.arrived), report.Count, report.Higher)
	r.Add("storm_seconds", "until the last had media", s.last.Seconds(), report.Seconds, report.Lower)
	r.AddLatency("first_packet_us", "first packet after", s.seen)
	r.AddLatency("answer_us", "answer to the offer after", s.answered)
	if s.arrived < clients && !partial {
		r.Failures = append(r.Failures, fmt.Sprintf("%d of %d clients got no media; the first: %v", clients-s.arrived, clients, explain(s.firstFailure)))
	}
}

// crowd is a group call in which one user talks and the others have accepted.
type crowd struct {
	sessionID string
	host      *phone
	talking   *talker
	others    []*phone
}

// openCrowd signs everybody in and lets them accept. What it returns is to be closed even when it fails.
func openCrowd(ctx context.Context, t Target, others int, p Progress) (*crowd, error) {
	c := &crowd{}
	uids, err := t.names(1 + others)
	if err != nil {
		return c, err
	}
	guid := "bench-" + runID()
	if err := t.Group(ctx, guid, uids); err != nil {
		return c, err
	}
	for i, uid := range uids {
		p.tell(Update{Phase: "signing in", Done: float64(i), Total: float64(len(uids)), Unit: "users"})
		one, err := openPhone(ctx, t, uid)
		if err != nil {
			return c, err
		}
		if i == 0 {
			c.host = one
			continue
		}
		c.others = append(c.others, one)
	}
	call, err := c.host.Initiate(ctx, guid, "group", "audio")
	if err != nil {
		return c, fmt.Errorf("start the group call: %w", err)
	}
	c.sessionID = call.SessionID
	for _, one := range c.others {
		if _, err := one.Accept(ctx, c.sessionID); err != nil {
			return c, fmt.Errorf("accept the group call: %w", err)
		}
	}
	if c.talking, err = joinTalking(ctx, c.host.Client, c.sessionID); err != nil {
		return c, fmt.Errorf("join the group call: %w", err)
	}
	select {
	case <-c.talking.session.Connected():
		return c, nil
	case <-ctx.Done():
		return c, ctx.Err()
	}
}

// rush has the others join at once and waits until each has media or has failed.
func (c *crowd) rush(ctx context.Context, wait time.Duration, found *storm, arrived *atomic.Int64) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	began := time.Now()
	talkers := make([]*talker, len(c.others))
	var all sync.WaitGroup
	for i, one := range c.others {
		all.Go(func() {
			side, err := joinTalking(ctx, one.Client, c.sessionID)
			answered := time.Since(began)
			var heard time.Time
			if err == nil {
				talkers[i] = side
				heard, err = side.heard(ctx)
			}
			found.add(answered, heard.Sub(began), err)
			if err == nil {
				arrived.Add(1)
			}
		})
	}
	all.Wait()
	for _, side := range talkers {
		if side != nil {
			all.Go(side.close)
		}
	}
	all.Wait()
}

func (s *storm) add(answered, seen time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if s.firstFailure == nil {
			s.firstFailure = err
		}
		return
	}
	s.arrived++
	s.last = max(s.last, seen)
	record(s.answered, answered)
	record(s.seen, seen)
}

func (c *crowd) close() {
	if c.talking != nil {
		c.talking.close()
	}
	for _, one := range append(c.others, c.host) {
		if one == nil {
			continue
		}
		if c.sessionID != "" {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			_, _ = one.End(ctx, c.sessionID) // the call also ends by itself when everybody is gone
			cancel()
		}
		one.close()
	}
}
