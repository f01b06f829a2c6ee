package sfu

import (
	"cmp"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"golang.org/x/time/rate"

	"github.com/parleyrtc/parley/sfu/red"
	"github.com/parleyrtc/parley/sfu/slots"
	"github.com/parleyrtc/parley/sfu/transport"
)

// participant is one device of one user in a room.
type participant struct {
	// Set at construction.
	room  *room
	id    string
	order uint64
	most  int // pairs
	log   *slog.Logger
	data  *rate.Limiter

	// Guarded by room.mu.
	removed      bool
	connected    bool
	ready        bool // it has its first picture, or has been connected for a while
	publications []*publication
	pairs        []*slotPair
	made         map[*transport.Stream]*line // every line there ever was; bounded by the m-lines
	table        *slots.Table
	asked        int               // pairs that it was last told to offer
	wishes       map[int]SlotWish  // by pair, as the client said last
	paused       map[int]string    // by pair, why its video is not sent, as the client was told
	told         map[int]SlotStats // by pair, as the client said last
	toldAt       time.Time

	negotiating sync.Mutex // held during an offer
	peer        atomic.Pointer[transport.Peer]

	incoming inbox
	run      run // owned by the receiving goroutine

	lines    atomic.Pointer[map[uint32]*line] // our streams by SSRC; the map never changes
	live     atomic.Bool                      // the connection has been up
	sending  sync.Mutex                       // held by whoever sends to this client, for a run of packets; see room.mu
	outgoing outbox

	handing sync.Mutex // held by whoever gives this client a data message
	backlog backlog    // guarded by handing

	rtt      atomic.Int64 // nanoseconds, smoothed; 0: not known yet
	expires  atomic.Int64 // when a participant without a connection is given up, as the alarm counts; 0: never
	reshare  atomic.Bool  // what it is sent is to be shared anew
	proven   atomic.Bool  // its network has been found to carry a large picture
	still    atomic.Bool  // it is not shared anew; only tests say so
	alarm    alarm
	pacing   alarm // for what waits to be sent
	gone     atomic.Bool
	stopping sync.Once

	// Owned by the alarm.
	since    time.Time // the connection has been up
	feedback []rtcp.Packet
	share    share
	grading  grading
}

func newParticipant(r *room, join Join, order uint64) *participant {
	config := &r.sfu.config
	most := config.MaxPairs
	if join.MaxPairs > 0 {
		most = min(join.MaxPairs, MaxPairs)
	}
	p := &participant{
		room: r, id: join.Participant, order: order, most: most,
		log:   r.log.With("participant", join.Participant, "uid", join.UID),
		data:  rate.NewLimiter(rate.Limit(config.DataRate), config.DataBurst),
		table: slots.New(join.Participant, most),
		asked: cmp.Or(join.Pairs, config.Pairs),
		made:  map[*transport.Stream]*line{},
	}
	p.outgoing.copies = red.MaxDistance
	p.outgoing.repeats = rate.NewLimiter(repeatRate, repeatBurst)
	p.lines.Store(&map[uint32]*line{})
	p.incoming.init()
	return p
}

// stop ends the connection and the alarm.
func (p *participant) stop() {
	p.stopping.Do(func() {
		p.gone.Store(true)
		p.alarm.stop()
		p.pacing.stop()
		p.discard()
		if peer := p.peer.Load(); peer != nil {
			peer.Close()
		}
	})
}

// fail ends this participant for a reason that it did not ask for.
func (p *participant) fail(reason string) { p.room.remove(p, reason) }

