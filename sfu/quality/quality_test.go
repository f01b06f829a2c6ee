package quality

import (
	"bufio"
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

var t0 = time.Unix(1000, 0)

// TestTheTableOfThePackageIsTrue recomputes the rows of the package comment.
func TestTheTableOfThePackageIsTrue(t *testing.T) {
	f, err := os.Open("quality.go")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	row := regexp.MustCompile(`^//\s+RTT\s+(\d+) ms,\s+(no loss|(\d+) %)( FEC)?\s+(\d+)\s+([\d.]+)$`)
	rows := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		m := row.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		rows++
		rtt, _ := strconv.Atoi(m[1])
		loss, _ := strconv.Atoi(m[3])
		a := Audio{RTT: time.Duration(rtt) * ms, Loss: float64(loss) / 100}
		if m[4] != "" {
			a.Redundancy = 1
		}
		r, _ := strconv.Atoi(m[5])
		mos, _ := strconv.ParseFloat(m[6], 64)
		if math.Abs(a.R()-float64(r)) > 0.5 || math.Abs(MOS(a.R())-mos) > 0.05 {
			t.Errorf("%s: R %.1f, MOS %.2f", lines.Text(), a.R(), MOS(a.R()))
		}
	}
	if rows != 9 {
		t.Errorf("%d rows", rows)
	}
}

func TestDelayAsInG107(t *testing.T) {
	for delay, want := range map[time.Duration]float64{0: 0, 100 * ms: 0, 150 * ms: 0.15, 200 * ms: 3.0, 300 * ms: 14.8, 400 * ms: 24.1, 500 * ms: 30.6} {
		if got := delayImpairment(delay); math.Abs(got-want) > 0.1 {
			t.Errorf("%v takes %.2f, want %.2f", delay, got, want)
		}
	}
}

func TestTheCodecByBitrate(t *testing.T) {
	for rate, want := range map[int64]float64{0: 16.1, 6_000: 38.1, 14_000: 38.1, 15_000: 34.15, 16_000: 30.2, 32_500: 15.8, 40_000: 10.7, 510_000: 10.7} {
		if got := (&Audio{Rate: rate}).codec(); math.Abs(got-want) > 0.05 {
			t.Errorf("%d bit/s: %.2f, want %.2f", rate, got, want)
		}
	}
}

func TestWhatASoundSuffersFrom(t *testing.T) {
	for _, tt := range []struct {
		a    Audio
		want Cause
	}{
		{Audio{}, None},
		{Audio{Rate: 14_000}, None},
		{Audio{Loss: 0.05}, Loss},
		{Audio{Loss: 0.05, Redundancy: 2}, None},
		{Audio{Loss: 0.05, Redundancy: 2, Concealed: true}, Loss},
		{Audio{RTT: 400 * ms, FarRTT: 200 * ms}, Delay},
		{Audio{Jitter: 150 * ms}, Delay},
		{Audio{Buffer: 400 * ms}, Delay},
		{Audio{RTT: 600 * ms, Loss: 0.3}, Loss},
	} {
		if _, got := tt.a.rate(); got != tt.want {
			t.Errorf("%+v suffers from %v, want %v", tt.a, got, tt.want)
		}
	}
	single, bursts := Audio{Loss: 0.05, Burst: 1}, Audio{Loss: 0.05, Burst: 5}
	if single.R() <= bursts.R() {
		t.Error("bursts are no worse than single losses")
	}
}

func TestWhatAPictureSuffersFrom(t *testing.T) {
	good := Video{FrameRate: 30, WantedFrameRate: 30, Pixels: 640 * 360, WantedPixels: 640 * 360}
	for _, tt := range []struct {
		name   string
		change func(*Video)
		score  float64
		cause  Cause
	}{
		{"nothing", func(*Video) {}, 100, None},
		{"more than wanted", func(v *Video) { v.FrameRate, v.Pixels = 60, 1280*720 }, 100, None},
		{"nothing known", func(v *Video) { *v = Video{} }, 100, None},
		{"1 % frozen", func(v *Video) { v.Frozen = 0.01 }, 92, Freeze},
		{"5 % frozen", func(v *Video) { v.Frozen = 0.05 }, 67, Freeze},
		{"half the frames", func(v *Video) { v.FrameRate = 15 }, 90, FrameRate},
		{"a quarter of the frames", func(v *Video) { v.FrameRate = 7.5 }, 76, FrameRate},
		{"a quarter of the pixels", func(v *Video) { v.Pixels = 320 * 180 }, 74, Resolution},
		{"no frames at all", func(v *Video) { v.FrameRate = 0 }, 0, FrameRate},
		{"paused", func(v *Video) { v.Paused = true }, 0, Paused},
		{"no number", func(v *Video) { v.FrameRate = math.NaN() }, 0, FrameRate},
	} {
		v := good
		tt.change(&v)
		score, cause := v.rate()
		if math.Abs(score-tt.score) > 1 || cause != tt.cause || v.Score() != score {
			t.Errorf("%s: %.1f (%v), want %.0f (%v)", tt.name, score, cause, tt.score, tt.cause)
		}
	}
}

