package bwe

import "time"

const (
	clusterPackets = 4                    // fewer measure nothing
	clusterShare   = 0.5                  // of the bytes that must arrive
	clusterMost    = time.Second          // of a cluster; a longer one was held up
	clusterTrain   = time.Millisecond / 2 // packets sent within it left at once
	clusterFaster  = 2.0                  // times the rate of sending is more than a path can make of it
)

// cluster measures the packets of one probe, in the order of sending.
type cluster struct {
	id      int32
	packets int
	bytes   int64

	firstSent, lastSent         time.Duration
	firstArrived, lastArrived   time.Duration // first: the last arrival of the first train
	firstTrainBytes, trainBytes int64         // trainBytes: of the last train
	inFirst                     bool
}

// add takes a packet that arrived.
func (c *cluster) add(p *packet, arrived time.Duration) {
	size := int64(p.size)
	if c.packets == 0 {
		c.firstSent, c.lastSent, c.firstArrived, c.lastArrived, c.inFirst = p.sent, p.sent, arrived, arrived, true
	}
	if p.sent-c.lastSent > clusterTrain {
		c.inFirst = false
		c.trainBytes = 0
		c.lastSent = p.sent
	}
	c.packets++
	c.bytes += size
	c.trainBytes += size
	c.lastArrived = max(c.lastArrived, arrived)
	if c.inFirst {
		c.firstTrainBytes += size
		c.firstArrived = max(c.firstArrived, arrived)
	}
}

// result is the rate that arrived, in bits per second, and whether the path could carry no more; false when the cluster tells nothing.
// The last train takes no time at the sender and the first none at the receiver, so half of both counts at either end.
func (c *cluster) result(wanted int) (rate float64, full, ok bool) {
	sent, arrived := c.lastSent-c.firstSent, c.lastArrived-c.firstArrived
	if c.packets < clusterPackets || float64(c.bytes) < clusterShare*float64(wanted) ||
		sent <= 0 || sent > clusterMost || arrived <= 0 || arrived > clusterMost {
		return 0, false, false
	}
	bits := float64(c.bytes*8) - float64((c.firstTrainBytes+c.trainBytes)*8)/2
	out, in := bits/sent.Seconds(), bits/arrived.Seconds()
	if bits <= 0 || in > clusterFaster*out {
		return 0, false, false
	}
	if full = in < probeUnfull*out; full {
		return probeFullShare * in, true, true
	}
	return min(in, out), false, true
}
