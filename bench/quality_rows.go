package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/bench/report"
	"github.com/parleyrtc/parley/bench/verdict"
	"github.com/parleyrtc/parley/bench/witness"
)

const (
	// settling is how long a call runs on its bad network before it is judged.
	settling = 3 * time.Second
	// firstPictureWait is how long a first picture may take before it counts as never.
	firstPictureWait = 10 * time.Second
)

// talking is somebody with microphone and camera.
func talking() witness.Config {
	return witness.Config{Microphone: true, Camera: witness.Simulcast, Layers: true, Pairs: 4}
}

// watching is somebody who only receives, or sends sound as well, so that the server knows the distance.
func watching() witness.Config { return witness.Config{Microphone: true, Pairs: 4} }

// atMost and atLeast are bars.
func atMost(v float64) report.Goal  { return report.Goal{Limit: v} }
func atLeast(v float64) report.Goal { return report.Goal{Limit: v, Min: true} }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// firstFrame measures from accept to the first decodable picture, at the callee, again and again.
func firstFrame(ctx context.Context, q *quality) (report.Result, error) {
	var callee, caller []float64
	for range q.cfg.Rounds {
		s, err := q.openScene(ctx, 2)
		if err != nil {
			s.close()
			return report.Result{}, err
		}
		a, b, err := s.answered(ctx)
		s.close()
		if err != nil {
			return report.Result{}, err
		}
		caller, callee = append(caller, a), append(callee, b)
	}
	r := report.Result{Arrivals: fmt.Sprintf("%d calls, one after the other; the caller has joined while it rings", q.cfg.Rounds)}
	r.AddGoal("callee_ms", "accept to first picture at the callee, median", median(callee), report.Milliseconds, atMost(300))
	r.AddGoal("caller_ms", "accept to first picture at the caller, median", median(caller), report.Milliseconds, atMost(300))
	r.Add("callee_worst_ms", "the same, worst", max(slices.Max(callee), slices.Max(caller)), report.Milliseconds, report.Lower)
	return r, nil
}

// answered has the second person accept and says when each saw the other, in milliseconds.
func (s *scene) answered(ctx context.Context) (caller, callee float64, err error) {
	one := talking()
	one.Pairs = 1
	a, err := s.enter(ctx, one, clean())
	if err != nil {
		return 0, 0, err
	}
	if err := s.q.wait(ctx, "ringing", time.Second); err != nil { // people take a moment to answer
		return 0, 0, err
	}
	accepted := time.Now()
	b, err := s.enter(ctx, one, clean())
	if err != nil {
		return 0, 0, err
	}
	at, seen := b.FirstPicture(a.source, accepted.Add(firstPictureWait))
	back, alsoSeen := a.FirstPicture(b.source, accepted.Add(firstPictureWait))
	if !seen || !alsoSeen {
		return 0, 0, fmt.Errorf("no picture within %v", firstPictureWait)
	}
	return ms(back.Sub(accepted)), ms(at.Sub(accepted)), nil
}

// newcomer has one, then ten join three who talk.
func newcomer(ctx context.Context, q *quality) (report.Result, error) {
	const storm = 10
	s, err := q.openScene(ctx, 3+q.cfg.Rounds+storm)
	defer s.close()
	if err != nil {
		return report.Result{}, err
	}
	for range 3 {
		if _, err := s.enter(ctx, talking(), clean()); err != nil {
			return report.Result{}, err
		}
	}
	var alone []float64
	for range q.cfg.Rounds {
		if err := q.wait(ctx, "waiting for a keyframe to grow old", 1200*time.Millisecond); err != nil {
			return report.Result{}, err
		}
		p, err := s.prepare(ctx, watching(), clean())
		if err == nil {
			err = s.join(ctx, p)
		}
		if err != nil {
			return report.Result{}, err
		}
		at, _ := p.FirstPicture(1, p.asked.Add(firstPictureWait))
		alone = append(alone, ms(at.Sub(p.asked)))
	}
	asked := s.people[0].Tally().Asked
	together, err := s.rush(ctx, storm)
	if err != nil {
		return report.Result{}, err
	}
	asked = s.people[0].Tally().Asked - asked
	r := report.Result{Arrivals: fmt.Sprintf("%d newcomers, one after the other, then %d at once", q.cfg.Rounds, storm)}
	r.AddGoal("newcomer_ms", "from asking to join to the first picture, median", median(alone), report.Milliseconds, atMost(250))
	r.Add("newcomer_worst_ms", "the same, worst", slices.Max(alone), report.Milliseconds, report.Lower)
	r.Add("storm_ms", fmt.Sprintf("the same of %d at once, median", storm), median(together), report.Milliseconds, report.Lower)
	r.AddGoal("keyframe_requests", "keyframes asked of one publisher meanwhile, all sizes", float64(asked), report.Count, atMost(2*float64(len(witness.Simulcast))))
	return r, nil
}

