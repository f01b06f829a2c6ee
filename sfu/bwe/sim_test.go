package bwe_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"

	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/sfu/bwe"
	"github.com/parleyrtc/parley/sfu/pacer"
)

const ms = time.Millisecond

var t0 = time.Unix(1000, 0)

// flow is one subscriber: frames that are as large as the estimate allows, sound, the pacer, the path, and a receiver's feedback.
type flow struct {
	t     testing.TB
	begin time.Duration
	want  func(at time.Duration) bwe.Rate // of the video; nil: as much as the target allows
	film  func(at time.Duration) []int    // sizes of the packets of each frame; nil: as want says

	timer    time.Duration // how coarse the pacer's timers are; 0 is 1 ms
	keyEvery time.Duration // a key frame, keySize times as large as others; 0 for none
	keySize  float64
	key      time.Duration

	leaves func(at time.Duration) time.Duration // when what is noted as sent is really put on the path; nil: at once
	honest bool                                 // the estimate is told when
	aboard []departure

	est    *bwe.Estimator
	pace   *pacer.Pacer[time.Time]
	random *rand.Rand
	out    []pacer.Release[time.Time]
	seq    int64
	frame  time.Duration
	sound  time.Duration

	pauses   time.Duration // the longest pause of the receiver's process; what arrives meanwhile counts as having come after it
	paused   time.Duration // until then
	recorder *twcc.Recorder
	every    time.Duration // between feedback
	told     time.Duration
	lose     float64 // share of feedback
	back     time.Duration
	heap     time.Duration // feedback comes only at multiples of this; 0 at any time
	drift    float64       // of the receiver's clock: seconds a second
	feedback []message

	samples []sample
	targets []bwe.Rate // every 10 ms
	states  []bwe.State
	probes  int
	padding int
}

type message struct {
	at  time.Duration
	raw []byte
}

// sample is one packet that was put on the path.
type sample struct {
	sent, took time.Duration // took: -1 when it was lost
	size       int
	video      bool
	padding    bool
	waited     time.Duration // in the pacer
}

// departure is a packet that has been noted and not yet left.
type departure struct {
	at     time.Duration
	seq    int64
	sample int // its number
}

// world is flows that share a path.
type world struct {
	path  *link.Link
	prop  time.Duration
	now   time.Duration
	flows []*flow
	way   []flight // by arrival
}

type flight struct {
	at   time.Duration
	flow *flow
	seq  int64
}

func newFlow(t testing.TB, seed uint64) *flow {
	f := &flow{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), recorder: twcc.NewRecorder(1), every: 50 * ms, seq: 0xFFF0,
	}
	f.est = bwe.New(t0, bwe.Config{})
	f.pace = pacer.New[time.Time](t0, f.est.Pacing(), pacer.Config{})
	return f
}

func newWorld(cfg link.Config, rtt time.Duration, flows ...*flow) *world {
	w := &world{path: link.New(t0, cfg), prop: rtt / 2, flows: flows}
	for _, f := range flows {
		f.back = rtt / 2
	}
	return w
}

// run goes on until a time since the beginning, in steps of one millisecond.
func (w *world) run(until time.Duration) *world {
	for ; w.now < until; w.now += ms {
		for _, f := range w.flows {
			if w.now >= f.begin {
				f.receive(w)
				w.depart(f)
				if w.now%max(f.timer, ms) == 0 {
					f.send(w)
				}
			}
		}
		w.land()
		for _, f := range w.flows {
			f.report(w.now)
			if w.now%(10*ms) == 0 {
				f.targets = append(f.targets, f.est.Target())
				f.states = append(f.states, f.est.State())
			}
		}
	}
	return w
}

// receive takes the feedback that has come, and asks the estimator when it wants to be asked.
func (f *flow) receive(w *world) {
	now := t0.Add(w.now)
	due := f.est.Deadline()
	if w.now > f.begin && (due.IsZero() || due.After(now)) && (len(f.feedback) == 0 || f.feedback[0].at > w.now) {
		return
	}
	told := len(f.feedback)
	for len(f.feedback) > 0 && f.feedback[0].at <= w.now {
		f.est.Feedback(now, f.feedback[0].raw)
		f.feedback = f.feedback[1:]
	}
	if len(f.feedback) < told {
		f.est.SetRTT(w.prop + f.back + f.est.State().Queue)
	}
	f.est.Tick(now)
	f.pace.SetRate(now, f.est.Pacing())
	if p, ok := f.est.Probe(now); ok {
		f.probes++
		f.pace.Probe(now, p)
	}
}

const (
	soundSize  = 120
	soundEvery = 20 * ms
	soundRate  = soundSize * 8 * 50
	frameEvery = 33 * ms
)