func TestSoundCountsMoreThanPictures(t *testing.T) {
	clear, broken := Audio{RTT: 20 * ms}, Audio{RTT: 20 * ms, Loss: 0.3}
	fine, gone := Video{}, Video{Paused: true, WantedPixels: 1}
	for _, tt := range []struct {
		name  string
		d     Direction
		grade Grade
		cause Cause
	}{
		{"all well", Direction{[]Audio{clear}, []Video{fine}}, Excellent, None},
		{"no picture", Direction{[]Audio{clear}, []Video{gone}}, Poor, Paused},
		{"no sound to speak of", Direction{[]Audio{broken}, []Video{fine}}, Bad, Loss},
		{"sound alone", Direction{Audio: []Audio{clear}}, Excellent, None},
		{"pictures alone", Direction{Video: []Video{gone}}, Poor, Paused},
		{"a small one of two gone", Direction{[]Audio{clear}, []Video{{WantedPixels: 9, Pixels: 9}, gone}}, Excellent, None},
		{"a large one of two gone", Direction{[]Audio{clear}, []Video{{Pixels: 1, WantedPixels: 1}, {Paused: true, WantedPixels: 9}}}, Poor, Paused},
		{"one of three sounds broken", Direction{Audio: []Audio{clear, broken, clear}}, Fair, Loss},
	} {
		var m Meter
		if changed := m.Update(t0, &tt.d, &Direction{}); !changed || m.Grade() != tt.grade || m.Cause() != tt.cause {
			t.Errorf("%s: %.1f is %v (%v), want %v (%v)", tt.name, m.Score(), m.Grade(), m.Cause(), tt.grade, tt.cause)
		}
	}
	var m Meter
	if m.Update(t0, &Direction{}, &Direction{}) || m.Grade() != Unknown {
		t.Error("a grade for nothing")
	}
	m.Update(t0, &Direction{Audio: []Audio{clear}}, &Direction{Audio: []Audio{broken}})
	if m.Grade() != Bad {
		t.Errorf("who cannot be heard has a call that is %v", m.Grade())
	}
}

func TestTheGradeFallsSoonAndRisesWhenItLasts(t *testing.T) {
	var m Meter
	well, badly := &Direction{Audio: []Audio{{RTT: 20 * ms}}}, &Direction{Audio: []Audio{{RTT: 20 * ms, Loss: 0.2}}}
	now := t0
	run := func(d *Direction, until Grade) time.Duration {
		start := now
		for m.Grade() != until {
			now = now.Add(500 * ms)
			m.Update(now, d, &Direction{})
			if now.Sub(start) > time.Minute {
				t.Fatalf("%v after a minute", m.Grade())
			}
		}
		return now.Sub(start)
	}
	m.Update(now, well, &Direction{})
	down := run(badly, Poor)
	for range 20 {
		now = now.Add(500 * ms)
		m.Update(now, badly, &Direction{})
	}
	up := run(well, Excellent)
	if down > 4*time.Second || up < 5*time.Second || up > 30*time.Second {
		t.Errorf("down in %v, up in %v", down, up)
	}
}

func TestAScoreThatWaversAroundABoundKeepsItsGrade(t *testing.T) {
	for _, bound := range bounds {
		var m Meter
		changes := 0
		for i := range 200 {
			m.follow(t0.Add(time.Duration(i)*time.Second), bound+float64(i%3-1))
			before := m.grade
			m.regrade()
			if m.grade != before {
				changes++
			}
		}
		if changes > 2 {
			t.Errorf("%v: %d changes", bound, changes)
		}
	}
}

func TestWorseIsNeverScoredBetter(t *testing.T) {
	part := rapid.Float64Range(0, 1)
	delay := rapid.Int64Range(0, 2_000_000)
	rapid.Check(t, func(r *rapid.T) {
		a := Audio{
			Loss: part.Draw(r, "loss"), RTT: time.Duration(delay.Draw(r, "rtt")) * time.Microsecond, Jitter: time.Duration(delay.Draw(r, "jitter")) * time.Microsecond,
			Rate: rapid.Int64Range(1, 64_000).Draw(r, "rate"), Redundancy: rapid.IntRange(0, 2).Draw(r, "redundancy"),
		}
		worse := a
		worse.Loss += part.Draw(r, "more loss") * (1 - a.Loss)
		worse.RTT += time.Duration(delay.Draw(r, "more rtt")) * time.Microsecond
		worse.Rate = max(1, a.Rate-rapid.Int64Range(0, 64_000).Draw(r, "less rate"))
		worse.Redundancy = rapid.IntRange(0, a.Redundancy).Draw(r, "less redundancy")
		if x, y := a.R(), worse.R(); y > x+1e-9 || x < 0 || x > 100 || MOS(y) > MOS(x)+1e-9 {
			r.Fatalf("%+v has %.3f, %+v has %.3f", a, x, worse, y)
		}
		v := Video{Frozen: part.Draw(r, "frozen"), FrameRate: 30 * part.Draw(r, "fps"), WantedFrameRate: 30, Pixels: rapid.IntRange(0, 1000).Draw(r, "pixels"), WantedPixels: 1000}
		bad := v
		bad.Frozen += part.Draw(r, "more frozen") * (1 - v.Frozen)
		bad.FrameRate *= part.Draw(r, "less fps")
		bad.Pixels = rapid.IntRange(0, v.Pixels).Draw(r, "less pixels")
		if x, y := v.Score(), bad.Score(); y > x+1e-9 || x < 0 || x > 100.0001 {
			r.Fatalf("%+v has %.3f, %+v has %.3f", v, x, bad, y)
		}
	})
}

func TestNames(t *testing.T) {
	if Excellent.String() != "excellent" || Grade(99).String() != "unknown" || Paused.String() != "paused" || Cause(99).String() != "unknown" {
		t.Error("names")
	}
	if MOS(math.NaN()) != 1 || MOS(-5) != 1 || MOS(5) != 1 || MOS(100) != 4.5 {
		t.Error("MOS at the ends")
	}
}

func BenchmarkUpdate(b *testing.B) {
	d := &Direction{Audio: make([]Audio, 3), Video: make([]Video, 9)}
	var m Meter
	for b.Loop() {
		m.Update(t0, d, d)
	}
}
