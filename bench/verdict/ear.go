package verdict

import (
	"slices"
	"time"
)

// FrameTime is how much sound one frame holds.
const FrameTime = 20 * time.Millisecond

// Sound is an audio frame that arrived.
type Sound struct {
	Source   uint32    // whose microphone
	Counter  int64     // of the frame at its source
	Sequence int64     // extended number of the packet that it came in, as its first content
	Copy     bool      // it came as a copy in a later packet (RFC 2198), so Sequence says nothing
	Sent     time.Time // by the publisher's clock, which is ours
	At       time.Time // of arrival
}

// Buffer is a jitter buffer like NetEq's, the one of Chromium and Firefox. It plays a frame so long after it would have come at
// best as the larger of two wishes says, within bounds:
//
//	packets in order   the longest delay in each half second, of which it covers a share
//	packets that came  the delay at which waiting longer costs more than it saves, where one percent of frames that come too
//	after later ones   late is worth so much waiting: so one repeated packet is waited for, and a second repetition often not
//
// It does at once what a real one does by stretching the sound.
type Buffer struct {
	Least, Most time.Duration
	Covers      float64       // 0 to 1
	Percent     time.Duration // what a percent of late frames is worth
	Memory      time.Duration // how long a delay counts
}

// Browser has NetEq's numbers (DelayManager::Config, of 2026), but for the memory, which fades there.
var Browser = Buffer{Least: 40 * time.Millisecond, Most: time.Second, Covers: 0.95, Percent: 20 * time.Millisecond, Memory: 20 * time.Second}

// Heard is what was played of one source.
type Heard struct {
	Frames    int           // that should have been played
	Concealed int           // of them, those that were not there in time
	Withheld  int           // of them, those that the server left out on purpose: the numbers of its packets have no gap there
	Share     float64       // of Concealed
	Longest   time.Duration // the longest time without sound
	Delay     time.Duration // mean of what the buffer added
	Gaps      []Gap         // each time without sound, in order
}

// Gap is a time without sound, by when it was sent.
type Gap struct {
	From, To time.Time
	Withheld bool // all of it was left out on purpose
}

// Hear plays what one source sent in [from, to).
func Hear(sounds []Sound, buffer Buffer, from, to time.Time) Heard {
	first := map[int64]Sound{} // the earliest of each frame
	for _, s := range sounds {
		if was, ok := first[s.Counter]; !ok || s.At.Before(was.At) {
			first[s.Counter] = s
		}
	}
	arrived := make([]Sound, 0, len(first))
	for _, s := range first {
		arrived = append(arrived, s)
	}
	if len(arrived) == 0 {
		return Heard{}
	}
	slices.SortFunc(arrived, func(a, b Sound) int { return int(a.Counter - b.Counter) })
	best := arrived[0].At.Sub(arrived[0].Sent)
	for _, s := range arrived {
		best = min(best, s.At.Sub(s.Sent))
	}
	h := Heard{}
	delays := newDelays(arrived, buffer, best)
	left := withheld(sounds)
	at := 0
	begin, end := arrived[0].Counter, arrived[len(arrived)-1].Counter+int64(to.Sub(arrived[len(arrived)-1].Sent)/FrameTime)
	var total time.Duration
	for c := begin; c <= end; c++ {
		for at < len(arrived)-1 && arrived[at+1].Counter <= c {
			at++
		}
		sent := arrived[at].Sent.Add(time.Duration(c-arrived[at].Counter) * FrameTime)
		if sent.Before(from) || !sent.Before(to) {
			continue
		}
		hold := delays.at(sent.Add(best))
		total += hold
		s, there := first[c]
		h.play(sent, there && !s.At.After(sent.Add(best+hold)), left[c])
	}
	h.finish(total)
	return h
}

// play counts one frame.
func (h *Heard) play(sent time.Time, there, withheld bool) {
	h.Frames++
	if there {
		return
	}
	if withheld {
		h.Withheld++
	} else {
		h.Concealed++
	}
	if n := len(h.Gaps); n > 0 && sent.Sub(h.Gaps[n-1].To) < FrameTime/2 {
		h.Gaps[n-1].To = sent.Add(FrameTime)
		h.Gaps[n-1].Withheld = h.Gaps[n-1].Withheld && withheld
		return
	}
	h.Gaps = append(h.Gaps, Gap{sent, sent.Add(FrameTime), withheld})
}

func (h *Heard) finish(total time.Duration) {
	if h.Frames == 0 {
		return
	}
	h.Share = float64(h.Concealed) / float64(h.Frames)
	h.Delay = total / time.Duration(h.Frames)
	for _, g := range h.Gaps {
		h.Longest = max(h.Longest, g.To.Sub(g.From))
	}
}

// withheld are the frames that a server left out on purpose: between two packets that follow each other.
func withheld(sounds []Sound) map[int64]bool {
	var primary []Sound
	for _, s := range sounds {
		if !s.Copy {
			primary = append(primary, s)
		}
	}
	slices.SortFunc(primary, func(a, b Sound) int { return int(a.Sequence - b.Sequence) })
	out := map[int64]bool{}
	for i := 1; i < len(primary); i++ {
		if primary[i].Sequence-primary[i-1].Sequence == 1 {
			for c := primary[i-1].Counter + 1; c < primary[i].Counter; c++ {
				out[c] = true
			}
		}
	}
	return out
}
