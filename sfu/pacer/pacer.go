// Package pacer decides which waiting packets may leave for one subscriber now, and when to ask again.
//
// It is a leaky bucket of five milliseconds with priorities. Sound leaves at once, whatever waits, and is charged to the rest.
// Everything else leaves in trains that are short enough not to fill a queue on the path and long enough for one system call:
// a frame that fits in five milliseconds at the present rate leaves as one.
package pacer

import (
	"time"

	"github.com/parleyrtc/parley/sfu/bwe"
)

// Class is a packet's priority; a lower one leaves first.
type Class uint8

// The classes.
const (
	Audio          Class = iota // never waits
	Retransmission              // what somebody is waiting for
	Video
	Padding // made by the pacer for probes, never pushed

	waitingClasses = int(Padding)
)

const (
	burst        = 5 * time.Millisecond  // of the rate, in one train
	probeStep    = 2 * time.Millisecond  // of the rate, in one train of a probe: it needs many to measure
	trainMost    = 64                    // packets in one train, the segments of one message to the kernel
	tick         = time.Millisecond      // between trains at least
	late         = 10 * time.Millisecond // by which a timer may fire and nothing of the rate is lost; its train is so much longer
	debtMost     = 50 * time.Millisecond // of the rate that sound may take in advance
	paddingLeast = 100                   // bytes of a packet of padding
	paddingMost  = 1200
	leastSize    = 40 // of a packet with its headers for IPv4, UDP and RTP; it bounds how many wait
	rateMost     = 4_000_000_000
	bitTime      = int64(time.Second) // budget is in bits times nanoseconds over seconds, so that nothing is rounded
	idleMost     = time.Second        // more time than that does not count at once
)

// Config bounds a Pacer. A zero field takes its default.
type Config struct {
	// MaxBytes is how much may wait in all. Default 512 KiB.
	MaxBytes int
	// MaxWait is how long a video packet may wait. Default 600 ms; a retransmission may half as long, after which nobody
	// waits for it any more.
	MaxWait time.Duration
}

// Packet is one to send. Item is the owner's reference to it, which the pacer only holds.
type Packet[T any] struct {
	Item  T
	Class Class
	Size  int // bytes on the wire; less than a packet's headers counts as 40
}

// Release is a packet that may leave now. With class Padding it is a wish for Size bytes of padding and Item is zero.
type Release[T any] struct {
	Packet[T]
	Cluster int32 // of the probe that it is part of; 0 for none
}

// entry is a packet that waits.
type entry[T any] struct {
	item  T
	since time.Time
	size  int
}

// Pacer holds what waits for one subscriber. It has one owner and no lock.
//
// When it is full, or a packet has waited too long, the oldest retransmissions go first and the oldest video after them; sound goes
// last, and only when sound alone fills the pacer. Whoever loses a video packet owes its receiver a key frame.
type Pacer[T any] struct {
	cfg     Config
	waiting [waitingClasses]ring[entry[T]]
	bytes   int

	rate    int64 // bits per second
	budget  int64 // bits times bitTime; below 0 after a packet that was larger than it
	updated time.Time
	next    time.Time // when to ask again; zero when nothing waits

	probe   bwe.Probe // Cluster 0 when there is none
	sent    int       // bytes of it
	packets int

	dropped []Packet[T] // since the last Dropped
}

// New returns a pacer at a rate.
func New[T any](now time.Time, rate bwe.Rate, cfg Config) *Pacer[T] {
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = 512 << 10
	}
	if cfg.MaxWait <= 0 {
		cfg.MaxWait = 600 * time.Millisecond
	}
	p := &Pacer[T]{cfg: cfg, updated: now, rate: bounded(rate)}
	p.budget = p.depth()
	return p
}

// SetRate changes the rate from now on.
func (p *Pacer[T]) SetRate(now time.Time, rate bwe.Rate) {
	if p.rate == bounded(rate) {
		return
	}
	p.refill(now)
	p.rate = bounded(rate)
	p.budget = min(p.budget, p.most())
	if !p.next.IsZero() {
		p.schedule(now)
	}
}

// Probe makes what leaves next follow each other at the probe's rate until its bytes and packets are sent; where nothing waits the
// pacer wishes for padding. It replaces a probe under way.
func (p *Pacer[T]) Probe(now time.Time, probe bwe.Probe) {
	if probe.Cluster == 0 || probe.Rate <= 0 {
		return
	}
	p.refill(now)
	p.probe, p.sent, p.packets = probe, 0, 0
	p.probe.Rate = bwe.Rate(bounded(probe.Rate))
	p.budget = max(p.budget, 0)
	p.next = now
}

// Pass lets a packet go at once that need not wait, and gives the probe that it is part of, 0 for none; false: it is to be pushed.
// Sound always passes.
func (p *Pacer[T]) Pass(now time.Time, class Class, size int) (cluster int32, ok bool) {
	size = max(size, leastSize)
	p.refill(now)
	switch {
	case class == Audio:
		return p.chargeSound(size), true
	case class == Video && p.bytes > 0 || class == Retransmission && p.waiting[Retransmission].len > 0 || class > Video:
		return 0, false
	case p.budget < min(cost(size), p.depth()):
		return 0, false
	}
	return p.charge(size), true
}

