package bwe

import "time"

const (
	clusterPackets = 4                    // fewer measure nothing
	clusterShare   = 0.5                  // of the bytes that must arrive
	clusterMost    = time.Second          // of a cluster; a longer one was held up
	clusterTrain   = time.Millisecond / 2 // packets sent within it left at once
	clusterFaster  = 2                    // times as fast as they were sent is more than a path can make of packets
)

// cluster measures the packets of one probe, in the order of sending.
type cluster struct {
	id      int32
	packets int
	bytes   int64

	firstSent, lastSent       time.Duration
	firstArrived, lastArrived time.Duration
	firstBytes                int64 // of the first packet
	firstTrain, lastTrain     int64 // bytes
	inFirst                   bool
}

// add takes a packet that arrived.
func (c *cluster) add(p *packet, arrived time.Duration) {
	size := int64(p.size)
	if c.packets == 0 {
		c.firstSent, c.lastSent, c.firstArrived, c.lastArrived, c.firstBytes, c.inFirst = p.sent, p.sent, arrived, arrived, size, true
	}
	if p.sent-c.lastSent > clusterTrain {
		c.inFirst = false
		c.lastTrain, c.lastSent = 0, p.sent
	}
	c.packets++
	c.bytes += size
	c.lastTrain += size
	c.lastArrived = max(c.lastArrived, arrived)
	if c.inFirst {
		c.firstTrain += size
	}
}

// result is the rate that arrived, in bits per second, and whether the path could carry no more; false when the cluster tells nothing.
// A full path stretches the cluster, and all but the first packet took its time there. Otherwise the rate is that of sending, where
// the first and the last train stand half outside.
func (c *cluster) result(wanted int) (rate float64, full, ok bool) {
	sent, arrived := c.lastSent-c.firstSent, c.lastArrived-c.firstArrived
	if c.packets < clusterPackets || float64(c.bytes) < clusterShare*float64(wanted) ||
		sent <= 0 || sent > clusterMost || arrived <= 0 || arrived > clusterMost || arrived*clusterFaster < sent {
		return 0, false, false
	}
	if float64(sent) < probeUnfull*float64(arrived) {
		return probeFullShare * float64((c.bytes-c.firstBytes)*8) / arrived.Seconds(), true, true
	}
	rate = float64(c.bytes*8-(c.firstTrain+c.lastTrain)*4) / sent.Seconds()
	return rate, false, rate > 0
}
