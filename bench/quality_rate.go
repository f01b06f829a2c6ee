package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/parleyrtc/parley/bench/netlab"
	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/bench/report"
	"github.com/parleyrtc/parley/bench/witness"
)

// The network whose rate changes, after the pattern that Signal's load test calls periodic.
const (
	highRate, lowRate = 4_000_000, 1_000_000
	highFor, lowFor   = 20 * time.Second, 10 * time.Second
	linkQueue         = 300 * time.Millisecond
)

// steadyRate is a network of one rate and what there is to send over it.
type steadyRate struct {
	name, words string
	rate        int64
	cameras     int
	sizes       []witness.Size
}

// steadyRates all have more to send than fits, in sizes and frame rates of which combinations take 85 % of the link and more: by what
// their layers take with all headers 87 and 95 %, 87 and 92 %, 89, 93 and 97 %, and 90 % (the next one is beyond the link).
var steadyRates = []steadyRate{
	{"300k", "300 kbit/s", 300_000, 4, []witness.Size{{RID: "q", Height: 180, Rate: 100_000}, {RID: "h", Height: 360, Rate: 300_000}, {RID: "f", Height: 720, Rate: 1_000_000}}},
	{"1m", "1 Mbit/s", 1_000_000, 4, witness.Simulcast},
	{"2.5m", "2.5 Mbit/s", 2_500_000, 4, witness.Simulcast},
	{"10m", "10 Mbit/s", 10_000_000, 4, []witness.Size{{RID: "q", Height: 360, Rate: 400_000}, {RID: "h", Height: 720, Rate: 1_500_000}, {RID: "f", Height: 1080, Rate: 3_500_000}}},
}

// watch has somebody behind a network watch so many cameras, of whom one has a microphone.
func (s *scene) watch(ctx context.Context, cameras int, sizes []witness.Size, rules netlab.Rules) (*person, error) {
	roles := []role{}
	for i := range cameras {
		cfg := talking()
		cfg.Microphone, cfg.Camera = i == 0, sizes
		roles = append(roles, role{cfg, far()})
	}
	people, err := s.cast(ctx, append(roles, role{watching(), rules}))
	if err != nil {
		return nil, err
	}
	return people[cameras], nil
}

// steady measures a network of one rate.
func steady(of steadyRate) func(context.Context, *quality) (report.Result, error) {
	return func(ctx context.Context, q *quality) (report.Result, error) {
		s, err := q.openScene(ctx, of.cameras+1)
		defer s.close()
		if err != nil {
			return report.Result{}, err
		}
		watcher, err := s.watch(ctx, of.cameras, of.sizes, worse(link.Rules{Rate: of.rate, Queue: linkQueue}, link.Rules{}))
		if err != nil {
			return report.Result{}, err
		}
		began := time.Now()
		if err := q.wait(ctx, "settling", 10*time.Second); err != nil {
			return report.Result{}, err
		}
		before := watcher.Tally()
		w, err := q.measured(ctx, q.cfg.Time)
		if err != nil {
			return report.Result{}, err
		}
		got := watcher.Tally()
		_, trace := watcher.access.Media().Trace()
		l := look(trace, w)
		seconds := w.length().Seconds()
		r := report.Result{Arrivals: fmt.Sprintf("%d cameras of %s", of.cameras, sizesText(of.sizes))}
		r.AddGoal("used", "share of the link that carries something of use", 8*float64(got.Bytes-before.Bytes-got.Padding+before.Padding)/seconds/float64(of.rate), report.Fraction, atLeast(0.85))
		r.Add("probing", "share of the link that carries padding", 8*float64(got.Padding-before.Padding)/seconds/float64(of.rate), report.Fraction, report.Neither)
		r.AddGoal("lost", "packets that the full queue dropped", share(l.dropped, l.packets), report.Fraction, atMost(0.01))
		r.Add("queue_p95_ms", "queueing delay p95", ms(l.waited(0.95)), report.Milliseconds, report.Lower)
		frozen := 0.0
		for i := range of.cameras {
			frozen += watcher.saw(s.people[i], w).Share / float64(of.cameras)
		}
		heard := watcher.heard(s.people[0], w)
		r.Add("concealed", "sound concealed", heard.Share+share(heard.Withheld, heard.Frames), report.Fraction, report.Lower)
		r.Add("frozen", "pictures frozen or paused, mean of all cameras", frozen, report.Fraction, report.Lower)
		charts(&r, trace, began)
		return r, nil
	}
}

func sizesText(sizes []witness.Size) string {
	words := ""
	for i, s := range sizes {
		if i > 0 {
			words += " + "
		}
		words += report.Format(float64(s.Rate), report.BitsPerSecond)
	}
	return words
}

