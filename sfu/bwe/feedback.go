package bwe

import (
	"time"

	"github.com/pion/rtcp"
)

const (
	// referenceUnit is the unit of the reference time, and deltaUnit that of the deltas behind it
	// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1, §3.1.5). The RTCP library gives deltas in µs.
	referenceUnit = 64 * time.Millisecond
	referenceBits = 24
	deltaUnit     = time.Microsecond
)

// report is what one message says of one packet that is still remembered.
type report struct {
	seq     int64
	arrived time.Duration // on the receiver's clock
	fate    fate          // missing or received
	timed   bool          // arrived is known
}

// decoder turns feedback messages into reports. Messages may be lost, doubled and out of order.
type decoder struct {
	reference int64 // reference time of the last message, extended
	started   bool
	reports   []report // of the last message; reused
}

// decode returns the reports of a message about packets that h remembers, ascending. They are valid until the next call.
func (d *decoder) decode(h *history, fb *rtcp.TransportLayerCC) []report {
	d.reports = d.reports[:0]
	if h.next == h.oldest {
		return nil
	}
	w := walk{
		h: h, out: d.reports, deltas: fb.RecvDeltas,
		// The message is about something that was sent, so its first number is the nearest to the last one sent.
		seq:  h.next - 1 + int64(int16(fb.BaseSequenceNumber-uint16(h.next-1))),
		left: int64(fb.PacketStatusCount),
		at:   time.Duration(d.unwrap(fb.ReferenceTime)) * referenceUnit,
	}
	for _, chunk := range fb.PacketChunks {
		switch c := chunk.(type) {
		case *rtcp.RunLengthChunk:
			w.run(c.PacketStatusSymbol, int64(c.RunLength))
		case *rtcp.StatusVectorChunk:
			for _, symbol := range c.SymbolList {
				w.run(symbol, 1)
			}
		}
	}
	d.reports = w.out
	return d.reports
}

// unwrap extends a reference time: 24 bits that wrap every 12 days (§3.1).
func (d *decoder) unwrap(t uint32) int64 {
	if !d.started {
		d.reference, d.started = int64(t), true
		return d.reference
	}
	const unused = 32 - referenceBits
	d.reference += int64(int32((t-uint32(d.reference))<<unused) >> unused)
	return d.reference
}

// restart forgets the receiver's clock, which has jumped.
func (d *decoder) restart() { d.started = false }

// walk goes through the symbols of one message.
type walk struct {
	h      *history
	out    []report
	deltas []*rtcp.RecvDelta
	seq    int64
	left   int64
	at     time.Duration
}

// run takes n packets of one symbol. Numbers that are not remembered cost nothing when they did not arrive, whatever their count;
// those that arrived are as many as the message has deltas.
func (w *walk) run(symbol uint16, n int64) {
	n = min(n, w.left)
	w.left -= n
	end := w.seq + n
	if symbol == rtcp.TypeTCCPacketNotReceived || symbol == rtcp.TypeTCCPacketReceivedWithoutDelta {
		fate := missing
		if symbol == rtcp.TypeTCCPacketReceivedWithoutDelta {
			fate = received
		}
		for s := max(w.seq, w.h.oldest); s < min(end, w.h.next); s++ {
			w.out = append(w.out, report{seq: s, fate: fate})
		}
		w.seq = end
		return
	}
	for ; w.seq < end && len(w.deltas) > 0; w.seq++ {
		if w.deltas[0] != nil {
			w.at += time.Duration(w.deltas[0].Delta) * deltaUnit
		}
		w.deltas = w.deltas[1:]
		if w.h.find(w.seq) != nil {
			w.out = append(w.out, report{seq: w.seq, arrived: w.at, fate: received, timed: true})
		}
	}
	w.seq = end
}
