package transport

import (
	"errors"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

// trainBatch is how many messages leave with one system call.
const trainBatch = 64

var errNoKeys = errors.New("there are no keys yet")

// train is a run of datagrams for one client in the arena of a batch. Over UDP the kernel cuts it up (UDP_SEGMENT): all are of
// one size, and only the last may be shorter.
type train struct {
	path     *path
	from, to int // in the arena
	segment  int // bytes
	count    int
	closed   bool // its last datagram is a shorter one
}

// seal adds one packet, sealed.
func (b *Batch) seal(s *shadow, o *Outgoing) bool {
	p, sealer := s.path.Load(), s.sealer.Load()
	if p == nil || sealer == nil {
		return false
	}
	at := len(b.arena)
	header := o.Header.Append(b.arena)
	payload := o.Payload
	if len(o.Head) > 0 {
		whole := append(append(header, o.Head...), payload...)
		payload = whole[len(header):] // sealed where it is
	}
	sealed, err := sealer.Seal(header, at, payload, o.Header.SSRC, o.Index)
	if err != nil {
		return false
	}
	b.arena = sealed
	b.couple(p, at)
	return true
}

// sealReports adds one compound RTCP packet, sealed. One that cannot be is lost like any other: reports come again.
func (b *Batch) sealReports(s *shadow, packets []rtcp.Packet) {
	p := s.path.Load()
	if p == nil {
		return
	}
	plain, err := rtcp.Marshal(packets)
	if err != nil {
		return
	}
	at := len(b.arena)
	if b.arena, err = s.sealRTCP(b.arena, plain); err == nil {
		b.couple(p, at)
	}
}

// couple makes the datagram arena[at:] a part of the last train, if it may be, or of a new one.
func (b *Batch) couple(p *path, at int) {
	size := len(b.arena) - at
	if n := len(b.trains); n > 0 {
		t := &b.trains[n-1]
		if t.path == p && !t.closed && size <= t.segment && t.count < b.plane.longest && len(b.arena)-t.from <= datagram.MaxTrain &&
			!p.single.Load() {
			t.to, t.closed = len(b.arena), size < t.segment
			t.count++
			return
		}
	}
	b.trains = append(b.trains, train{path: p, from: at, to: len(b.arena), segment: size, count: 1})
}

// outbox is what leaves from one local address.
type outbox struct {
	*datagram.Outbox         // nil until it is needed
	paths            []*path // of its messages
}

// depart sends all trains, and returns how many packets were lost on it.
func (b *Batch) depart() (lost int) {
	for i := range b.trains {
		t := &b.trains[i]
		if !t.path.direct() {
			lost += b.carry(t)
			continue
		}
		lost += b.post(t.path, t)
		if also := t.path.also.Load(); also != nil && also.afford(t.to-t.from) {
			lost += b.post(also.to, t)
		}
	}
	for local := range b.outboxes {
		if o := &b.outboxes[local]; len(o.paths) > 0 {
			lost += b.ship(local)
		}
	}
	clear(b.trains)
	b.trains = b.trains[:0]
	return lost
}

// post puts a train into the outbox of a direct path.
func (b *Batch) post(p *path, t *train) (lost int) {
	o := &b.outboxes[p.local]
	if o.Outbox == nil {
		o.Outbox = datagram.NewOutbox(trainBatch)
	} else if o.Full() {
		lost = b.ship(p.local)
	}
	segment := 0
	if t.count > 1 {
		segment = t.segment
	}
	o.Add(p.addr, b.arena[t.from:t.to], segment)
	o.paths = append(o.paths, p)
	return lost
}

// raw adds one datagram as it is.
func (b *Batch) raw(p *path, datagram []byte) {
	at := len(b.arena)
	b.arena = append(b.arena, datagram...)
	b.couple(p, at)
}

// ship sends one outbox.
func (b *Batch) ship(local int) (lost int) {
	o := &b.outboxes[local]
	sockets := b.plane.sockets[local]
	sent := sockets[b.lane%len(sockets)].(*datagram.Shared).Send(o.Outbox)
	for _, i := range sent.Unsegmented {
		o.paths[i].single.Store(true)
	}
	clear(o.paths)
	o.paths = o.paths[:0]
	return sent.Refused + sent.Full
}

// carry sends the datagrams of a train one by one, where no socket of ours does.
func (b *Batch) carry(t *train) (lost int) {
	from := b.plane.names[t.path.local]
	for at := t.from; at < t.to; at += t.segment {
		if t.path.write(b.arena[at:min(at+t.segment, t.to)], from) != nil {
			lost++
		}
	}
	return lost
}
