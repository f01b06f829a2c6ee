// Package speaker decides who is heard.
//
// Of many open microphones only some are forwarded, those on the [Stage]: three unless configured, or all when there is at
// most one more, because nobody hears himself. Who begins to speak comes onto the stage with the first loud packet, so that
// no syllable is lost, as long as somebody there has been silent for 0.4 s; the one silent for longest makes room.
// When all are speaking, one must have been clearly louder than the least of them for a while. Who has fallen silent stays
// until the place is wanted: so nothing is cut off, and the number of streams is steady.
//
// One of them is the active speaker. That is told to people, who dislike flicker: it changes when another has led clearly for
// 0.7 s, or for 0.3 s after the speaker fell silent for a second. Nodding along does neither.
//
// # How far levels are trusted
//
// The level (RFC 6464) is what a client says of itself. It counts as speech only as far as three things bear it out:
//
//	the payload    a frame of at most 10 bytes carries no speech, whatever the level: Opus takes 15 for 20 ms at its lowest
//	               rate, and 1 to 3 for silence with DTX
//	the own past   speech has pauses. What does not rise 10 dB above the quietest that this microphone was in the last 4 to 8 s
//	               is noise: a fan, a hum, and a client that always says 0 dBov, which is heard at first and then no more
//	a ceiling      20 dB above that, everybody is equally loud. Shouting wins nothing.
//
// The flag for voice activity is not used, because browsers set it by different rules. Where packets stop (DTX), that is
// silence. Without levels the sizes of the payloads stand in for them: VBR makes speech larger than silence.
package speaker

import (
	"slices"
	"time"
)

const (
	defaultVoices = 3

	// hangover is how long somebody on the stage must be silent to make room.
	hangover = 400 * time.Millisecond
	// insist is how long, and by how much, one must be louder than somebody who is speaking.
	insist       = 300 * time.Millisecond
	insistFactor = 1.5

	// look is how often the active speaker is looked for.
	look = 100 * time.Millisecond
	// lead is how long another must lead, leadSilent when the speaker has been silent for silent.
	lead       = 700 * time.Millisecond
	leadSilent = 300 * time.Millisecond
	silent     = time.Second
	leadFactor = 1.3
	// murmur is the activity below which nobody becomes the active speaker.
	murmur = 0.2
)

// Stage knows the microphones of a room. It has one owner and no lock.
type Stage struct {
	places int
	voices []*Voice // In order of joining.
	open   int      // how many are not muted

	looked  time.Time
	speaker *Voice
	leader  *Voice // who leads, and since when
	leads   time.Time

	changes uint64
}

// New returns an empty stage of some places; 0 means three.
func New(places int) *Stage {
	if places <= 0 {
		places = defaultVoices
	}
	return &Stage{places: places}
}

// Join adds a microphone, which is open. id is what Speaker and Voices call it.
func (s *Stage) Join(now time.Time, id uint64) *Voice {
	v := &Voice{id: id, noise: noise{since: now}}
	s.voices = append(s.voices, v)
	s.open++
	s.arrange(now)
	return v
}

// Leave removes a microphone.
func (s *Stage) Leave(now time.Time, v *Voice) {
	i := slices.Index(s.voices, v)
	if i < 0 {
		return
	}
	s.SetMuted(now, v, true)
	v.gone = true
	s.voices = slices.Delete(s.voices, i, i+1)
}

// SetMuted closes a microphone, or opens it again. A closed one needs no place; what is known of its noise is kept. Among so
// few that all would be forwarded if they were open, it is forwarded even so: its silence keeps the receivers' clocks running,
// and not a word is lost when its packets are faster than the news that it is open.
func (s *Stage) SetMuted(now time.Time, v *Voice, muted bool) {
	if v.gone || v.muted == muted {
		return
	}
	v.muted = muted
	if muted {
		s.open--
		s.put(v, false)
	} else {
		s.open++
	}
	if s.leader == v {
		s.leader = nil
	}
	if muted && s.speaker == v {
		s.speaker = nil
		s.changes++
	}
	s.arrange(now)
}