// recovered is deferred wherever a goroutine serves this participant: our mistake ends this session and no other.
func (p *participant) recovered() {
	if v := recover(); v != nil {
		p.log.Error("panic", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
		p.fail(ReasonServer)
	}
}

// State follows the connection (transport.Sink).
func (p *participant) State() {
	defer p.recovered()
	peer := p.peer.Load()
	if peer == nil {
		return
	}
	switch state := peer.State(); state {
	case transport.Connected:
		p.up()
		p.handOver(time.Now())
	case transport.Disconnected:
		p.down(p.room.sfu.config.ICEDisconnected, 0)
	case transport.Failed, transport.Closed:
		// A restart of ICE may still bring it back, and the call has its own patience.
		p.down(0, p.room.sfu.config.ConnectTimeout)
	case transport.Mismatch:
		p.log.Warn("DTLS certificate is not the one of the offer")
		p.fail(ReasonFingerprint)
	case transport.Flooded:
		p.log.Warn("too many sources or data channels")
		p.fail(ReasonFailed)
	}
}

func (p *participant) up() {
	p.expires.Store(0)
	p.room.mu.Lock()
	defer p.room.unlock()
	if p.connected || p.removed {
		return
	}
	p.connected = true
	p.live.Store(true)
	p.room.emit(Event{Kind: Connected, Participant: p.id})
	now := time.Now()
	p.room.speakers.newcomer()
	p.room.tellSpeakers(now)
	for _, pair := range p.pairs {
		if sub := pair.video.current(); sub != nil {
			sub.start(now, replayAge)
		}
	}
	p.alarm.by(now)
}

// down notes that the connection is lost, after so long a silence; it is given up after patience, unless that is 0.
func (p *participant) down(silent, patience time.Duration) {
	if patience > 0 {
		p.expires.CompareAndSwap(0, p.alarm.count(time.Now().Add(patience)))
	}
	p.room.mu.Lock()
	defer p.room.unlock()
	if p.connected && !p.removed {
		p.connected = false
		p.room.emit(Event{Kind: Disconnected, Participant: p.id, Silent: silent})
	}
}

// rung is what the alarm calls.
func (p *participant) rung() {
	defer p.recovered()
	now, plane := time.Now(), p.room.sfu.plane
	out := plane.Batch()
	p.alarm.by(p.lookAround(now, out))
	plane.Recycle(out)
}

// lookAround does what is due by the clock, and says when to look again.
func (p *participant) lookAround(now time.Time, out *transport.Batch) time.Time {
	next := now.Add(reportSpacing)
	if at := p.expires.Load(); at != 0 && p.alarm.count(now) >= at {
		p.log.Info("no connection")
		p.fail(ReasonFailed)
		return next
	}
	p.handOver(now)
	if at := p.room.heed(now); !at.IsZero() && at.Before(next) {
		next = at
	}
	if !p.live.Load() {
		return next
	}
	if p.since.IsZero() {
		p.since = now
	}
	p.announce(now)
	if at := p.divide(now); at.Before(next) {
		next = at
	}
	p.grade(now)
	packets, soon := p.tell(now, p.feedback[:0])
	packets = p.report(now, packets)
	if len(packets) > 0 {
		out.AddRTCP(p.peer.Load(), packets)
	}
	clear(packets)
	p.feedback = packets[:0]
	if soon.Before(next) {
		next = soon
	}
	return next
}

// infos describes the publications. The room's lock is held.
func (p *participant) infos() []PublicationInfo {
	infos := make([]PublicationInfo, 0, len(p.publications))
	for _, pub := range p.publications {
		infos = append(infos, pub.info())
	}
	return infos
}

// arrange follows the table of who is on which pair. The room's lock is held.
func (p *participant) arrange(groups []slots.Group) {
	changes, needed := p.table.Assign(len(p.pairs), groups)
	for i, pair := range p.pairs {
		g, _ := p.table.At(i)
		pair.audio.carry(p.room.publication(g.Participant, g.Audio))
		pair.video.carry(p.room.publication(g.Participant, g.Video))
	}
	for _, c := range changes {
		if c.Pair < len(p.pairs) {
			p.room.emit(Event{Kind: Slot, Participant: p.id, Pair: c.Pair, Source: c.Participant, Audio: c.Audio, Video: c.Video})
		}
	}
	if p.table.Waiting() > 0 {
		p.room.speakers.crowded.Store(true)
	}
	p.needs(needed)
}

// needs asks for more pairs, once for each number, and not while the first picture is on its way: a negotiation would
// delay it.
func (p *participant) needs(pairs int) {
	if p.ready && pairs > len(p.pairs) && pairs != p.asked {
		p.asked = pairs
		p.room.emit(Event{Kind: SlotsNeeded, Participant: p.id, Pairs: pairs})
	}
}
