package layer

import (
	"time"

	"github.com/parleyrtc/parley/sfu/packet"
)

const (
	// Rates are measured over a second, in slices: over a shorter time a keyframe would look like a rate.
	ringSlices = 10
	slice      = 100 * time.Millisecond
	// gone is after how long a silent layer is taken to have stopped: a still screen is sent once a second.
	gone = 3 * time.Second

	// What is told apart; what is above counts with the highest.
	ratedSpatial  = 4
	ratedTemporal = 4
)

// Measure is what one layer takes, with all that are forwarded together with it.
type Measure struct {
	Layer
	// Rate is in bits per second, headers left out; at least 1.
	Rate int64
	// FrameRate is in pictures per second.
	FrameRate float64
}

// tally counts by layer: what a decode target consists of, where packets tell, else what is of the layer alone.
type tally [ratedSpatial][ratedTemporal]struct{ bytes, pictures int64 }

// Rates measures the layers of one encoding. The zero value is ready. It has one owner and no lock.
type Rates struct {
	encoding uint8
	ring     [ringSlices]tally
	begun    time.Time // zero: nothing was counted yet
	edge     time.Time // the beginning of the newest slice
	newest   int
	told     bool // packets tell which targets they are part of
	seen     [ratedSpatial][ratedTemporal]time.Time

	timestamp uint32                            // of the newest picture
	pictures  [ratedSpatial][ratedTemporal]bool // which layers it has been counted for
}

// Add counts a packet with so many bytes of payload.
func (r *Rates) Add(now time.Time, p *Packet, size int) {
	first := r.begun.IsZero()
	if first {
		r.begun, r.edge = now, now
	}
	r.move(now)
	r.encoding = p.Encoding
	if r.told != p.HasDependency {
		r.told = p.HasDependency
		r.ring = [ringSlices]tally{}
	}
	if first || int32(p.Timestamp-r.timestamp) > 0 {
		r.timestamp = p.Timestamp
		r.pictures = [ratedSpatial][ratedTemporal]bool{}
	}
	spatial, temporal := rated(p.Layer)
	r.seen[spatial][temporal] = now
	if p.HasDependency {
		d := &p.Dependency
		for i := range d.Structure.Targets() {
			if d.Indication(i) != packet.NotPresent {
				s, t := rated(layerOf(d.Structure, i))
				r.count(s, t, p.Timestamp, size)
			}
		}
		return
	}
	r.ring[r.newest][spatial][temporal].bytes += int64(size)
	if !r.pictures[0][0] { // A picture counts with the layer of its first packet.
		r.pictures[0][0] = true
		r.ring[r.newest][spatial][temporal].pictures++
	}
}

func rated(l Layer) (spatial, temporal int) {
	return min(int(l.Spatial), ratedSpatial-1), min(int(l.Temporal), ratedTemporal-1)
}

func (r *Rates) count(s, t int, timestamp uint32, size int) {
	c := &r.ring[r.newest][s][t]
	c.bytes += int64(size)
	if timestamp == r.timestamp && !r.pictures[s][t] {
		r.pictures[s][t] = true
		c.pictures++
	}
}

// move makes the slice that now is in the newest.
func (r *Rates) move(now time.Time) {
	if now.Sub(r.edge) > ringSlices*slice {
		r.ring = [ringSlices]tally{}
		r.edge = now
		return
	}
	for now.Sub(r.edge) >= slice {
		r.edge = r.edge.Add(slice)
		r.newest = (r.newest + 1) % ringSlices
		r.ring[r.newest] = tally{}
	}
}

// Measures appends what each layer takes, from the least to the best: by size, then by frame rate.
func (r *Rates) Measures(now time.Time, dst []Measure) []Measure {
	if r.begun.IsZero() {
		return dst
	}
	r.move(now)
	over := max(slice, min(now.Sub(r.begun), (ringSlices-1)*slice+now.Sub(r.edge))).Seconds()
	for s := range ratedSpatial {
		for t := range ratedTemporal {
			if r.seen[s][t].IsZero() || now.Sub(r.seen[s][t]) > gone {
				continue
			}
			var bytes, pictures int64
			for i := range r.ring {
				b, p := r.ring[i].of(s, t, r.told)
				bytes += b
				pictures += p
			}
			dst = append(dst, Measure{
				Layer:     Layer{Encoding: r.encoding, Spatial: uint8(s), Temporal: uint8(t)},
				Rate:      max(1, int64(float64(8*bytes)/over)),
				FrameRate: float64(pictures) / over,
			})
		}
	}
	return dst
}

// of is what a layer consists of together with those below it.
func (y *tally) of(spatial, temporal int, told bool) (bytes, pictures int64) {
	if told {
		return y[spatial][temporal].bytes, y[spatial][temporal].pictures
	}
	for s := range spatial + 1 {
		for t := range temporal + 1 {
			bytes += y[s][t].bytes
			pictures += y[s][t].pictures
		}
	}
	return bytes, pictures
}
