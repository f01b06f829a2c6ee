package bwe_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/parleyrtc/parley/sfu/budget"
	"github.com/parleyrtc/parley/sfu/bwe"
)

const (
	cameraFPS    = 30
	cameraFull   = 1160 // bytes of picture in a full packet
	cameraHeader = 68   // of headers
	cameraKey    = 5    // times an ordinary frame is a key frame
)

// encodings are the rates that a camera sends at once, each in three temporal layers of 40, 20 and 40 % of it.
type encodings []bwe.Rate

var (
	ordinary = encodings{150_000, 500_000, 1_500_000}
	large    = encodings{400_000, 1_500_000, 3_500_000}
)

var (
	temporalPattern = [...]int{0, 2, 1, 2}
	temporalSizes   = [...]float64{1.6, 0.8, 0.8}
	temporalRates   = [...]float64{0.4, 0.6, 1} // with those below
)

// camera is one picture that the subscriber is sent.
type camera struct {
	granted int     // three choices for each encoding, from the least; -1 when it is paused
	sent    int     // the encoding whose frames leave; -1 when none do
	debt    float64 // bytes that the last key frame took beyond the rate
}

// film is cameras of which the subscriber gets the layers that the budget grants, shared when and as sfu does.
type film struct {
	f         *flow
	of        encodings
	cameras   []camera
	allocator *budget.Allocator
	random    *rand.Rand
	counted   time.Duration // since when
	at        time.Duration // of the last sharing
	shared    bwe.Rate
	frame     int

	switches int           // of a layer or an encoding
	paused   time.Duration // of all cameras
}

func newFilm(f *flow, seed uint64, cameras int, of encodings) *film {
	m := &film{f: f, of: of, allocator: budget.New(), random: rand.New(rand.NewPCG(seed, 7)), counted: 10 * second}
	for range cameras {
		m.cameras = append(m.cameras, camera{granted: -1, sent: -1})
	}
	f.film = m.next
	return m
}

// share has the budget choose, by rates that are measured a percent off.
func (m *film) share(now time.Duration) {
	m.at, m.shared = now, m.f.est.Sustained()
	asked := []budget.Subscription{{Class: budget.Audio, Choices: []budget.Choice{{Rate: soundRate}}}}
	for i := range m.cameras {
		s := budget.Subscription{ID: uint64(i + 1), Class: budget.Rest}
		for e, rate := range m.of {
			for t, part := range temporalRates {
				measured, fps := float64(rate)*part*(0.99+0.02*m.random.Float64()), cameraFPS/float64(int(4)>>t)
				packets := fps/2 + measured/8/1100
				s.Choices = append(s.Choices, budget.Choice{
					Rate: budget.Rate(measured + packets*8*cameraHeader), Width: 320 << e, Height: 180 << e, FrameRate: fps,
				})
			}
		}
		asked = append(asked, s)
	}
	plan := m.allocator.Allocate(t0.Add(now), budget.Rate(m.shared), asked)
	m.f.est.SetWant(bwe.Rate(1.1 * float64(plan.Wanted)))
	for i := range m.cameras {
		c := &m.cameras[i]
		if g := plan.Grants[i+1].Choice; g != c.granted {
			c.granted = g
			if now > m.counted {
				m.switches++
			}
		}
	}
}

// next makes a frame of each camera: the sizes of its packets.
func (m *film) next(now time.Duration) (sizes []int) {
	moved := float64(m.f.est.Sustained()-m.shared) / float64(m.shared)
	if now >= m.at+second || now >= m.at+200*ms && (moved > 0.05 || moved < -0.05) {
		m.share(now)
	}
	m.frame++
	for i := range m.cameras {
		c := &m.cameras[i]
		if c.granted < 0 {
			c.sent = -1
			if now > m.counted {
				m.paused += frameEvery
			}
			continue
		}
		usual := float64(m.of[c.granted/3]) / 8 / cameraFPS
		layer := temporalPattern[(m.frame+i)%4]
		size := usual * temporalSizes[layer] * (0.8 + 0.4*m.random.Float64())
		switch {
		case c.sent != c.granted/3:
			c.sent, size, c.debt = c.granted/3, usual*cameraKey, usual*(cameraKey-1)
		case layer > c.granted%3:
			continue
		}
		repaid := min(c.debt, size*0.15)
		c.debt -= repaid
		n := int(size-repaid)/cameraFull + 1
		for range n {
			sizes = append(sizes, int(size-repaid)/n+cameraHeader)
		}
	}
	return sizes
}

