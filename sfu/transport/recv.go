package transport

import (
	"io"
	"slices"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/transport/v4/packetio"
)

// maxSources bounds the RTP and RTCP sources that pion keeps state for on behalf of one client, who can invent any number.
// 64 m-lines need two each, and some change.
const maxSources = 512

// Datagram is one decrypted RTP packet.
type Datagram struct {
	Arrived time.Time // with Go's monotonic clock
	Data    []byte    // lent until Packets returns, and only read
	Spare   int       // bytes of capacity behind Data that may be written to
}

// buffer is what pion calls for every new source. What it returns takes the place of a queue to a reader.
func (p *Peer) buffer(kind packetio.BufferPacketType, ssrc uint32) io.ReadWriteCloser {
	if p.sources.Add(1) == maxSources+1 {
		p.flooded.Store(true)
		go p.sink.State() // pion holds locks here
	}
	if kind == packetio.RTPBufferPacket {
		return rtpSource{p}
	}
	return rtcpSource{p, ssrc}
}

// rtpSource hands packets up. All sources of a peer are written to by the one goroutine that decrypts.
type rtpSource struct{ peer *Peer }

// Write takes one packet, which is only lent. It never fails: pion would log that.
func (s rtpSource) Write(b []byte) (int, error) {
	p := s.peer
	if p.closed.Load() || p.flooded.Load() {
		return len(b), nil
	}
	now, out := time.Now(), p.plane.Batch()
	p.batch[0] = Datagram{Arrived: now, Data: b}
	p.sink.Packets(now, p.batch[:1], out)
	p.plane.Recycle(out)
	return len(b), nil
}

// Read ends pion's own readers, which have nothing to read.
func (s rtpSource) Read([]byte) (int, error) { return 0, io.EOF }

// Close does nothing: there is nothing to free.
func (s rtpSource) Close() error { return nil }

// rtcpSource hands up what is addressed to one of our sources, or comes from one of the client's.
type rtcpSource struct {
	peer *Peer
	ssrc uint32
}

// Write takes one RTCP packet. pion writes it once to every source that it is addressed to; the first of them counts.
func (s rtcpSource) Write(b []byte) (int, error) {
	p := s.peer
	if p.closed.Load() || p.flooded.Load() {
		return len(b), nil
	}
	packets, err := appendReports(nil, b)
	if err != nil {
		return len(b), nil
	}
	packets = slices.DeleteFunc(packets, func(packet rtcp.Packet) bool {
		to := packet.DestinationSSRC()
		return len(to) == 0 || slices.Min(to) != s.ssrc
	})
	if len(packets) > 0 {
		out := p.plane.Batch()
		p.sink.RTCP(time.Now(), packets, out)
		p.plane.Recycle(out)
	}
	return len(b), nil
}

// Read ends pion's own readers.
func (s rtcpSource) Read([]byte) (int, error) { return 0, io.EOF }

// Close does nothing.
func (s rtcpSource) Close() error { return nil }
