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
	most    int      // rooms, for the publishers' phases; 0: unknown
	local   netip.Addr
	engines []*load.Engine
	rooms   []*room
	floor   *floor.Process

	publishers  []placed[*load.Publisher]
	subscribers []placed[*load.Subscriber]
}

// placed is a client and its room.
type placed[T any] struct {
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
	s := &stage{target: t, shape: shape, sample: sample, local: local, run: runID(), most: shape.Rooms}
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

// open adds rooms: it starts the calls and brings everybody in.
func (s *stage) open(ctx context.Context, rooms int, progress Progress) error {
	first := len(s.rooms)
	if err := s.ring(ctx, rooms); err != nil {
		return err
	}
	total := rooms * (s.shape.Publishers + s.shape.Subscribers)
	joined := make(chan struct{}, total)
	counted := make(chan struct{})
	go func() { // ends when joined is closed
		defer close(counted)
		done := 0
		for range joined {
			done++
			progress.tell(Update{Phase: "joining", Done: float64(done), Total: float64(total), Unit: "clients"})
		}
	}()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(joinsAtOnce)
	var err error
	for room := first; room < first+rooms && err == nil; room++ {
		err = s.fill(ctx, room, group, joined)
	}
	if failed := group.Wait(); err == nil {
		err = failed
	}
	close(joined)
	<-counted
	return err
}

// fill brings everybody into one room, in goroutines of the group.
func (s *stage) fill(ctx context.Context, room int, group *errgroup.Group, joined chan<- struct{}) error {
	uids := s.uids(room)
	for n := range s.shape.Publishers {
		p, err := s.newPublisher(room, n)
		if err != nil {
			return err
		}
		group.Go(func() error {
			defer func() { joined <- struct{}{} }()
			return s.rooms[room].publish(ctx, uids[n], p)
		})
	}
	for n := range s.shape.Subscribers {
		sub, err := s.newSubscriber(room, n)
		if err != nil {
			return err
		}
		group.Go(func() error {
			defer func() { joined <- struct{}{} }()
			return s.rooms[room].subscribe(ctx, uids[s.shape.Publishers+n], sub)
		})
	}
	return nil
}

// ring starts more calls.
func (s *stage) ring(ctx context.Context, rooms int) error {
	more := rooms * (s.shape.Publishers + s.shape.Subscribers)
	names, err := s.target.names(len(s.names) + more)
	if err != nil {
		return err
	}
	s.names = append(s.names, names[len(s.names):]...)
	for range rooms {
		room := len(s.rooms)
		r, err := openRoom(ctx, s.target, fmt.Sprintf("load-%s-%d", s.run, room), s.uids(room), s.shape.Audio, s.shape.Publishers)
		if err != nil {
			return err
		}
		s.rooms = append(s.rooms, r)
	}
	return nil
}

// cast makes the clients of some rooms without a call, for the floor alone.
func (s *stage) cast(rooms int) error {
	for room := range rooms {
		for n := range s.shape.Publishers {
			if _, err := s.newPublisher(room, n); err != nil {
				return err
			}
		}
		for n := range s.shape.Subscribers {
			if _, err := s.newSubscriber(room, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *stage) newPublisher(room, n int) (*load.Publisher, error) {
	source := len(s.publishers)
	p, err := s.engine(source).NewPublisher(s.local, uint32(source), s.shape.pattern(), s.shape.phase(source, s.most))
	if err != nil {
		return nil, err
	}
	s.publishers = append(s.publishers, placed[*load.Publisher]{room, p})
	return p, nil
}

func (s *stage) newSubscriber(room, n int) (*load.Subscriber, error) {
	sub, err := s.engine(len(s.subscribers)).NewSubscriber(s.local, n%s.sample == 0)
	if err != nil {
		return nil, err
	}
	s.subscribers = append(s.subscribers, placed[*load.Subscriber]{room, sub})
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
