package sfu

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/nack"
)

const (
	// A report of arrival times follows this long after the first packet it tells of: often enough for the bandwidth of a
	// video to follow. Sound alone has no bandwidth to find.
	videoFeedback = 100 * time.Millisecond
	audioFeedback = 200 * time.Millisecond
	reportSpacing = time.Second
)

// tell appends what is due to be told to the client about what it sends, and says when there is more.
func (p *participant) tell(now time.Time, dst []rtcp.Packet) ([]rtcp.Packet, time.Time) {
	in := &p.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	next := now.Add(reportSpacing)
	soon := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	var reports []rtcp.ReceptionReport
	due := !now.Before(in.reportAt)
	for e := range in.encodings() {
		if e.ssrc == 0 {
			continue
		}
		if n := e.watched.Load(); due && n > 0 {
			e.watched.CompareAndSwap(n, n-1)
		}
		dst = e.askAgain(now, time.Duration(p.rtt.Load()), in, dst)
		if e.repairs {
			soon(e.missing.Deadline())
		}
		if dst = e.askKeyframe(now, in, dst); e.wanted {
			soon(e.keyframeAt())
		}
		if due && now.Sub(e.heard) < 5*reportSpacing && len(reports) < 31 {
			reports = append(reports, e.books.Report(now, e.ssrc))
		}
	}
	if due {
		in.reportAt = now.Add(reportSpacing)
	}
	if len(reports) > 0 {
		dst = append(dst, &rtcp.ReceiverReport{SSRC: in.own, Reports: reports})
	}
	if !in.feedbackAt.IsZero() && !now.Before(in.feedbackAt) {
		in.feedbackAt = time.Time{}
		dst = append(dst, in.arrivals.BuildFeedbackPacket()...)
	}
	soon(in.feedbackAt)
	return dst, next
}

// askAgain appends a NACK for what is missing and due.
func (e *encoding) askAgain(now time.Time, rtt time.Duration, in *inbox, dst []rtcp.Packet) []rtcp.Packet {
	if !e.repairs {
		return dst
	}
	missing, gaveUp := e.missing.Due(now, rtt, in.lost[:0])
	in.lost = missing
	if e.rid != "" && e.watched.Load() == 0 {
		return dst // nobody misses it
	}
	if gaveUp > 0 && e.publication.video {
		e.wanted = true
	}
	if len(missing) == 0 {
		return dst
	}
	e.publication.owner.room.sfu.metrics.nackOut.Add(float64(len(missing)))
	in.pairs = nack.AppendPairs(in.pairs[:0], missing)
	return append(dst, &rtcp.TransportLayerNack{SenderSSRC: in.own, MediaSSRC: e.ssrc, Nacks: append([]rtcp.NackPair(nil), in.pairs...)})
}
