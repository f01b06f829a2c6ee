package speaker

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const (
	ms   = time.Millisecond
	tick = 20 * ms
)

var t0 = time.Unix(1000, 0)

// person is a microphone in a story. What it hears is made of a seed: syllables with dips between them, and pauses for breath.
type person struct {
	v       *Voice
	r       *rand.Rand
	speaks  bool
	dtx     bool
	bare    bool // no levels
	level   int  // -dBov of its speech
	noise   int  // and of its room
	left    int  // packets of the present syllable or pause
	pause   bool
	sent    int // loud packets, and how many of them were forwarded
	through int
}

type scene struct {
	t      *testing.T
	s      *Stage
	now    time.Time
	people []*person

	last     uint64 // the speaker, and how often it changed
	switches int
}

func newScene(t *testing.T, people, places int) *scene { return newSeeded(t, people, places, 1) }

func newSeeded(t *testing.T, people, places int, seed uint64) *scene {
	c := &scene{t: t, s: New(places), now: t0}
	for i := range people {
		c.people = append(c.people, &person{v: c.s.Join(c.now, uint64(i)), r: rand.New(rand.NewPCG(seed, uint64(i))), level: 28, noise: 75})
	}
	return c
}

// next is a person's next packet; false when DTX sends none.
func (p *person) next() (Sound, bool) {
	if p.left--; p.left < 0 {
		p.pause = !p.pause
		p.left = 4 + p.r.IntN(12) // a syllable or two
		if p.pause {
			p.left = 1 + p.r.IntN(5)
			if p.r.IntN(8) == 0 {
				p.left = 15 + p.r.IntN(20) // a breath
			}
		}
	}
	if p.speaks && !p.pause {
		return Sound{Level: uint8(p.level + p.r.IntN(10) - 5), HasLevel: !p.bare, Size: 70 + p.r.IntN(50)}, true
	}
	if p.dtx && !p.speaks {
		return Sound{Level: 127, HasLevel: !p.bare, Size: 1}, p.r.IntN(20) == 0
	}
	return Sound{Level: uint8(p.noise + p.r.IntN(6)), HasLevel: !p.bare, Size: 20 + p.r.IntN(10)}, true
}

// pass lets some time go by.
func (c *scene) pass(d time.Duration) {
	for end := c.now.Add(d); c.now.Before(end); c.now = c.now.Add(tick) {
		for _, p := range c.people {
			sound, ok := p.next()
			if !ok {
				continue
			}
			forwarded := c.s.Heard(c.now, p.v, sound)
			if id, ok := c.s.Speaker(); ok && id != c.last {
				c.last = id
				c.switches++
			}
			if p.speaks && !p.pause {
				p.sent++
				if forwarded {
					p.through++
				}
			}
		}
	}
}

// speak makes exactly these people speak.
func (c *scene) speak(who ...int) {
	for i, p := range c.people {
		p.speaks = slices.Contains(who, i)
		p.sent, p.through = 0, 0
		if p.speaks {
			p.pause, p.left = true, 0 // It begins with the next packet.
		}
	}
}

func (c *scene) heard(who ...int) {
	c.t.Helper()
	for _, i := range who {
		if p := c.people[i]; p.sent == 0 || p.through != p.sent {
			c.t.Fatalf("%v: %d of %d packets of %d were forwarded", c.now.Sub(t0), p.through, p.sent, i)
		}
	}
}

func (c *scene) speaker(want int) {
	c.t.Helper()
	if id, ok := c.s.Speaker(); !ok || id != uint64(want) {
		c.t.Fatalf("%v: %d speaks (%v), want %d", c.now.Sub(t0), id, ok, want)
	}
}

func TestAFewAreAllHeardWhateverTheySay(t *testing.T) {
	c := newScene(t, 4, 0)
	c.pass(time.Second)
	if got := c.s.Voices(nil); !slices.Equal(got, []uint64{0, 1, 2, 3}) {
		t.Fatalf("%v", got)
	}
	fifth := c.s.Join(c.now, 4)
	if got := c.s.Voices(nil); len(got) != 3 {
		t.Fatalf("five people, %v on the stage", got)
	}
	c.s.Leave(c.now, fifth)
	if got := c.s.Voices(nil); len(got) != 4 {
		t.Fatalf("%v", got)
	}
	c.s.Leave(c.now, fifth) // Twice does no harm.
}

func TestANewcomerIsHeardFromTheFirstSyllableOn(t *testing.T) {
	for _, dtx := range []bool{false, true} {
		c := newScene(t, 20, 3)
		for _, p := range c.people {
			p.dtx = dtx
		}
		c.pass(10 * time.Second)
		for round := range 60 {
			who := round * 7 % 20
			c.speak(who)
			c.pass(time.Duration(3+2*(round%3)) * time.Second / 2)
			c.heard(who)
			c.speaker(who)
			if on := c.s.Voices(nil); len(on) > 3 {
				t.Fatalf("%v on the stage", on)
			}
			c.speak()
			c.pass(500 * ms)
		}
	}
}

func TestThreeInterruptEachOtherWithoutALoss(t *testing.T) {
	c := newScene(t, 12, 3)
	c.pass(10 * time.Second)
	c.speak(1, 4, 7)
	c.pass(20 * time.Second)
	c.heard(1, 4, 7)
	before := c.s.Voices(nil)
	c.speak(1, 4, 7, 9)
	for _, p := range c.people {
		p.level = 28
	}
	c.pass(10 * time.Second)
	if len(c.s.Voices(nil)) != 3 || len(before) != 3 {
		t.Fatalf("%v", c.s.Voices(nil))
	}
}

