package bench

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/bench/report"
	"github.com/parleyrtc/parley/bench/verdict"
	"github.com/parleyrtc/parley/bench/witness"
)

const (
	// crowdSize is how many people have their microphones open.
	crowdSize = 20
	// stageSize is how many of them are to be heard (loudest-N), the server's default.
	stageSize = 3
	// eachSpeaks is how long each of them does, and noneSpeaks how long nobody does before the next.
	eachSpeaks, noneSpeaks = 1500 * time.Millisecond, 500 * time.Millisecond
)

// twenty has twenty people with open microphones speak in turns.
func twenty(ctx context.Context, q *quality) (report.Result, error) {
	s, err := q.openScene(ctx, crowdSize)
	defer s.close()
	if err != nil {
		return report.Result{}, err
	}
	var began atomic.Pointer[time.Time] // nil until everybody is there
	roles := []role{}
	for i := range crowdSize {
		cfg := witness.Config{Microphone: true, Pairs: crowdSize - 1, Speaks: func(at time.Time) bool { return speaksAt(began.Load(), at) == i }}
		roles = append(roles, role{cfg, clean()})
	}
	people, err := s.cast(ctx, roles)
	if err != nil {
		return report.Result{}, err
	}
	if err := q.wait(ctx, "settling", 6*time.Second); err != nil { // until everybody is known to be silent
		return report.Result{}, err
	}
	listener := people[crowdSize-1]
	before := listener.Tally().Packets
	w := window{from: time.Now()}
	began.Store(&w.from)
	if err := q.wait(ctx, "speaking in turns", (crowdSize-1)*(eachSpeaks+noneSpeaks)); err != nil {
		return report.Result{}, err
	}
	w.to = time.Now()
	streams := float64(listener.Tally().Packets-before) / w.length().Seconds() * verdict.FrameTime.Seconds()
	if err := q.wait(ctx, "letting the last frames arrive", time.Second); err != nil {
		return report.Result{}, err
	}
	var gaps []float64
	unheard := 0
	for i, speaker := range people[:crowdSize-1] {
		from := w.from.Add(time.Duration(i) * (eachSpeaks + noneSpeaks))
		missing := notHeard(listener, speaker, from, from.Add(eachSpeaks))
		gaps = append(gaps, ms(missing))
		if missing >= eachSpeaks-verdict.FrameTime {
			unheard++
		}
	}
	r := report.Result{Arrivals: fmt.Sprintf("each of %d speaks for %v, with %v in between", crowdSize-1, eachSpeaks, noneSpeaks)}
	r.AddGoal("streams", "streams of sound that arrive, on average", streams, report.Count, atMost(stageSize+0.05))
	r.AddGoal("missing_ms", "sound of a speaker that does not arrive, worst", slices.Max(gaps), report.Milliseconds, atMost(0))
	r.Add("missing_median_ms", "the same, median", median(gaps), report.Milliseconds, report.Lower)
	r.AddGoal("unheard", "speakers who are not heard at all", float64(unheard), report.Count, atMost(0))
	return r, nil
}

// speaksAt is who speaks at a time; -1: nobody.
func speaksAt(began *time.Time, at time.Time) int {
	if began == nil {
		return -1
	}
	since := at.Sub(*began)
	if since < 0 || since%(eachSpeaks+noneSpeaks) >= eachSpeaks {
		return -1
	}
	return int(since / (eachSpeaks + noneSpeaks))
}

// notHeard is how much of what somebody said in [from, to) never came.
func notHeard(listener, speaker *person, from, to time.Time) time.Duration {
	came := map[int64]bool{}
	for _, s := range listener.Sounds(speaker.source) {
		if !s.Sent.Before(from) && s.Sent.Before(to) {
			came[s.Counter] = true
		}
	}
	return time.Duration(speaker.Said(from, to)-len(came)) * verdict.FrameTime
}
