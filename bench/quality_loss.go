package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/bench/report"
	"github.com/parleyrtc/parley/bench/verdict"
)

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
