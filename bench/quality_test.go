package bench

import (
	"context"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/bench/witness"
)

// These are the rows of the quality scenario in short, and without a clock: what arrives with a mechanism is held against what
// arrives without it, in the same room and over networks with the same rules.

// stageFor opens a call of so many people on a server of its own.
func stageFor(t *testing.T, people int) *scene {
	t.Helper()
	target := testServer(t, QualityEnv()...)
	server, err := target.ports()
	if err != nil {
		t.Fatal(err)
	}
	q := &quality{target: target, server: server, cfg: QualityConfig{Seed: 1}}
	s, err := q.openScene(context.Background(), people)
	t.Cleanup(s.close)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *scene) mustEnter(t *testing.T, cfg witness.Config, rules ...link.Rules) *person {
	t.Helper()
	network := far()
	if len(rules) > 0 {
		network = worse(rules[0], link.Rules{})
	}
	p, err := s.enter(context.Background(), cfg, network)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// until waits for something that must come, however slow the machine is.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came about: %s", what)
		}
	}
}

// pass lets n frames of sound of a person pass, and those after them that their repair takes.
func pass(t *testing.T, of *person, n int) window {
	t.Helper()
	w := window{from: time.Now()}
	until(t, "sound is sent", func() bool { return of.Said(w.from, time.Now()) >= n })
	w.to = time.Now()
	until(t, "a second more", func() bool { return of.Said(w.to, time.Now()) >= 50 })
	return w
}

// came is the share of what somebody said in a time that arrived at somebody else at all.
func came(at, of *person, w window) float64 {
	return 1 - notHeard(at, of, w.from, w.to).Seconds()/(float64(of.Said(w.from, w.to))*0.02)
}

// pictures is how many frames of a time were shown.
func pictures(at, of *person, w window) (n int) {
	for _, s := range at.Shown(of.source) {
		if !s.Captured.Before(w.from) && s.Captured.Before(w.to) {
			n++
		}
	}
	return n
}

func TestQualityLossIsRepaired(t *testing.T) {
	s := stageFor(t, 4)
	loss := link.Rules{Loss: 0.2}
	// Without congestion control, which has its own mind about loss, and about a slow machine.
	repairing, bare := watching(), watching()
	repairing.NoFeedback, bare.NoFeedback = true, true
	bare.NoNACK, bare.NoRED = true, true
	camera, whole := s.mustEnter(t, talking()), s.mustEnter(t, watching())
	with, without := s.mustEnter(t, repairing, loss), s.mustEnter(t, bare, loss)
	until(t, "all see the camera", func() bool {
		return len(whole.Shown(1)) > 0 && len(with.Shown(1)) > 0 && len(with.Sounds(1)) > 0 && len(without.Sounds(1)) > 0
	})
	w := pass(t, camera, 200)
	if on, off := 1-came(with, camera, w), 1-came(without, camera, w); on > off/4 {
		t.Errorf("of 20 %% lost, %.1f %% of the sound never came with NACK, and %.1f %% without", 100*on, 100*off)
	}
	if on, off, all := pictures(with, camera, w), pictures(without, camera, w), pictures(whole, camera, w); on <= off || on < all/2 {
		t.Errorf("of %d frames %d were shown with RTX and %d without", all, on, off)
	}
}

// The same of what publishers send: the server asks for it again, and takes sounds out of copies.
func TestQualityLossOfAnUplinkIsRepaired(t *testing.T) {
	s := stageFor(t, 3)
	bare, watcher := talking(), watching()
	bare.NoNACK, bare.NoRED = true, true
	watcher.NoFeedback = true // see above
	var publishers []*person
	for _, cfg := range []witness.Config{talking(), bare} {
		p, err := s.enter(context.Background(), cfg, worse(link.Rules{}, link.Rules{Loss: 0.2}))
		if err != nil {
			t.Fatal(err)
		}
		publishers = append(publishers, p)
	}
	repaired, not := publishers[0], publishers[1]
	at := s.mustEnter(t, watcher)
	until(t, "both are heard, and one is seen", func() bool { return len(at.Shown(1)) > 0 && len(at.Sounds(1)) > 0 && len(at.Sounds(2)) > 0 })
	w := pass(t, repaired, 200)
	if on, off := 1-came(at, repaired, w), 1-came(at, not, w); on > off/4 {
		t.Errorf("of 20 %% lost, %.1f %% of the sound never came with NACK and copies, and %.1f %% without", 100*on, 100*off)
	}
	if on, off := pictures(at, repaired, w), pictures(at, not, w); on <= off {
		t.Errorf("%d frames were shown with RTX and %d without", on, off)
	}
}