// Heard takes a packet of a microphone and says whether it is forwarded.
func (s *Stage) Heard(now time.Time, v *Voice, p Sound) bool {
	loud := v.hear(now, p)
	if v.muted {
		return s.few() && !v.gone
	}
	if loud && !v.on {
		s.knock(now, v)
	}
	if now.Sub(s.looked) >= look {
		s.looked = now
		s.lookForSpeaker(now)
	}
	return v.on
}

// Speaker is the active speaker: who spoke last, as long as nobody else does.
func (s *Stage) Speaker() (id uint64, ok bool) {
	if s.speaker == nil {
		return 0, false
	}
	return s.speaker.id, true
}

// Voices appends who is on the stage, in order of joining.
func (s *Stage) Voices(dst []uint64) []uint64 {
	for _, v := range s.voices {
		if v.on {
			dst = append(dst, v.id)
		}
	}
	return dst
}

// Places is how many are forwarded when there are more.
func (s *Stage) Places() int { return s.places }

// Changes counts how often Speaker or Voices changed.
func (s *Stage) Changes() uint64 { return s.changes }

func (s *Stage) put(v *Voice, on bool) {
	if v.on != on {
		v.on = on
		s.changes++
	}
}

// everybody says that there are so few that all are forwarded.
func (s *Stage) everybody() bool { return s.open <= s.places+1 }

// few says that all would be forwarded even if all were open.
func (s *Stage) few() bool { return len(s.voices) <= s.places+1 }

// arrange fits the stage to the number of microphones.
func (s *Stage) arrange(now time.Time) {
	on := 0
	for _, v := range s.voices {
		if s.everybody() && !v.muted {
			s.put(v, true)
		}
		if v.on {
			on++
		}
	}
	if s.everybody() {
		return
	}
	for ; on > s.places; on-- {
		s.put(s.quietest(now), false)
	}
}

// quietest is who on the stage was loud least lately.
func (s *Stage) quietest(now time.Time) (least *Voice) {
	for _, v := range s.voices {
		if v.on && (least == nil || v.spoke.Before(least.spoke)) {
			least = v
		}
	}
	return least
}

// knock lets v onto the stage if there is a place, or somebody who can spare his.
func (s *Stage) knock(now time.Time, v *Voice) {
	on := 0
	var least *Voice // the least active
	for _, o := range s.voices {
		if !o.on {
			continue
		}
		on++
		if least == nil || o.activityAt(now) < least.activityAt(now) {
			least = o
		}
	}
	if on >= s.places {
		out := s.quietest(now)
		if now.Sub(out.spoke) < hangover {
			if now.Sub(v.began) < insist || v.activityAt(now) < insistFactor*least.activityAt(now)+murmur/2 {
				return
			}
			out = least
		}
		s.put(out, false)
	}
	s.put(v, true)
}

// lookForSpeaker moves the active speaker when another has led for long enough.
func (s *Stage) lookForSpeaker(now time.Time) {
	var best *Voice
	for _, v := range s.voices {
		if v.on && (best == nil || v.activityAt(now) > best.activityAt(now)) {
			best = v
		}
	}
	if best == nil || best == s.speaker || !s.surpasses(now, best) {
		s.leader = nil
		return
	}
	if s.leader != best {
		s.leader, s.leads = best, now
	}
	need := lead
	switch {
	case s.speaker == nil:
		need = 0
	case now.Sub(s.speaker.spoke) >= silent:
		need = leadSilent
	}
	if now.Sub(s.leads) >= need {
		s.speaker, s.leader = best, nil
		s.changes++
	}
}

// surpasses says that v is speaking, and clearly more than the active speaker.
func (s *Stage) surpasses(now time.Time, v *Voice) bool {
	a := v.activityAt(now)
	return a >= murmur && (s.speaker == nil || a >= leadFactor*s.speaker.activityAt(now))
}