// Push adds a packet. Afterwards Due tells what may leave, if Deadline is now, and Dropped what had to go.
func (p *Pacer[T]) Push(now time.Time, packet Packet[T]) {
	if int(packet.Class) >= waitingClasses || packet.Size > p.cfg.MaxBytes {
		p.dropped = append(p.dropped, packet)
		return
	}
	packet.Size = max(packet.Size, leastSize)
	p.refill(now) // before anything waits
	p.expire(now)
	for p.bytes+packet.Size > p.cfg.MaxBytes {
		if !p.dropOldest() {
			break
		}
	}
	p.waiting[packet.Class].push(entry[T]{packet.Item, now, packet.Size})
	p.bytes += packet.Size
	if packet.Class == Audio {
		p.next = now
		return
	}
	p.schedule(now)
}

// Due appends to dst the packets that leave now, as one train of at most 64. Who gets fewer than waited asks again at the Deadline:
// at once when it is not after now.
func (p *Pacer[T]) Due(now time.Time, dst []Release[T]) []Release[T] {
	p.refill(now)
	p.expire(now)
	left := trainMost
	for ; left > 0 && p.waiting[Audio].len > 0; left-- {
		dst = p.release(dst, Audio)
	}
	for ; left > 0; left-- {
		class, size := p.first()
		if class == Padding && p.probe.Cluster == 0 || p.budget < min(cost(size), p.depth()) {
			break
		}
		if class == Padding {
			dst = append(dst, Release[T]{Packet[T]{Class: Padding, Size: size}, p.charge(size)})
			continue
		}
		dst = p.release(dst, class)
	}
	p.schedule(now)
	if soonest := now.Add(tick); !p.next.IsZero() && p.next.Before(soonest) && p.waiting[Audio].len == 0 {
		p.next = soonest
	}
	return dst
}

// first is the class of the next packet behind sound, and its size; Padding when nothing waits.
func (p *Pacer[T]) first() (class Class, size int) {
	for class = Retransmission; class < Padding; class++ {
		if w := &p.waiting[class]; w.len > 0 {
			return class, w.front().size
		}
	}
	size = (p.probe.Bytes - p.sent) / max(1, p.probe.Packets-p.packets)
	return Padding, min(max(size, paddingLeast), paddingMost)
}

// release takes the first packet of a class.
func (p *Pacer[T]) release(dst []Release[T], class Class) []Release[T] {
	e := p.waiting[class].pop()
	p.bytes -= e.size
	cluster := int32(0)
	if class == Audio {
		cluster = p.chargeSound(e.size)
	} else {
		cluster = p.charge(e.size)
	}
	return append(dst, Release[T]{Packet[T]{e.item, class, e.size}, cluster})
}

// chargeSound is charge for sound, a flood of which holds the rest up only so long.
func (p *Pacer[T]) chargeSound(size int) (cluster int32) {
	before := p.budget
	cluster = p.charge(size)
	p.budget = max(p.budget, min(before, -p.worth(debtMost)))
	return cluster
}

// charge takes a packet from the budget and gives the probe that it counts for.
func (p *Pacer[T]) charge(size int) (cluster int32) {
	p.budget -= cost(size)
	if cluster = p.probe.Cluster; cluster == 0 {
		return 0
	}
	p.sent += size
	if p.packets++; p.sent >= p.probe.Bytes && p.packets >= p.probe.Packets {
		p.probe = bwe.Probe{}
		p.budget = min(p.budget, p.depth())
	}
	return cluster
}

// expire drops what has waited too long.
func (p *Pacer[T]) expire(now time.Time) {
	for class, most := range [waitingClasses]time.Duration{Retransmission: p.cfg.MaxWait / 2, Video: p.cfg.MaxWait} {
		for w := &p.waiting[class]; most > 0 && w.len > 0 && now.Sub(w.front().since) > most; {
			p.drop(Class(class))
		}
	}
}

// dropOldest makes room; false when nothing waits.
func (p *Pacer[T]) dropOldest() bool {
	for _, class := range [...]Class{Retransmission, Video, Audio} {
		if p.waiting[class].len > 0 {
			p.drop(class)
			return true
		}
	}
	return false
}

func (p *Pacer[T]) drop(class Class) {
	e := p.waiting[class].pop()
	p.bytes -= e.size
	p.dropped = append(p.dropped, Packet[T]{e.item, class, e.size})
}

// Remove takes out what waits and matches, as when a track ends or what follows a lost packet is of no use; Dropped returns it.
func (p *Pacer[T]) Remove(now time.Time, match func(T, Class) bool) {
	for class := range p.waiting {
		w := &p.waiting[class]
		for range w.len {
			e := w.pop()
			if !match(e.item, Class(class)) {
				w.push(e)
				continue
			}
			p.bytes -= e.size
			p.dropped = append(p.dropped, Packet[T]{e.item, Class(class), e.size})
		}
	}
	p.schedule(now)
}

// Dropped returns what was dropped since the last call. It is valid until the next call of another method.
func (p *Pacer[T]) Dropped() []Packet[T] {
	d := p.dropped
	p.dropped = p.dropped[:0]
	return d
}

// Deadline is when Due has something to let go; zero when nothing waits.
func (p *Pacer[T]) Deadline() time.Time { return p.next }

// Waiting is how many bytes wait, and for how long they would at the present rate.
func (p *Pacer[T]) Waiting() (bytes int, wait time.Duration) {
	return p.bytes, time.Duration(int64(p.bytes) * 8 * bitTime / p.rate)
}