func TestQualityAnEstimateKeepsTheQueueEmpty(t *testing.T) {
	s := stageFor(t, 3)
	narrow := link.Rules{Rate: 700_000, Queue: 300 * time.Millisecond}
	blind := watching()
	blind.NoFeedback = true
	camera := s.mustEnter(t, talking())
	with, without := s.mustEnter(t, watching(), narrow), s.mustEnter(t, blind, narrow)
	until(t, "sound is heard", func() bool { return len(with.Sounds(1)) > 100 && len(without.Sounds(1)) > 0 })
	w := pass(t, camera, 300)
	dropped := func(p *person) float64 {
		_, trace := p.access.Media().Trace()
		l := look(trace, w)
		return share(l.dropped, l.packets)
	}
	if on, off := dropped(with), dropped(without); on > off/4 {
		t.Errorf("the queue of 700 kbit/s dropped %.1f %% with congestion control, and %.1f %% without", 100*on, 100*off)
	}
	if pictures(with, camera, w) == 0 {
		t.Error("there was no picture, and 700 kbit/s have room for one")
	}
}

func TestQualityOneWithAPoorNetworkIsNotNoticedByTheOther(t *testing.T) {
	s := stageFor(t, 3)
	unhurried := watching() // a slow machine looks like a slow network to congestion control
	unhurried.NoFeedback = true
	camera, good := s.mustEnter(t, talking()), s.mustEnter(t, unhurried)
	s.mustEnter(t, watching(), link.Rules{Rate: 300_000, Queue: 300 * time.Millisecond})
	full := witness.Simulcast[len(witness.Simulcast)-1].Height
	until(t, "the good one sees the full size", func() bool {
		shown := good.Shown(camera.source)
		return len(shown) > 0 && int(shown[len(shown)-1].Height) == full
	})
	w := pass(t, camera, 200)
	if missing, small := missed(good.Shown(camera.source), w); missing > 0 || small > 0 {
		t.Errorf("%d frames are missing and %d are small", missing, small)
	}
}

func TestQualityTenNewcomersAskForFewKeyframes(t *testing.T) {
	s := stageFor(t, 12)
	camera, first := s.mustEnter(t, talking()), s.mustEnter(t, watching())
	until(t, "somebody watches", func() bool { return len(first.Shown(1)) > 30 })
	before := camera.Tally().Asked
	if _, err := s.rush(context.Background(), 10); err != nil {
		t.Fatal(err)
	}
	for i, p := range s.people[2:] {
		if len(p.Shown(1)) == 0 {
			t.Errorf("newcomer %d sees nothing", i)
		}
	}
	if asked := camera.Tally().Asked - before; asked > 2*len(witness.Simulcast) {
		t.Errorf("%d keyframes were asked of the camera", asked)
	}
}

func TestQualityOnlyTheLoudestAreForwarded(t *testing.T) {
	const people = 8
	s := stageFor(t, people)
	for i := range people {
		s.mustEnter(t, witness.Config{Microphone: true, Pairs: people - 1, Speaks: func(time.Time) bool { return i == 0 }})
	}
	listener, speaker := s.people[people-1], s.people[0]
	until(t, "the speaker is heard", func() bool { return len(listener.Sounds(speaker.source)) > 100 })
	w := pass(t, speaker, 100)
	if c := came(listener, speaker, w); c < 0.99 {
		t.Errorf("%.1f %% of what the speaker said came", 100*c)
	}
	all := 0.0
	for _, p := range s.people[:people-1] {
		all += came(listener, p, w)
	}
	if all > stageSize+0.1 {
		t.Errorf("%.2f streams of %d came, want %d", all, people-1, stageSize)
	}
}

func TestQualityARebindingLosesNoPicture(t *testing.T) {
	s := stageFor(t, 2)
	unhurried := talking() // a slow machine looks like a slow network to congestion control
	unhurried.NoFeedback = true
	other, client := s.mustEnter(t, unhurried), s.mustEnter(t, unhurried)
	until(t, "both see each other", func() bool { return len(other.Shown(2)) > 30 && len(client.Shown(1)) > 30 })
	if err := client.access.Rebind(); err != nil {
		t.Fatal(err)
	}
	w := pass(t, other, 50)
	for _, side := range []struct{ at, of *person }{{client, other}, {other, client}} {
		if n := pictures(side.at, side.of, w); n < 20 {
			t.Errorf("of the 30 frames that %s took in the second after the rebinding, %d were shown", s.uids[side.of.source-1], n)
		}
	}
}

// Who comes to a picture that somebody watches sees at first what was taken before they asked to join.
func TestQualityANewcomerSeesWhatWasThereBefore(t *testing.T) {
	const newcomers = 4 // on a slow machine joining may take the two seconds that a keyframe is of use
	s := stageFor(t, 2+newcomers)
	camera, first := s.mustEnter(t, talking()), s.mustEnter(t, watching())
	until(t, "somebody watches", func() bool { return len(first.Shown(1)) > 5 })
	for range newcomers {
		p := s.mustEnter(t, watching())
		until(t, "the newcomer sees something", func() bool { return len(p.Shown(1)) > 0 })
		shown := p.Shown(camera.source)[0]
		if shown.Captured.Before(p.asked) {
			return
		}
		t.Logf("the first picture was taken %v after the newcomer asked to join", shown.Captured.Sub(p.asked))
	}
	t.Errorf("none of %d newcomers saw first what was there before", newcomers)
}
