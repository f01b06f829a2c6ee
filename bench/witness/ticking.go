package witness

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/bench/verdict"
)

const (
	// feedbackSpacing is how often transport-wide feedback goes out: what libwebrtc does from 110 kbit/s on.
	feedbackSpacing = 50 * time.Millisecond
	// nackSpacing is how often missing packets are looked at (NackRequester).
	nackSpacing = 20 * time.Millisecond
	// blindFor is how long a picture may be undecodable before a keyframe is asked for: 200 ms while there is none at all, else
	// 3 s (libwebrtc, VideoReceiveStream2).
	blindFirst, blindLater = 200 * time.Millisecond, 3 * time.Second
	// reportBlocks is how many streams fit into one receiver report (RFC 3550 §6.4.2).
	reportBlocks = 31
)

// tick does what is due; it ends with the witness.
func (w *Witness) tick() {
	select {
	case <-w.session.Connected():
	case <-w.stop:
		return
	}
	ticker := time.NewTicker(burst)
	defer ticker.Stop()
	last := time.Now()
	w.mu.Lock()
	w.began = last
	w.mu.Unlock()
	for {
		select {
		case now := <-ticker.C:
			w.mu.Lock()
			if w.ready() {
				w.publish(now, now.Sub(last))
				w.ask(now)
				w.report(now)
			}
			w.mu.Unlock()
			last = now
		case <-w.stop:
			return
		}
	}
}

// publish sends what is due since the beginning.
func (w *Witness) publish(now time.Time, passed time.Duration) {
	for w.cfg.Microphone && !w.began.Add(time.Duration(w.counter)*verdict.FrameTime).After(now) {
		w.speak(w.began.Add(time.Duration(w.counter) * verdict.FrameTime))
		w.counter++
	}
	if len(w.cfg.Camera) > 0 {
		for due := w.began.Add(time.Duration(w.frame) * time.Second / fps); !due.After(now); due = w.began.Add(time.Duration(w.frame) * time.Second / fps) {
			w.frame++ // frame 0 is none
			for _, o := range w.sending {
				if o.encoder != nil {
					o.capture(w, w.frame, due)
				}
			}
		}
	}
	for _, o := range w.sending {
		if o.encoder != nil {
			o.pace(w, passed)
		}
	}
}

// speak sends 20 ms of sound, as they are when the microphone has filled them.
func (w *Witness) speak(due time.Time) {
	o := w.sending[0]
	size, level := soundBytes, byte(0x80|20) // voice at -20 dBov
	if w.cfg.Speaks != nil && !w.cfg.Speaks(due) {
		size, level = silentBytes, 80
	}
	payload := make([]byte, size)
	payload[0] = 0xfc // Opus, 20 ms of full band, one frame (RFC 6716 §3.1)
	verdict.Sound{Source: w.cfg.Source, Counter: w.counter, Sent: due}.Write(payload[1:])
	o.header.Timestamp = o.timestamp(w, due)
	_ = setExtension(&o.header, w.levelID, []byte{level}) // ids of an answer are good
	if !w.answer.red[o.mid] {
		o.send(w, payload)
		return
	}
	o.header.PayloadType = redType
	o.send(w, redundantly(o.before, payload))
	o.before = payload
}

// redundantly is a frame of sound with a copy of the one before (RFC 2198 §3), as libwebrtc sends it.
func redundantly(before, payload []byte) []byte {
	var out []byte
	if before != nil {
		const offset = 960 // 20 ms at 48 kHz, in 14 bits; the length has 10
		out = append(out, 0x80|opusType, offset>>6, byte(offset<<2&0xff)|byte(len(before)>>8), byte(len(before)))
	}
	out = append(append(out, opusType), before...)
	return append(out, payload...)
}

// ask asks for what is missing.
func (w *Witness) ask(now time.Time) {
	if now.Sub(w.nacked) < nackSpacing {
		return
	}
	w.nacked = now
	var out []rtcp.Packet
	for _, s := range w.streams {
		if w.cfg.NoNACK {
			clear(s.missing)
			continue
		}
		missing, lost := s.due(now, w.cfg.RoundTrip)
		if len(missing) > 0 {
			out = append(out, &rtcp.TransportLayerNack{SenderSSRC: w.sender, MediaSSRC: s.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(missing)})
		}
		if lost && s.rate == 90000 {
			out = append(out, w.wantKeyframe(s.ssrc))
		}
	}
	for _, e := range w.eyes {
		patience := blindLater
		since := e.Blind()
		if len(e.Shown) == 0 {
			patience, since = blindFirst, e.began
		}
		if !since.IsZero() && now.Sub(since) > patience && now.Sub(e.asked) > patience {
			e.asked = now
			out = append(out, w.wantKeyframe(e.ssrc))
		}
	}
	w.sendControl(out)
}

func (w *Witness) wantKeyframe(ssrc uint32) rtcp.Packet {
	w.tally.Keyframes++
	return &rtcp.PictureLossIndication{SenderSSRC: w.sender, MediaSSRC: ssrc}
}

// report sends feedback and reports.
func (w *Witness) report(now time.Time) {
	if w.answer.transportCC != 0 && now.Sub(w.fed) >= feedbackSpacing {
		w.fed = now
		for _, p := range w.arrivals.BuildFeedbackPacket() {
			w.sendControl([]rtcp.Packet{p}) // one by one: each may be as long as a datagram
		}
	}
	for _, o := range w.sending {
		w.sendControl(o.report(w, now))
	}
	if now.Sub(w.reported) < reportSpacing {
		return
	}
	w.reported = now
	rr := &rtcp.ReceiverReport{SSRC: w.sender}
	for _, s := range w.streams {
		if len(rr.Reports) < reportBlocks {
			rr.Reports = append(rr.Reports, s.report(now))
		}
	}
	if len(rr.Reports) > 0 {
		w.sendControl([]rtcp.Packet{rr})
	}
}

// sendControl seals RTCP and sends it as one packet.
func (w *Witness) sendControl(packets []rtcp.Packet) {
	if len(packets) == 0 {
		return
	}
	raw, err := rtcp.Marshal(packets)
	if err != nil {
		return
	}
	if sealed, err := w.out.EncryptRTCP(nil, raw, nil); err == nil {
		w.port.send(sealed)
	}
}
