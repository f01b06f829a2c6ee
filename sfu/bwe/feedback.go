package bwe

import (
	"encoding/binary"
	"time"
)

// A report of arrival times, draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1: a head of so many bytes, chunks of two bytes that
// say which packets arrived, and deltas of one byte or two for those that did.
const (
	feedbackHead = 20
	chunkSize    = 2

	// referenceUnit is the unit of the reference time, and deltaUnit that of the deltas behind it (§3.1, §3.1.5).
	referenceUnit = 64 * time.Millisecond
	referenceBits = 24
	deltaUnit     = 250 * time.Microsecond
)

// The statuses of a packet (§3.1.1).
const (
	notReceived = iota
	smallDelta  // one byte
	largeDelta  // two, signed
	withoutDelta
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

// decode returns the reports of a message about packets that h remembers, ascending. They are valid until the next call. Whatever the
// message announces and does not have room for, it does not tell.
func (d *decoder) decode(h *history, fb []byte) []report {
	d.reports = d.reports[:0]
	if h.next == h.oldest || len(fb) < feedbackHead {
		return nil
	}
	count := int64(binary.BigEndian.Uint16(fb[14:]))
	chunks := fb[feedbackHead:chunksEnd(fb, count)]
	w := walk{
		h: h, out: d.reports, deltas: fb[feedbackHead+len(chunks):],
		// The message is about something that was sent, so its first number is the nearest to the last one sent.
		seq:  h.next - 1 + int64(int16(binary.BigEndian.Uint16(fb[12:])-uint16(h.next-1))),
		left: count,
		at:   time.Duration(d.unwrap(binary.BigEndian.Uint32(fb[16:])>>8)) * referenceUnit,
	}
	for ; len(chunks) > 0; chunks = chunks[chunkSize:] {
		w.chunk(binary.BigEndian.Uint16(chunks))
	}
	d.reports = w.out
	return d.reports
}

// chunksEnd is where the chunks that tell of so many packets end.
func chunksEnd(fb []byte, count int64) (at int) {
	for at = feedbackHead; count > 0 && at+chunkSize <= len(fb); at += chunkSize {
		switch chunk := binary.BigEndian.Uint16(fb[at:]); {
		case chunk&0x8000 == 0:
			count -= int64(chunk & 0x1fff)
		case chunk&0x4000 == 0:
			count -= 14
		default:
			count -= 7
		}
	}
	return at
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

// walk goes through the statuses of one message.
type walk struct {
	h      *history
	out    []report
	deltas []byte
	seq    int64
	left   int64
	at     time.Duration
}

// chunk takes one: a run of one status, or a vector of 14 or of 7 (§3.1.3, §3.1.4).
func (w *walk) chunk(chunk uint16) {
	switch {
	case chunk&0x8000 == 0:
		w.run(chunk>>13, int64(chunk&0x1fff))
	case chunk&0x4000 == 0:
		for bit := 13; bit >= 0; bit-- {
			w.run(chunk>>bit&1, 1)
		}
	default:
		for bit := 12; bit >= 0; bit -= 2 {
			w.run(chunk>>bit&3, 1)
		}
	}
}

// run takes n packets of one status. Numbers that are not remembered cost nothing when they did not arrive, whatever their count;
// those that arrived are as many as the message has deltas.
func (w *walk) run(status uint16, n int64) {
	n = min(n, w.left)
	w.left -= n
	end := w.seq + n
	if status == notReceived || status == withoutDelta {
		fate := missing
		if status == withoutDelta {
			fate = received
		}
		for s := max(w.seq, w.h.oldest); s < min(end, w.h.next); s++ {
			w.out = append(w.out, report{seq: s, fate: fate})
		}
		w.seq = end
		return
	}
	for size := int(status); w.seq < end && len(w.deltas) >= size; w.seq++ {
		delta := int64(w.deltas[0])
		if status == largeDelta {
			delta = int64(int16(binary.BigEndian.Uint16(w.deltas)))
		}
		w.at += time.Duration(delta) * deltaUnit
		w.deltas = w.deltas[size:]
		if w.seq >= w.h.oldest && w.seq < w.h.next {
			w.out = append(w.out, report{seq: w.seq, arrived: w.at, fate: received, timed: true})
		}
	}
	w.seq = end
}
