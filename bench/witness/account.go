package witness

import (
	"slices"
	"time"

	"github.com/parleyrtc/parley/bench/verdict"
)

// Tally is what it has got and sent until now.
func (w *Witness) Tally() Tally {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.tally
	for _, o := range w.sending {
		t.Asked += o.asked
		t.Resent += o.resent
	}
	return t
}

// Shown is every frame of a source that was on the screen, in order.
func (w *Witness) Shown(source uint32) []verdict.Shown {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e := w.eyes[source]; e != nil {
		return slices.Clone(e.Shown)
	}
	return nil
}

// Sounds is every frame of sound of a source that arrived, in the order of arrival.
func (w *Witness) Sounds(source uint32) []verdict.Sound {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sounds[source])
}

// Said is how many frames of sound it has sent that were due in [from, to).
func (w *Witness) Said(from, to time.Time) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := func(at time.Time) int64 { // frames that were due earlier
		since := at.Sub(w.began)
		return min(max(int64((since+verdict.FrameTime-1)/verdict.FrameTime), 0), w.counter)
	}
	return int(before(to) - before(from))
}

// FirstPicture waits for the first frame of a source, at most until a deadline; false when there was none.
func (w *Witness) FirstPicture(source uint32, deadline time.Time) (time.Time, bool) {
	for {
		if shown := w.Shown(source); len(shown) > 0 {
			return shown[0].At, true
		}
		if time.Now().After(deadline) {
			return time.Time{}, false
		}
		time.Sleep(burst)
	}
}