// rush has people join at the same moment and says how long each waited for the first one's picture, in milliseconds.
func (s *scene) rush(ctx context.Context, n int) ([]float64, error) {
	var coming []*person
	for range n {
		p, err := s.prepare(ctx, watching(), clean())
		if err != nil {
			return nil, err
		}
		coming = append(coming, p)
	}
	took := make([]float64, n)
	failed := make(chan error, n)
	for i, p := range coming {
		go func() { // ends with its word in failed
			err := s.join(ctx, p)
			if err == nil {
				at, seen := p.FirstPicture(1, p.asked.Add(firstPictureWait))
				if took[i] = ms(at.Sub(p.asked)); !seen {
					took[i] = ms(firstPictureWait)
				}
			}
			failed <- err
		}()
	}
	var err error
	for range n {
		if one := <-failed; one != nil {
			err = one
		}
	}
	return took, err
}

// twoSubscribers holds the picture of somebody with a good network against the frames that the camera took, before and while
// somebody with a poor one watches the same.
func twoSubscribers(ctx context.Context, q *quality) (report.Result, error) {
	s, err := q.openScene(ctx, 3)
	defer s.close()
	if err != nil {
		return report.Result{}, err
	}
	narrow := worse(link.Rules{Rate: 300_000, Queue: 300 * time.Millisecond}, link.Rules{})
	people, err := s.cast(ctx, []role{{talking(), far()}, {watching(), far()}, {watching(), narrow}})
	if err != nil {
		return report.Result{}, err
	}
	if err := q.wait(ctx, "settling", 2*settling); err != nil {
		return report.Result{}, err
	}
	w, err := q.measured(ctx, q.cfg.Time)
	if err != nil {
		return report.Result{}, err
	}
	if err := q.wait(ctx, "letting the last frames arrive", time.Second); err != nil {
		return report.Result{}, err
	}
	camera, good, poor := people[0], people[1], people[2]
	missing, small := missed(good.Shown(camera.source), w)
	saw := good.saw(camera, w)
	r := report.Result{}
	r.AddGoal("good.missing", "the good one: frames of the camera that were not shown", float64(missing), report.Count, atMost(0))
	r.AddGoal("good.small", "the good one: frames that were not the largest", float64(small), report.Count, atMost(0))
	r.AddGoal("good.freezes", "the good one: freezes", float64(saw.Freezes), report.Count, atMost(0))
	r.Add("good.picture_gap_ms", "the good one: longest time between two frames", ms(saw.Longest), report.Milliseconds, report.Lower)
	senses(&r, "poor", "the poor one", poor.heard(camera, w), poor.saw(camera, w), 0, 0)
	return r, nil
}

// missed counts the frames of a window, by when they were taken, that were not shown, and those that were but not in full size.
func missed(shown []verdict.Shown, w window) (missing, small int) {
	var first, last uint32
	frames := 0
	for _, s := range shown {
		if s.Captured.Before(w.from) || !s.Captured.Before(w.to) {
			continue
		}
		if frames++; frames == 1 {
			first = s.Frame
		}
		last = s.Frame
		if int(s.Height) < witness.Simulcast[len(witness.Simulcast)-1].Height {
			small++
		}
	}
	return max(int(last-first)+1-frames, 0), small
}

// rebind gives a client another address in the middle.
func rebind(ctx context.Context, q *quality) (report.Result, error) {
	s, err := q.openScene(ctx, 2)
	defer s.close()
	if err != nil {
		return report.Result{}, err
	}
	people, err := s.cast(ctx, []role{{talking(), far()}, {talking(), far()}})
	if err != nil {
		return report.Result{}, err
	}
	if err := q.wait(ctx, "settling", settling); err != nil {
		return report.Result{}, err
	}
	from := time.Now()
	for range 3 {
		if err := people[1].access.Rebind(); err != nil {
			return report.Result{}, err
		}
		if err := q.wait(ctx, "after a rebinding", 4*time.Second); err != nil {
			return report.Result{}, err
		}
	}
	w := window{from, time.Now()}
	r := report.Result{Arrivals: "3 rebindings"}
	for _, side := range []struct {
		key, label string
		at, of     *person
	}{{"down", "to the client", people[1], people[0]}, {"up", "from the client", people[0], people[1]}} {
		heard, saw := side.at.heard(side.of, w), side.at.saw(side.of, w)
		r.AddGoal(side.key+".freezes", side.label+": freezes", float64(saw.Freezes), report.Count, atMost(0))
		r.Add(side.key+".picture_gap_ms", side.label+": longest time between two frames", ms(saw.Longest), report.Milliseconds, report.Lower)
		r.AddGoal(side.key+".sound_gap_ms", side.label+": longest time without sound", ms(heard.Longest), report.Milliseconds, atMost(100))
	}
	return r, nil
}
