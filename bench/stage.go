package bench

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/parleyrtc/parley/bench/floor"
	"github.com/parleyrtc/parley/bench/load"
	"github.com/parleyrtc/parley/bench/proc"
)

const (
	// mostEngines is where more threads stop helping: one counts some hundred thousand packets a second.
	mostEngines = 8
	// firstWait is how long all streams may take to reach everybody.
	firstWait = 20 * time.Second
)

// stage is the rooms of a shape with all their clients, and the floor. Participants enter in order: those of the first room, its
// publishers first, then those of the second. The last room may be less than full.
type stage struct {
	target  Target
	shape   Shape
	sample  int // one in so many subscribers is sampled
	run     string
	names   []string // users, room by room
	most    int      // rooms, for the publishers' phases; 0: unknown
	local   netip.Addr
	engines []*load.Engine
	rooms   []*room
	floor   *floor.Process

	clients     []*load.Client // in order
	publishers  map[bool]int   // publications so far, of audio and of video
	sources     uint32
	subscribers int // so far
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
		sample = 10
	}
	s := &stage{target: t, shape: shape, sample: sample, local: local, run: runID(), most: shape.Rooms, publishers: map[bool]int{}}
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

// participants is how many participants so many units make: subscribers, with the publishers of their rooms, or calls.
func (s *stage) participants(units int) int {
	if s.shape.OneToOne {
		return 2 * units
	}
	rooms := (units + s.shape.Subscribers - 1) / s.shape.Subscribers
	return rooms*s.shape.Publishers + units
}

// units is how many subscribers, or calls, so many rooms have.
func (s *stage) units(rooms int) int {
	if s.shape.OneToOne {
		return rooms
	}
	return rooms * s.shape.Subscribers
}

// place is where a participant belongs.
func (s *stage) place(participant int) (room, place int) {
	return participant / s.shape.roomSize(), participant % s.shape.roomSize()
}

// inRoom is how many participants of a room are there.
func (s *stage) inRoom(room int) int {
	return min(max(len(s.clients)-room*s.shape.roomSize(), 0), s.shape.roomSize())
}

// tellReceivers tells the publishers how many copies there must be of their packets.
func (s *stage) tellReceivers() error {
	for i, c := range s.clients {
		room, _ := s.place(i)
		if err := c.Receivers(s.shape.receivers(s.inRoom(room) - s.shape.Publishers)); err != nil {
			return err
		}
	}
	return nil
}

// cast makes the clients of the next participants, until there are so many, without a call.
func (s *stage) cast(target int) error {
	for i := len(s.clients); i < target; i++ {
		_, place := s.place(i)
		cfg := load.ClientConfig{Local: s.local, Receives: s.shape.receives(place)}
		for _, p := range s.shape.sends(place) {
			cfg.Publications = append(cfg.Publications, load.Publication{
				Source: s.sources, Pattern: p, Phase: s.shape.phase(p, s.publishers[p.Audio], s.most),
			})
			s.sources++
			s.publishers[p.Audio]++
		}
		if cfg.Receives {
			cfg.Sampled = s.samples(place)
			s.subscribers++
		}
		c, err := s.engines[i%len(s.engines)].NewClient(cfg)
		if err != nil {
			return err
		}
		s.clients = append(s.clients, c)
	}
	return nil
}

// recast makes clients, without a call, until there are so many units, or ends the last ones.
func (s *stage) recast(units int) error {
	target := s.participants(units)
	for i := len(s.clients) - 1; i >= target; i-- {
		s.clients[i].Close()
		s.clients = s.clients[:i]
	}
	if err := s.cast(target); err != nil {
		return err
	}
	return s.tellReceivers()
}

// samples says whether the next subscriber, at that place of its room, is of the sample: one in so many, of each room at least
// one. It is the middle one of so many: servers serve a room in some order, most of them in that of joining, and the first one
// of all waits less than the others.
func (s *stage) samples(place int) bool {
	if s.shape.OneToOne {
		return s.subscribers%s.sample == 0
	}
	return (place-s.shape.Publishers)%s.sample == min(s.sample/2, s.shape.Subscribers-1)
}

// streams is how many streams there are to receive.
func (s *stage) streams() int {
	sum := 0
	for i := range s.clients {
		room, place := s.place(i)
		sum += len(s.shape.sends(place)) * s.shape.receivers(s.inRoom(room)-s.shape.Publishers)
	}
	return sum
}

// prepareFloor starts a floor for all clients there are now, in the place of the one before.
func (s *stage) prepareFloor() error {
	host, err := s.serverAddr()
	if err != nil {
		return err
	}
	if s.floor != nil {
		s.floor.Close()
		s.floor = nil
	}
	cfg := floor.Config{Listen: netip.AddrPortFrom(host, 0)}
	for i, c := range s.clients {
		publishers, subscriber, err := c.Floor(s.shape.floorRooms(s.place(i)))
		if err != nil {
			return err
		}
		cfg.Publishers = append(cfg.Publishers, publishers...)
		if subscriber != nil {
			cfg.Subscribers = append(cfg.Subscribers, *subscriber)
		}
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
	var ending sync.WaitGroup
	for _, r := range s.rooms {
		ending.Go(r.close)
	}
	ending.Wait()
	if s.floor != nil {
		s.floor.Close()
	}
	for _, e := range s.engines {
		e.Close()
	}
}
