package nack

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A model of one picture on a path that loses, in virtual time and steps of a millisecond: 30 frames a second of 1.5 Mbit/s in three
// temporal layers. Who receives asks for what is missing; who sends answers.

const (
	freeze    = 183
	perPacket = 2 // ms between two packets of a frame
)

// modelFrame is a frame of the pattern 0, 2, 1, 2.
type modelFrame struct {
	refers  int // the frame that it needs; its own number: none
	missing int // packets
	shown   int // ms; 0: not yet
}

type model struct {
	t       *testing.T
	random  *rand.Rand
	loss    float64
	oneWay  int // ms
	at      int // ms
	events  map[int][]func()
	frames  []modelFrame
	of      map[int64]int // packet to frame
	came    map[int64]bool
	last    int // when a frame was shown
	newest  int // which
	frozen  int // ms
	sent    int
	repairs int
}

func newModel(t *testing.T, loss float64, oneWay int) *model {
	return &model{t: t, random: rand.New(rand.NewPCG(10, 50)), loss: loss, oneWay: oneWay, events: map[int][]func(){}, of: map[int64]int{}, came: map[int64]bool{}, newest: -1}
}

func (m *model) now() time.Time        { return t0.Add(time.Duration(m.at) * ms) }
func (m *model) needed(seq int64) bool { return m.of[seq]%4 == 0 }

// after has something happen in so many milliseconds.
func (m *model) after(d int, event func()) {
	if d == 0 {
		event()
		return
	}
	m.events[m.at+d] = append(m.events[m.at+d], event)
}

// over is the path, one way.
func (m *model) over(lossy bool, event func()) {
	if !lossy || m.random.Float64() >= m.loss {
		m.after(m.oneWay, event)
	}
}

// run sends for so long. received is told of every packet that comes, and tick of every millisecond.
func (m *model) run(seconds int, received func(seq int64), tick func()) {
	seq := int64(0)
	for ; m.at < seconds*1000; m.at++ {
		if n := len(m.frames); m.at*30/1000 >= n { // sizes are 1.6, 0.8, 0.8 and 0.8 of 6.25 KB
			packets := []int{9, 5, 5, 5}[n%4]
			refers := []int{n - 4, n - 1, n - 2, n - 1}[n%4]
			m.frames = append(m.frames, modelFrame{refers: max(refers, 0), missing: packets})
			for i := range packets {
				seq++
				number := seq
				m.of[number] = n
				m.after(i*perPacket, func() {
					m.sent++
					m.over(true, func() { m.take(number); received(number) })
				})
			}
		}
		due := m.events[m.at]
		delete(m.events, m.at)
		for _, event := range due {
			event()
		}
		tick()
	}
}

// take is a packet that comes, on whichever way.
func (m *model) take(seq int64) {
	if m.came[seq] {
		return
	}
	m.came[seq] = true
	m.frames[m.of[seq]].missing--
	for i := m.of[seq]; i < len(m.frames); i++ { // and those that waited for it
		f := &m.frames[i]
		if f.shown > 0 || f.missing > 0 || f.refers != i && m.frames[f.refers].shown == 0 {
			continue
		}
		f.shown = m.at
		if i < m.newest {
			continue
		}
		if gap := m.at - m.last; gap > freeze {
			m.frozen += gap
		}
		m.last, m.newest = m.at, i
	}
}

func (m *model) share() float64 { return float64(m.frozen) / float64(m.at) }

// downlink is a path to somebody who asks as browsers do: every 20 ms, and again after a round trip and 5 ms.
func downlink(t *testing.T, loss float64, oneWay int, copies func(times int, loss float64, rtt time.Duration, needed bool) int) *model {
	m := newModel(t, loss, oneWay)
	var limiter Limiter
	asked, highest := map[int64]int{}, int64(0)
	answer := func(seq int64) {
		times := limiter.Allow(m.now(), seq, time.Duration(2*m.oneWay)*ms)
		if times == 0 {
			return
		}
		for i := range copies(times, loss, time.Duration(2*m.oneWay)*ms, m.needed(seq)) {
			m.repairs++
			m.after(i*int(CopyDelay/ms), func() { m.over(true, func() { delete(asked, seq); m.take(seq) }) })
		}
	}
	m.run(600, func(seq int64) {
		for n := highest + 1; n < seq; n++ {
			asked[n] = -1000
		}
		highest = max(highest, seq)
	}, func() {
		if m.at%20 != 0 {
			return
		}
		for _, seq := range slices.Sorted(maps.Keys(asked)) {
			if m.at-asked[seq] >= 2*m.oneWay+5 {
				asked[seq] = m.at
				m.over(false, func() { answer(seq) })
			}
		}
	})
	return m
}