// send makes sound and frames, and puts on the path what the pacer lets go.
func (f *flow) send(w *world) {
	now := t0.Add(w.now)
	if w.now >= f.sound {
		f.sound = w.now + soundEvery
		f.pace.Push(now, pacer.Packet[time.Time]{Item: now, Class: pacer.Audio, Size: soundSize})
	}
	if f.film != nil && w.now >= f.frame {
		f.frame = w.now + frameEvery
		for _, size := range f.film(w.now) {
			f.pace.Push(now, pacer.Packet[time.Time]{Item: now, Class: pacer.Video, Size: size})
		}
	}
	if f.film == nil && w.now >= f.frame {
		f.frame = w.now + frameEvery
		rate := max(f.est.Target()-soundRate, 0)
		if f.want != nil {
			want := f.want(w.now)
			rate = min(rate, want)
		}
		size := float64(rate) * frameEvery.Seconds() / 8 * (0.8 + 0.4*f.random.Float64())
		if f.keyEvery > 0 { // the others are smaller, so that the rate is what it would be
			size /= 1 + f.keySize*frameEvery.Seconds()/f.keyEvery.Seconds()
			if w.now >= f.key {
				f.key = w.now + f.keyEvery
				size *= f.keySize
			}
		}
		bytes := int(size)
		for ; bytes > 0; bytes -= 1200 {
			f.pace.Push(now, pacer.Packet[time.Time]{Item: now, Class: pacer.Video, Size: max(60, min(bytes, 1200))})
		}
	}
	if d := f.pace.Deadline(); d.IsZero() || d.After(now) {
		return
	}
	f.out = f.pace.Due(now, f.out[:0])
	for _, r := range f.out {
		w.put(f, r)
	}
}

func (w *world) put(f *flow, r pacer.Release[time.Time]) {
	now := t0.Add(w.now)
	s := sample{sent: w.now, took: -1, size: r.Size, video: r.Class == pacer.Video, padding: r.Class == pacer.Padding}
	if r.Class == pacer.Padding {
		f.padding += r.Size
	} else {
		s.waited = now.Sub(r.Item)
	}
	d := departure{at: w.now, seq: f.seq, sample: len(f.samples)}
	if f.leaves != nil {
		d.at = f.leaves(w.now)
	}
	f.est.Sent(now, f.seq, r.Size, r.Cluster)
	f.seq++
	f.samples = append(f.samples, s)
	f.aboard = append(f.aboard, d)
	w.depart(f)
}

// depart puts on the path what leaves now.
func (w *world) depart(f *flow) {
	now, n := t0.Add(w.now), 0
	for ; n < len(f.aboard) && f.aboard[n].at <= w.now; n++ {
		d := f.aboard[n]
		if f.honest {
			f.est.Left(d.seq, d.seq+1, now)
		}
		for _, arrival := range w.path.Put(now, f.samples[d.sample].size) {
			f.samples[d.sample].took = arrival.At.Sub(now)
			a := flight{at: arrival.At.Sub(t0) + w.prop, flow: f, seq: d.seq}
			i := len(w.way)
			for i > 0 && w.way[i-1].at > a.at {
				i--
			}
			w.way = slices.Insert(w.way, i, a)
		}
	}
	f.aboard = f.aboard[:copy(f.aboard, f.aboard[n:])]
}

// land gives receivers what has arrived.
func (w *world) land() {
	n, kept := 0, 0
	for ; n < len(w.way) && w.way[n].at <= w.now; n++ {
		a := w.way[n]
		if a.flow.pause(w.now) {
			w.way[kept] = a
			kept++
			continue
		}
		a.flow.recorder.Record(2, uint16(a.seq), a.flow.clock(max(a.at, a.flow.paused)).Microseconds())
	}
	w.way = w.way[:kept+copy(w.way[kept:], w.way[n:])]
}

// clock is what the receiver's clock shows.
func (f *flow) clock(at time.Duration) time.Duration {
	return at + time.Duration(f.drift*float64(at)) + 977*time.Hour
}

// pause says whether the receiver's process is not running.
func (f *flow) pause(now time.Duration) bool {
	if f.pauses > 0 && now >= f.paused && f.random.IntN(50) == 0 {
		f.paused = now + time.Duration(f.random.Int64N(int64(f.pauses)))
	}
	return now < f.paused
}

// report sends feedback when it is time.
func (f *flow) report(now time.Duration) {
	if now < f.told+f.every {
		return
	}
	f.told = now
	for _, p := range f.recorder.BuildFeedbackPacket() {
		raw, err := p.Marshal()
		if err != nil {
			f.t.Fatal(err)
		}
		if f.random.Float64() >= f.lose {
			at := now + f.back
			if f.heap > 0 {
				at = (at + f.heap - 1) / f.heap * f.heap
			}
			f.feedback = append(f.feedback, message{at, raw})
		}
	}
}
