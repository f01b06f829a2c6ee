package push

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/push/notice"
	"github.com/parleyrtc/parley/signaling/wire"
)

// desks are the goroutines that find out which devices an order is for. What concerns one call is always done by the same one, so
// that a ring and its end keep their order.
const desks = 8

// Sender pushes what calls come to. It may be used from any goroutine.
type Sender struct {
	// Set at construction.
	config   Config
	registry *Registry
	log      *slog.Logger
	metrics  *metrics
	lanes    map[notice.Kind]*lane // VoIP and Alert share one
	all      []*lane
	orders   [desks]chan notice.Order
	seed     maphash.Seed
	cancel   context.CancelFunc
	running  sync.WaitGroup
	closers  []func()

	// Guarded by mu.
	mu     sync.Mutex
	ledger notice.Ledger
}

// New starts a sender, which asks the registry where users are to be pushed. It says which provider's configuration cannot be.
func New(config Config, registry *Registry) (*Sender, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sender{
		config: config, registry: registry, log: config.Logger, lanes: map[notice.Kind]*lane{},
		seed: maphash.MakeSeed(), cancel: cancel,
	}
	if err := s.providers(ctx); err != nil {
		s.Close()
		return nil, err
	}
	s.metrics, err = newMetrics(config.Registerer, s.all)
	if err != nil {
		s.Close()
		return nil, err
	}
	for _, l := range s.all {
		s.running.Go(func() { l.run(ctx) })
	}
	for i := range s.orders {
		s.orders[i] = make(chan notice.Order, config.Queue)
		s.running.Go(func() { s.work(ctx, s.orders[i]) })
	}
	return s, nil
}

// providers makes the lanes of the providers that are configured.
func (s *Sender) providers(ctx context.Context) error {
	c := s.config
	add := func(name string, p provider, kinds ...notice.Kind) {
		l := newLane(name, p, s)
		s.all = append(s.all, l)
		for _, kind := range kinds {
			s.lanes[kind] = l
		}
	}
	if c.FCM != nil {
		p, err := newFCM(ctx, *c.FCM, s.client(everywhere), &s.running)
		if err != nil {
			return err
		}
		add("fcm", p, notice.FCM)
	}
	if c.APNs != nil {
		p, err := newAPNs(*c.APNs, s.client(everywhere), c.Now)
		if err != nil {
			return err
		}
		add("apns", p, notice.VoIP, notice.Alert)
	}
	if c.Web != nil {
		p, err := newWeb(*c.Web, s.client(c.Allow))
		if err != nil {
			return err
		}
		add("web", p, notice.Web)
	}
	if c.Webhook != nil {
		p, err := newBackEnd(*c.Webhook, s.client(c.Allow))
		if err != nil {
			return err
		}
		add("webhook", p, notice.Custom)
	}
	return nil
}

// Committed makes orders of what a call came to and leaves them for the desks. It never waits: orders that find the queue full are
// dropped and counted, since a call must not be held up, and what rings by now has a WebSocket event beside the push.
func (s *Sender) Committed(now time.Time, c *call.Call, view wire.CallView, effects []call.Effect) {
	if len(s.all) == 0 {
		return
	}
	s.mu.Lock()
	orders := s.ledger.Orders(now, c, view, effects)
	s.mu.Unlock()
	queue := s.orders[maphash.String(s.seed, c.ID)%desks]
	for _, o := range orders {
		select {
		case queue <- o:
		default:
			s.metrics.lost.WithLabelValues("queue_full").Inc()
		}
	}
}

// rings reports whether a call still rings for a user.
func (s *Sender) rings(now time.Time, session, uid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.Rings(now, session, uid)
}

// lookupTimeout bounds one visit to the store.
const lookupTimeout = 5 * time.Second

// work finds the devices of orders until ctx ends.
func (s *Sender) work(ctx context.Context, orders <-chan notice.Order) {
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-orders:
			s.place(ctx, o)
		}
	}
}

// place gives each device's lane what the device is to be told.
func (s *Sender) place(ctx context.Context, o notice.Order) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	devices, err := s.registry.Devices(ctx, o.UID)
	if err != nil {
		s.metrics.lost.WithLabelValues("lookup").Inc()
		s.log.Error("finding a user's devices for a push failed", "uid", o.UID, "error", err)
	}
	now := s.config.Now()
	var custom []string
	for _, d := range devices {
		if d.DeviceID != "" && d.DeviceID == o.Except {
			continue
		}
		if d.Kind == notice.Custom {
			custom = append(custom, d.Token)
			continue
		}
		if l := s.lanes[d.Kind]; l != nil {
			for _, n := range notice.Route(d.Kind, o.Notices) {
				l.add(&job{uid: o.UID, device: d, notice: n, due: now})
			}
		}
	}
	if l := s.lanes[notice.Custom]; l != nil { // told also of users who have registered nothing: the operator knows more
		for _, n := range o.Notices {
			l.add(&job{uid: o.UID, tokens: custom, notice: n, due: now})
		}
	}
}

// Close stops everything and waits for it. What was not sent by then is not sent.
func (s *Sender) Close() {
	s.cancel()
	s.running.Wait()
	for _, c := range s.closers {
		c()
	}
}