// shares lets three people contend for two places, many times, and returns what part of the third one's speech and of the
// others' was forwarded.
func shares(t *testing.T, others, third int) (of, ofOthers float64) {
	var sent, through [2]int
	for seed := range uint64(20) {
		c := newSeeded(t, 6, 2, seed)
		c.pass(10 * time.Second)
		c.people[0].level, c.people[1].level, c.people[2].level = others, others, third
		c.speak(0, 1)
		c.pass(3 * time.Second)
		c.speak(0, 1, 2)
		c.pass(10 * time.Second)
		for i, p := range c.people[:3] {
			sent[i/2] += p.sent
			through[i/2] += p.through
		}
	}
	return float64(through[1]) / float64(sent[1]), float64(through[0]) / float64(sent[0])
}

func TestSomebodyMuchLouderTakesThePlaceOfTheLeast(t *testing.T) {
	if loud, others := shares(t, 50, 28); loud < 1.2*others {
		t.Errorf("%.2f of the loud one, %.2f of the others", loud, others)
	}
}

func TestShoutingWinsNothing(t *testing.T) {
	if loud, others := shares(t, 28, 6); loud > 1.1*others {
		t.Errorf("%.2f of the one who shouts, %.2f of the others", loud, others)
	}
}

func TestAClientThatAlwaysSaysItIsLoudestIsHeardOnlyAtFirst(t *testing.T) {
	for name, liar := range map[string]Sound{
		"0 dBov":          {Level: 0, HasLevel: true, Size: 100},
		"a loud fan":      {Level: 35, HasLevel: true, Size: 100},
		"empty payloads":  {Level: 0, HasLevel: true, Size: 3},
		"constant, plain": {Size: 160},
	} {
		c := newScene(t, 10, 3)
		v := c.s.Join(c.now, 99)
		lie := func(d time.Duration) {
			for end := c.now.Add(d); c.now.Before(end); {
				c.s.Heard(c.now, v, liar)
				c.pass(tick)
			}
		}
		lie(10 * time.Second)
		c.speak(0, 1, 2)
		lie(3 * time.Second)
		if slices.Contains(c.s.Voices(nil), 99) {
			t.Errorf("%s: still on the stage: %v", name, c.s.Voices(nil))
		}
		c.heard(0, 1, 2)
		c.speak()
		lie(500 * ms)
		c.speak(3)
		lie(2 * time.Second)
		c.heard(3)
		c.speaker(3)
		if slices.Contains(c.s.Voices(nil), 99) {
			t.Errorf("%s: back on the stage", name)
		}
	}
}

func TestWithoutLevelsSizesTell(t *testing.T) {
	c := newScene(t, 8, 3)
	for _, p := range c.people {
		p.bare = true
	}
	c.pass(10 * time.Second)
	c.speak(6)
	c.pass(2 * time.Second)
	c.heard(6)
	c.speaker(6)
}

func TestAMutedMicrophoneNeedsNoPlace(t *testing.T) {
	c := newScene(t, 6, 2)
	c.pass(10 * time.Second)
	c.speak(0)
	c.pass(time.Second)
	for i := range 3 {
		c.s.SetMuted(c.now, c.people[i].v, true)
	}
	if got := c.s.Voices(nil); !slices.Equal(got, []uint64{3, 4, 5}) {
		t.Errorf("%v", got)
	}
	if c.s.Heard(c.now, c.people[0].v, Sound{Level: 10, HasLevel: true, Size: 100}) {
		t.Error("a muted one is forwarded")
	}
	c.s.SetMuted(c.now, c.people[0].v, false)
	c.s.SetMuted(c.now, c.people[0].v, false)
	if got := c.s.Voices(nil); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

func FuzzStage(f *testing.F) {
	f.Add([]byte{1, 20, 30, 100, 2, 20, 0, 100, 3, 20, 127, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := New(2)
		now := t0
		var voices []*Voice
		for i := range uint64(6) {
			voices = append(voices, s.Join(now, i))
		}
		for ; len(b) >= 4; b = b[4:] {
			now = now.Add(time.Duration(int8(b[1])) * 10 * ms) // Clocks that step back, too.
			v := voices[int(b[0])%len(voices)]
			switch b[0] >> 4 {
			case 0:
				s.SetMuted(now, v, b[2]&1 != 0)
			case 1:
				s.Leave(now, v)
			default:
				s.Heard(now, v, Sound{Level: b[2], HasLevel: b[0]&0x80 != 0, Size: int(b[3])})
			}
			limit := 2
			if s.everybody() {
				limit = 3
			}
			if on := s.Voices(nil); len(on) > limit {
				t.Fatalf("%v on the stage", on)
			}
			s.Speaker()
		}
	})
}

func BenchmarkHeard(b *testing.B) {
	c := newScene(nil, 20, 3)
	c.speak(1, 2, 3, 4)
	c.pass(time.Second)
	i := 0
	for b.Loop() {
		c.now = c.now.Add(ms)
		c.s.Heard(c.now, c.people[i%20].v, Sound{Level: uint8(30 + i%7), HasLevel: true, Size: 80})
		i++
	}
}
