package verdict

import (
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
)

// said is n frames of sound as they arrive: take says how long each is on its way, below zero for those that never come.
func said(n int, take func(i int) time.Duration) []Sound {
	var out []Sound
	for i := range n {
		sent := t0.Add(time.Duration(i) * FrameTime)
		if d := take(i); d >= 0 {
			out = append(out, Sound{Counter: int64(i), Sequence: int64(i), Sent: sent, At: sent.Add(d)})
		}
	}
	return out
}

func play(sounds []Sound, n int) Heard {
	return Hear(sounds, Browser, t0, t0.Add(time.Duration(n)*FrameTime))
}

func TestWhatComesInTimeIsPlayed(t *testing.T) {
	h := play(said(1000, func(int) time.Duration { return 30 * ms }), 1000)
	if h.Frames != 1000 || h.Concealed != 0 || h.Delay != Browser.Least || h.Longest != 0 {
		t.Errorf("%+v", h)
	}
}

func TestWhatNeverComesIsConcealed(t *testing.T) {
	h := play(said(1000, func(i int) time.Duration {
		if i%100 == 7 || i%100 == 8 {
			return -1
		}
		return 30 * ms
	}), 1000)
	if h.Concealed != 20 || h.Share != 0.02 || h.Longest != 2*FrameTime || len(h.Gaps) != 10 {
		t.Errorf("%+v", h)
	}
}

func TestTheBufferGrowsWithTheDelaysItSees(t *testing.T) {
	late := func(i int) time.Duration {
		if i%10 == 5 {
			return 100 * ms // what one repetition takes
		}
		return 10 * ms
	}
	h := play(said(1000, late), 1000)
	if h.Concealed == 0 || h.Concealed > 5 || h.Delay < 85*ms {
		t.Errorf("it learns once: %+v", h)
	}
	rare := play(said(3000, func(i int) time.Duration {
		if i%400 == 5 {
			return 400 * ms
		}
		return 10 * ms
	}), 3000)
	if rare.Concealed < 6 || rare.Delay > 60*ms {
		t.Errorf("a frame in four hundred is not worth 400 ms to all others: %+v", rare)
	}
}

func TestACopyInALaterPacketIsAsGood(t *testing.T) {
	sounds := said(500, func(i int) time.Duration {
		if i%10 == 5 {
			return -1
		}
		return 10 * ms
	})
	for i := 5; i+1 < 500; i += 10 {
		sent := t0.Add(time.Duration(i) * FrameTime)
		sounds = append(sounds, Sound{Counter: int64(i), Copy: true, Sent: sent, At: sent.Add(FrameTime + 10*ms)})
	}
	if h := play(sounds, 500); h.Concealed != 0 {
		t.Errorf("%+v", h)
	}
}

func TestWhatTheServerLeavesOutIsToldFromWhatIsLost(t *testing.T) {
	sounds := said(300, func(i int) time.Duration {
		if i >= 100 && i < 150 || i == 200 {
			return -1
		}
		return 10 * ms
	})
	for i := range sounds {
		if sounds[i].Counter >= 150 {
			sounds[i].Sequence -= 50 // no gap in the numbers where 50 were left out
		}
	}
	h := play(sounds, 300)
	if h.Withheld != 50 || h.Concealed != 1 || !h.Gaps[0].Withheld || h.Gaps[1].Withheld {
		t.Errorf("%+v", h)
	}
}

func TestAnEndThatNeverCameCounts(t *testing.T) {
	if h := play(said(100, func(int) time.Duration { return 0 }), 150); h.Frames != 150 || h.Concealed != 50 {
		t.Errorf("%+v", h)
	}
	if h := play(nil, 100); h.Frames != 0 {
		t.Errorf("nobody spoke: %+v", h)
	}
}

// On a link that loses a tenth, in virtual time: what one repetition is worth, and what a copy in the next packet is.
func TestRepairsAreWorthWhatTheySave(t *testing.T) {
	const n = 5000
	over := func(seed uint64) *link.Link {
		return link.New(t0, link.Config{Seed: seed, Rules: link.Rules{Loss: 0.1, Delay: 25 * ms}})
	}
	plain, again, copies := []Sound(nil), []Sound(nil), []Sound(nil)
	down := over(1)
	var lost []int
	for i := range n {
		sent := t0.Add(time.Duration(i) * FrameTime)
		s := Sound{Counter: int64(i), Sequence: int64(i), Sent: sent}
		if len(lost) > 0 && lost[len(lost)-1] == i-1 && len(down.Put(sent, 100)) > 0 {
			before := Sound{Counter: int64(i - 1), Copy: true, Sent: sent.Add(-FrameTime), At: sent.Add(25 * ms)}
			copies = append(copies, before)
		}
		found := down.Put(sent, 100)
		if len(found) == 0 {
			lost = append(lost, i)
			continue
		}
		s.At = found[0].At
		plain = append(plain, s)
	}
	again = append(again, plain...)
	repeats := over(2)
	for _, i := range lost {
		sent := t0.Add(time.Duration(i) * FrameTime)
		ask := sent.Add(FrameTime + 25*ms + 25*ms) // the next packet shows the gap, and the request takes as long
		for try := range 2 {
			if found := repeats.Put(ask.Add(time.Duration(try)*60*ms), 100); len(found) > 0 {
				again = append(again, Sound{Counter: int64(i), Sequence: int64(i), Sent: sent, At: found[0].At})
				break
			}
		}
	}
	none, nack := play(plain, n), play(again, n)
	both := play(append(append([]Sound(nil), again...), copies...), n)
	if none.Share < 0.08 || nack.Share > 0.02 || both.Share >= nack.Share || both.Share > 0.01 {
		t.Errorf("concealed: %.4f without repair, %.4f with NACK, %.4f with copies as well", none.Share, nack.Share, both.Share)
	}
}