// steps measures a network whose rate falls and rises.
func steps(ctx context.Context, q *quality) (report.Result, error) {
	s, err := q.openScene(ctx, 4)
	defer s.close()
	if err != nil {
		return report.Result{}, err
	}
	watcher, err := s.watch(ctx, 3, witness.Simulcast, far())
	if err != nil {
		return report.Result{}, err
	}
	at := func(rate int64) link.Rules { return link.Rules{Rate: rate, Queue: linkQueue, Delay: trip / 2} }
	began := time.Now()
	watcher.access.Follow(link.Config{Repeat: true, Steps: []link.Step{{For: highFor, Rules: at(highRate)}, {For: lowFor, Rules: at(lowRate)}}},
		link.Config{Rules: link.Rules{Delay: trip / 2}})
	rounds := 2
	w, err := q.measured(ctx, time.Duration(rounds)*(highFor+lowFor)+highFor/2)
	if err != nil {
		return report.Result{}, err
	}
	_, trace := watcher.access.Media().Trace()
	var below, back []float64
	var queued []time.Duration
	for n := range rounds {
		down := began.Add(time.Duration(n)*(highFor+lowFor) + highFor)
		up := down.Add(lowFor)
		below = append(below, ms(firstTime(trace, down, up, 500*time.Millisecond, func(m moments) bool { return m.offered() <= lowRate })))
		back = append(back, ms(firstTime(trace, up, up.Add(highFor/2), time.Second, func(m moments) bool { return m.carried() >= 0.8*highRate })))
		queued = append(queued, look(trace, window{down.Add(3 * time.Second), up}).waits...)
	}
	r := report.Result{Arrivals: "3 cameras of " + sizesText(witness.Simulcast)}
	r.AddGoal("below_ms", "from the step down until less is sent than fits, worst", slices.Max(below), report.Milliseconds, atMost(2000))
	r.AddGoal("queue_p95_ms", "queueing delay p95 from 3 s after the step down", ms(quantile(queued, 0.95)), report.Milliseconds, atMost(150))
	r.AddGoal("back_ms", "from the step up until 80 % of 4 Mbit/s arrive, worst", slices.Max(back), report.Milliseconds, atMost(8000))
	l := look(trace, w)
	r.Add("lost", "packets that the full queue dropped", share(l.dropped, l.packets), report.Fraction, report.Lower)
	heard := watcher.heard(s.people[0], w)
	r.Add("concealed", "sound concealed", heard.Share+share(heard.Withheld, heard.Frames), report.Fraction, report.Lower)
	saw := watcher.saw(s.people[0], w)
	r.Add("frozen", "first picture frozen or paused", saw.Share, report.Fraction, report.Lower)
	charts(&r, trace, began)
	return r, nil
}

// moments are a piece of a trace.
type moments struct {
	trace  netlab.Trace
	length time.Duration
}

func (m moments) offered() float64 { return m.rate(func(one netlab.Moment) int { return one.Offered }) }
func (m moments) carried() float64 { return m.rate(func(one netlab.Moment) int { return one.Bytes }) }

func (m moments) rate(of func(netlab.Moment) int) float64 {
	sum := 0
	for _, one := range m.trace {
		sum += of(one)
	}
	return 8 * float64(sum) / m.length.Seconds()
}

// firstTime is how long after from some time of a trace, of that length, first is as wanted; all the time there is when none is.
func firstTime(trace netlab.Trace, from, to time.Time, length time.Duration, wanted func(moments) bool) time.Duration {
	for at := from; at.Add(length).Before(to); at = at.Add(100 * time.Millisecond) {
		if wanted(moments{between(trace, at, at.Add(length)), length}) {
			return at.Sub(from)
		}
	}
	return to.Sub(from)
}

// between is the part of a trace that began in a time.
func between(trace netlab.Trace, from, to time.Time) netlab.Trace {
	begin, _ := slices.BinarySearchFunc(trace, from, func(m netlab.Moment, at time.Time) int { return m.At.Compare(at) })
	end, _ := slices.BinarySearchFunc(trace, to, func(m netlab.Moment, at time.Time) int { return m.At.Compare(at) })
	return trace[begin:max(begin, end)]
}

// looked is what a link did in a window.
type looked struct {
	packets, dropped, bytes int
	waits                   []time.Duration // the longest of each 100 ms
}

func look(trace netlab.Trace, w window) looked {
	var l looked
	for _, m := range between(trace, w.from, w.to) {
		l.packets += m.Packets
		l.dropped += m.Dropped
		l.bytes += m.Bytes
		l.waits = append(l.waits, m.Waited)
	}
	return l
}

func (l looked) waited(share float64) time.Duration { return quantile(l.waits, share) }

func quantile(of []time.Duration, share float64) time.Duration {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// charts plots what a link did: capacity and rate, queueing, losses.
func charts(r *report.Result, trace netlab.Trace, began time.Time) {
	capacity, carried := report.Series{Name: "the link"}, report.Series{Name: "carried"}
	queued, dropped := report.Series{Name: "longest of 100 ms"}, report.Series{Name: "dropped in 500 ms"}
	if len(trace) == 0 {
		return
	}
	end := trace[len(trace)-1].At
	for at := began; at.Before(end); at = at.Add(500 * time.Millisecond) {
		part := between(trace, at, at.Add(500*time.Millisecond))
		if len(part) == 0 {
			continue
		}
		since := at.Sub(began)
		l := look(part, window{at, at.Add(time.Second)})
		capacity.Points = append(capacity.Points, report.Point{At: since, Value: float64(max(part[0].Rate, 0))})
		carried.Points = append(carried.Points, report.Point{At: since, Value: moments{part, 500 * time.Millisecond}.carried()})
		queued.Points = append(queued.Points, report.Point{At: since, Value: ms(slices.Max(l.waits))})
		dropped.Points = append(dropped.Points, report.Point{At: since, Value: float64(l.dropped)})
	}
	r.Charts = append(r.Charts, report.Chart{Name: "rate and capacity", Unit: report.BitsPerSecond, Series: []report.Series{capacity, carried}},
		report.Chart{Name: "queueing delay", Unit: report.Milliseconds, Series: []report.Series{queued}},
		report.Chart{Name: "packets that the queue dropped", Unit: report.Count, Series: []report.Series{dropped}})
}