// Layers are steps, and the estimate wavers between them; a link is used all the same, and what is shown does not flicker: the budget follows
// what the link has been seen to carry, not how the target probes and dips.
func TestPicturesUseASteadyLink(t *testing.T) {
	t.Parallel()
	var switches [2]int
	var paused [2]time.Duration
	for seed := range seeds() {
		for _, c := range []struct {
			rate    int64
			cameras int
			of      encodings
		}{{300_000, 3, ordinary}, {1_000_000, 3, ordinary}, {2_500_000, 3, ordinary}, {10_000_000, 4, large}} {
			run := func(off func(*bwe.Estimator)) (*flow, *film) {
				f := newFlow(t, seed)
				off(f.est)
				m := newFilm(f, seed, c.cameras, c.of)
				newWorld(steady(c.rate), 50*ms, f).run(70 * second)
				return f, m
			}
			f, m := run(func(*bwe.Estimator) {})
			without, flicker := run(func(e *bwe.Estimator) { e.Without(bwe.Sustain) })
			used, lost := f.used(10*second, 70*second)/float64(c.rate), f.lost(10*second, 70*second)
			t.Logf("%d k, seed %d: used %.1f %%, %d switches, paused %v, %s", c.rate/1000, seed, 100*used, m.switches, m.paused, f.line(10*second, 70*second))
			t.Logf("  by the target: used %.1f %%, %d switches, paused %v", 100*without.used(10*second, 70*second)/float64(c.rate), flicker.switches, flicker.paused)
			if used < 0.85 || lost > 0.01 || f.delay(10*second, 70*second, 0.95) > 150*ms {
				t.Error("not within bounds")
			}
			switches[0] += m.switches
			switches[1] += flicker.switches
			paused[0] += m.paused
			paused[1] += flicker.paused
		}
	}
	if 3*switches[0] > switches[1] || paused[0] > paused[1] {
		t.Errorf("%d switches and %v paused, by the target %d and %v", switches[0], paused[0], switches[1], paused[1])
	}
}

// Pictures of several layers follow a step of the rate like anything else. What the pacer has kept back while the queue was emptied does
// not fill it again.
func TestPicturesFollowAStep(t *testing.T) {
	t.Parallel()
	var queued [2]time.Duration
	for seed := range seeds() {
		run := func(off func(*bwe.Estimator)) (*flow, *film) {
			f := newFlow(t, seed)
			off(f.est)
			m := newFilm(f, seed, 3, ordinary)
			newWorld(changing(seed), 50*ms, f).run(72 * second)
			return f, m
		}
		f, m := run(func(*bwe.Estimator) {})
		loose, _ := run(func(e *bwe.Estimator) { e.Without(bwe.Tight) })
		for _, down := range []time.Duration{20 * second, 50 * second} {
			up := down + 10*second
			below, again := down, up
			for below < up && f.offered(below, below+500*ms) > 1_000_000 {
				below += 100 * ms
			}
			for again < up+10*second && f.carried(again, again+second) < 0.8*4_000_000 {
				again += 100 * ms
			}
			delay := f.delay(down+3*second, up, 0.95)
			queued[0] += delay
			queued[1] += loose.delay(down+3*second, up, 0.95)
			t.Logf("seed %d: below after %v, then queue p95 %v, used %.0f k; again after %v; pacer p95 %v", seed, below-down, delay,
				f.used(down+3*second, up)/1000, again-up, f.waited(down, up, 0.95))
			if below-down > 2*second || delay > 150*ms || again-up > 8*second || f.used(down+3*second, up) < 850_000 {
				t.Error("not within bounds")
			}
		}
		if m.switches > 60 || m.paused > 0 {
			t.Errorf("%d switches, paused %v", m.switches, m.paused)
		}
	}
	if queued[1] < 2*queued[0] {
		t.Errorf("queues of %v, where what had waited may fill them %v", queued[0], queued[1])
	}
}

// A receiver whose process pauses for up to 60 ms again and again, or that sits behind a radio that lets packets through in heaps, makes
// probes look as if the path carried more than it does. One such result is not believed.
func TestPicturesForAPausingReceiver(t *testing.T) {
	t.Parallel()
	var queued [2]time.Duration
	for seed := range seeds() {
		for _, rate := range []int64{500_000, 1_000_000, 1_500_000} {
			run := func(off func(*bwe.Estimator)) (*flow, *film) {
				f := newFlow(t, seed)
				f.pauses = 60 * ms
				off(f.est)
				m := newFilm(f, seed, 3, ordinary)
				newWorld(steady(rate), 50*ms, f).run(70 * second)
				return f, m
			}
			f, m := run(func(*bwe.Estimator) {})
			trusting, _ := run(func(e *bwe.Estimator) { e.Without(bwe.Confirm) })
			delay := f.delay(10*second, 70*second, 0.95)
			queued[0] += delay
			queued[1] += trusting.delay(10*second, 70*second, 0.95)
			t.Logf("%d k, seed %d: used %.1f %%, %d switches, queue p95 %v, where one probe is enough %v", rate/1000, seed,
				100*f.used(10*second, 70*second)/float64(rate), m.switches, delay, trusting.delay(10*second, 70*second, 0.95))
			if f.used(10*second, 70*second) < 0.8*float64(rate) || f.lost(10*second, 70*second) > 0.01 || delay > 150*ms || m.switches > 40 {
				t.Error("not within bounds")
			}
		}
	}
	if 4*queued[0] > 3*queued[1] {
		t.Errorf("queues of %v, where one probe is enough %v", queued[0], queued[1])
	}
}
