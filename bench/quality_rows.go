package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/parleyrtc/parley/bench/netlab"
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

// lossy is a row of random loss with bars for sound and, above 0, for the picture. The same room has somebody who offers no
// repair of sound, to compare with, and somebody whose uplink loses as much.
func lossy(share, concealed, frozen float64) func(context.Context, *quality) (report.Result, error) {
	return func(ctx context.Context, q *quality) (report.Result, error) {
		s, err := q.openScene(ctx, 4)
		defer s.close()
		if err != nil {
			return report.Result{}, err
		}
		loss := link.Rules{Loss: share}
		bare := watching()
		bare.NoNACK, bare.NoRED = true, true
		people, err := s.cast(ctx, []role{
			{talking(), far()}, {watching(), worse(loss, link.Rules{})}, {bare, worse(loss, link.Rules{})}, {talking(), worse(link.Rules{}, loss)},
		})
		if err != nil {
			return report.Result{}, err
		}
		if err := q.wait(ctx, "settling", settling); err != nil {
			return report.Result{}, err
		}
		w, err := q.measured(ctx, q.cfg.Time)
		if err != nil {
			return report.Result{}, err
		}
		publisher, poor, without, uplink := people[0], people[1], people[2], people[3]
		r := report.Result{}
		senses(&r, "down", "downlink", poor.heard(publisher, w), poor.saw(publisher, w), concealed, frozen)
		bareHeard := without.heard(publisher, w)
		r.Add("bare.concealed", "downlink without NACK and RED: sound concealed", bareHeard.Share, report.Fraction, report.Neither)
		r.Add("bare.frozen", "downlink without RTX: picture frozen", without.saw(publisher, w).Share, report.Fraction, report.Neither)
		senses(&r, "up", "uplink", publisher.heard(uplink, w), publisher.saw(uplink, w), concealed, frozen)
		_, fates := poor.access.Media().Fates()
		r.Add("down.lost", "downlink: packets lost by the network", float64(fates.Lost)/float64(max(fates.Put, 1)), report.Fraction, report.Neither)
		return r, nil
	}
}

// role is who somebody is in a scene.
type role struct {
	cfg   witness.Config
	rules netlab.Rules
}

// cast has people enter one after the other.
func (s *scene) cast(ctx context.Context, roles []role) ([]*person, error) {
	for i, one := range roles {
		s.q.progress.tell(Update{Phase: "joining", Done: float64(i), Total: float64(len(roles)), Unit: "people"})
		if _, err := s.enter(ctx, one.cfg, one.rules); err != nil {
			return nil, err
		}
	}
	return s.people, nil
}

// senses adds what was heard and seen. A bar of 0 is none.
func senses(r *report.Result, key, label string, heard verdict.Heard, saw verdict.Picture, concealed, frozen float64) {
	add := func(key, label string, value, bar float64) {
		if bar > 0 {
			r.AddGoal(key, label, value, report.Fraction, atMost(bar))
			return
		}
		r.Add(key, label, value, report.Fraction, report.Lower)
	}
	if heard.Frames == 0 {
		r.Failures = append(r.Failures, label+": nothing was heard")
	}
	if saw.Frames == 0 {
		r.Failures = append(r.Failures, label+": nothing was seen")
	}
	add(key+".concealed", label+": sound concealed", heard.Share+share(heard.Withheld, heard.Frames), concealed)
	r.Add(key+".sound_gap_ms", label+": longest time without sound", ms(heard.Longest), report.Milliseconds, report.Lower)
	r.Add(key+".sound_buffer_ms", label+": the jitter buffer added", ms(heard.Delay), report.Milliseconds, report.Lower)
	add(key+".frozen", label+": picture frozen", saw.Share, frozen)
	r.Add(key+".freezes", label+": freezes", float64(saw.Freezes), report.Count, report.Lower)
	r.Add(key+".picture_gap_ms", label+": longest time between two frames", ms(saw.Longest), report.Milliseconds, report.Lower)
	r.Add(key+".height", label+": mean height of the picture, pixels", saw.Height, report.Count, report.Higher)
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// bursts loses everything for 200 ms every 5 s.
func bursts(ctx context.Context, q *quality) (report.Result, error) {
	const good, bad = 4800 * time.Millisecond, 200 * time.Millisecond
	s, err := q.openScene(ctx, 3)
	defer s.close()
	if err != nil {
		return report.Result{}, err
	}
	people, err := s.cast(ctx, []role{{talking(), far()}, {watching(), far()}, {talking(), far()}})
	if err != nil {
		return report.Result{}, err
	}
	if err := q.wait(ctx, "settling", settling); err != nil {
		return report.Result{}, err
	}
	steady := link.Config{Rules: link.Rules{Delay: trip / 2}}
	broken := link.Config{Repeat: true, Steps: []link.Step{{For: good, Rules: steady.Rules}, {For: bad, Rules: link.Rules{Delay: trip / 2, Loss: 1}}}}
	began := time.Now()
	people[1].access.Follow(broken, steady)
	people[2].access.Follow(steady, broken)
	rounds := max(int(q.cfg.Time/(good+bad)), 2)
	w, err := q.measured(ctx, time.Duration(rounds)*(good+bad)+time.Second)
	if err != nil {
		return report.Result{}, err
	}
	r := report.Result{Arrivals: fmt.Sprintf("%d bursts in each direction, at two people of one room", rounds)}
	for _, side := range []struct {
		key, label string
		at, of     *person
	}{{"down", "downlink", people[1], people[0]}, {"up", "uplink", people[0], people[2]}} {
		var back []float64
		for n := range rounds {
			over := began.Add(time.Duration(n+1) * (good + bad))
			live, ok := verdict.LiveAgain(side.at.Shown(side.of.source), over)
			if !ok {
				live = w.to
			}
			back = append(back, ms(live.Sub(over)))
		}
		r.AddGoal(side.key+".back_ms", side.label+": from the end of a burst to a picture taken after it, worst", slices.Max(back), report.Milliseconds, atMost(ms(trip)+100))
		r.Add(side.key+".back_median_ms", side.label+": the same, median", median(back), report.Milliseconds, report.Lower)
		senses(&r, side.key, side.label, side.at.heard(side.of, w), side.at.saw(side.of, w), 0, 0)
	}
	return r, nil
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
