package bench

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/parleyrtc/parley/bench/floor"
	"github.com/parleyrtc/parley/bench/load"
	"github.com/parleyrtc/parley/bench/proc"
)

const (
	// joinsAtOnce keeps the handshakes of a big room from timing one another out.
	joinsAtOnce = 8
	// mostEngines is where more threads stop helping: one counts some hundred thousand packets a second.
	mostEngines = 8
	// firstWait is how long all streams may take to reach everybody.
	firstWait = 20 * time.Second
)

// stage is the rooms of a shape with all their clients, and the floor.
type stage struct {
	target  Target
	shape   Shape
	sample  int // one in so many subscribers is sampled
	run     string
	names   []string // users, room by room, publishers first
	local   netip.Addr
	engines []*load.Engine
	rooms   []*room
	floor   *floor.Process

	publishers  []cast[*load.Publisher]
	subscribers []cast[*load.Subscriber]
}

// cast is a client and its room.
type cast[T any] struct {
	room   int
	client T
}

// newStage opens the engines.
func newStage(t Target, shape Shape, sample int) (*stage, error) {
	if err := shape.Check(); err != nil {
		return nil, err
	}
	local, err := t.local()
	if err != nil {
		return nil, err
	}
	if sample <= 0 {
		sample = min(10, shape.Subscribers)
	}
	names, err := t.names(shape.Participants())
	if err != nil {
		return nil, err
	}
	s := &stage{target: t, shape: shape, sample: sample, local: local, run: runID(), names: names}
	epoch := time.Now()
	for range min(max(int(t.available()), 1), mostEngines) {
		e, err := load.NewEngine(epoch)
		if err != nil {
			s.close()
			return nil, err
		}
		s.engines = append(s.engines, e)
	}
	return s, nil
}

func (s *stage) engine(n int) *load.Engine { return s.engines[n%len(s.engines)] }

// uids are a room's users, publishers first.
func (s *stage) uids(room int) []string {
	size := s.shape.Publishers + s.shape.Subscribers
	return s.names[room*size : (room+1)*size]
}

// open starts the calls and brings everybody in.
func (s *stage) open(ctx context.Context, progress Progress) error {
	if err := s.ring(ctx); err != nil {
		return err
	}
	joined := make(chan struct{}, s.shape.Participants())
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(joinsAtOnce)
	counted := make(chan struct{})
	go func() { // ends when joined is closed
		defer close(counted)
		done := 0
		for range joined {
			done++
			progress.tell(Update{Phase: "joining", Done: float64(done), Total: float64(s.shape.Participants()), Unit: "clients"})
		}
	}()
	for room := range s.shape.Rooms {
		for n := range s.shape.Publishers {
			p, err := s.newPublisher(room, n)
			if err != nil {
				return s.abandon(group, joined, counted, err)
			}
			group.Go(func() error {
				defer func() { joined <- struct{}{} }()
				return s.rooms[room].publish(ctx, s.uids(room)[n], p)
			})
		}
		for n := range s.shape.Subscribers {
			sub, err := s.newSubscriber(room, n)
			if err != nil {
				return s.abandon(group, joined, counted, err)
			}
			group.Go(func() error {
				defer func() { joined <- struct{}{} }()
				return s.rooms[room].subscribe(ctx, s.uids(room)[s.shape.Publishers+n], sub)
			})
		}
	}
	return s.abandon(group, joined, counted, nil)
}

// abandon waits for the joins and returns the first error.
func (s *stage) abandon(group *errgroup.Group, joined, counted chan struct{}, first error) error {
	err := group.Wait()
	close(joined)
	<-counted
	if first != nil {
		return first
	}
	return err
}

// ring starts the calls.
func (s *stage) ring(ctx context.Context) error {
	for room := range s.shape.Rooms {
		r, err := openRoom(ctx, s.target, fmt.Sprintf("load-%s-%d", s.run, room), s.uids(room), s.shape.Audio, s.shape.Publishers)
		if err != nil {
			return err
		}
		s.rooms = append(s.rooms, r)
	}
	return nil
}

func (s *stage) newPublisher(room, n int) (*load.Publisher, error) {
	source := len(s.publishers)
	p, err := s.engine(source).NewPublisher(s.local, uint32(source), s.shape.pattern(), s.shape.phase(room, n))
	if err != nil {
		return nil, err
	}
	s.publishers = append(s.publishers, cast[*load.Publisher]{room, p})
	return p, nil
}

func (s *stage) newSubscriber(room, n int) (*load.Subscriber, error) {
	sub, err := s.engine(len(s.subscribers)).NewSubscriber(s.local, n%s.sample == 0)
	if err != nil {
		return nil, err
	}
	s.subscribers = append(s.subscribers, cast[*load.Subscriber]{room, sub})
	return sub, nil
}

// prepareFloor starts the floor for all clients there are now.
func (s *stage) prepareFloor() error {
	host, err := s.serverAddr()
	if err != nil {
		return err
	}
	cfg := floor.Config{Listen: netip.AddrPortFrom(host, 0)}
	for _, p := range s.publishers {
		fp, err := p.client.FloorPublisher(p.room)
		if err != nil {
			return err
		}
		cfg.Publishers = append(cfg.Publishers, fp)
	}
	for _, sub := range s.subscribers {
		cfg.Subscribers = append(cfg.Subscribers, sub.client.FloorSubscriber(sub.room))
	}
	cores := s.target.Cores.Server
	if len(cores) == 0 && s.target.PID != 0 {
		cores, _ = proc.CoresOf(s.target.PID) // unknown: the floor may run anywhere, too
	}
	if s.floor, err = floor.Start(cfg, cores, s.target.namespace); err != nil {
		return err
	}
	for _, e := range s.engines {
		if err := e.UseFloor(s.floor.Addr); err != nil {
			return err
		}
	}
	return nil
}

// serverAddr is the address that the server is reached at.
func (s *stage) serverAddr() (netip.Addr, error) {
	u, err := url.Parse(s.target.Base)
	if err != nil {
		return netip.Addr{}, err
	}
	ip, err := net.ResolveIPAddr("ip", u.Hostname())
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	addr, _ := netip.AddrFromSlice(ip.IP)
	return addr.Unmap(), nil
}

// route sends all publishers one way.
func (s *stage) route(r load.Route) error {
	for _, e := range s.engines {
		if err := e.Route(r); err != nil {
			return err
		}
	}
	return nil
}

// count sums the engines' snapshots.
func (s *stage) count() (load.Snapshot, error) {
	var sum load.Snapshot
	for _, e := range s.engines {
		one, err := e.Snapshot()
		if err != nil {
			return sum, err
		}
		sum = sum.Add(one)
	}
	return sum, nil
}

// times takes the engines' distributions out.
func (s *stage) times() (load.Times, error) {
	var all load.Times
	for _, e := range s.engines {
		one, err := e.Times()
		if err != nil {
			return all, err
		}
		all.Merge(one)
	}
	return all, nil
}

// fallen says why a client fell out of its call, if one has.
func (s *stage) fallen() error {
	if s.target.dead() {
		return fmt.Errorf("%w while it was measured", ErrServerDied)
	}
	for _, r := range s.rooms {
		if err := r.fallen(); err != nil {
			return err
		}
	}
	return nil
}

// close ends all clients and the floor.
func (s *stage) close() {
	for _, r := range s.rooms {
		r.close()
	}
	if s.floor != nil {
		s.floor.Close()
	}
	for _, e := range s.engines {
		e.Close()
	}
}