// uplink is a path from somebody who answers as browsers do: nothing that was sent again less than a round trip and 5 ms ago.
func uplink(t *testing.T, loss float64, oneWay int, backLoses bool) *model {
	m := newModel(t, loss, oneWay)
	g, repeated := New(Config{}), map[int64]int{}
	m.run(600, func(seq int64) { g.Received(m.now(), seq) }, func() {
		if due := g.Deadline(); due.IsZero() || m.now().Before(due) {
			return
		}
		asked, _ := g.Due(m.now(), time.Duration(2*m.oneWay)*ms, nil)
		for _, wire := range asked {
			seq := g.highest + int64(int16(wire-uint16(g.highest)))
			m.over(backLoses, func() {
				if at, ok := repeated[seq]; ok && m.at-at < 2*m.oneWay+5 {
					return
				}
				repeated[seq] = m.at
				m.repairs++
				m.over(true, func() { g.Repaired(seq); m.take(seq) })
			})
		}
	})
	return m
}

// At 10 % loss repairs in one copy each leave a picture frozen for so much of the time, by the distance. A second copy of the second
// repair is what helps where there is time for two requests, and one of the first repair where there is not.
func TestSecondCopiesKeepAPictureFromFreezing(t *testing.T) {
	for _, tt := range []struct {
		oneWay    int
		most      float64 // of the time that it may be frozen
		part      float64 // of what it is with one copy
		most2     float64 // more to send
		wantFirst bool
	}{
		{15, 0.001, 1, 0.02, false}, {25, 0.003, 0.5, 0.06, true}, {30, 0.01, 0.4, 0.06, true}, {40, 0.025, 0.4, 0.06, true},
	} {
		one := downlink(t, 0.1, tt.oneWay, func(int, float64, time.Duration, bool) int { return 1 })
		two := downlink(t, 0.1, tt.oneWay, Copies)
		more := float64(two.repairs-one.repairs) / float64(two.sent)
		t.Logf("%d ms round trip: frozen %.2f %% with one copy and %.2f %% with two, %.1f %% more to send",
			2*tt.oneWay, 100*one.share(), 100*two.share(), 100*more)
		if two.share() > tt.most || two.share() > tt.part*one.share() {
			t.Errorf("%d ms round trip: frozen %.2f %% with two copies", 2*tt.oneWay, 100*two.share())
		}
		if more > tt.most2 || (more > 0.02) != tt.wantFirst {
			t.Errorf("%d ms round trip: %.1f %% more to send", 2*tt.oneWay, 100*more)
		}
	}
	if fine := downlink(t, 0.02, 25, Copies); fine.repairs > fine.sent/40 {
		t.Errorf("%d repairs of %d packets where 2 %% are lost", fine.repairs, fine.sent)
	}
}

// What an uplink loses is asked for so soon that two losses in a row freeze nothing; a third does, since nobody sends two copies there.
// Where requests get lost as well it is hardly worse, since they are made twice.
func TestAnUplinkIsRepairedInTime(t *testing.T) {
	clean, both := uplink(t, 0.1, 25, false), uplink(t, 0.1, 25, true)
	t.Logf("frozen %.2f %%; %.2f %% where requests are lost, too", 100*clean.share(), 100*both.share())
	if clean.share() > 0.012 || both.share() > 0.018 {
		t.Errorf("frozen %.2f %%; %.2f %% where requests are lost, too", 100*clean.share(), 100*both.share())
	}
}
