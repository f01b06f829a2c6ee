package sfu

import "time"

// Wish replaces what a participant wishes for its pairs. A pair that is not named wishes for everything.
func (s *SFU) Wish(room, participant string, wishes []SlotWish) error {
	p := s.participant(room, participant)
	if p == nil {
		return &Error{CodeNotJoined, "there is no such participant"}
	}
	byPair := make(map[int]SlotWish, len(wishes))
	for _, w := range wishes {
		if w.Pair >= 0 && w.Pair < MaxPairs {
			byPair[w.Pair] = w
		}
	}
	return p.learn(func() { p.wishes = byPair })
}

// Stats replaces what a participant measured on its pairs last.
func (s *SFU) Stats(room, participant string, stats []SlotStats) error {
	p := s.participant(room, participant)
	if p == nil {
		return &Error{CodeNotJoined, "there is no such participant"}
	}
	byPair := make(map[int]SlotStats, len(stats))
	for _, m := range stats {
		if m.Pair >= 0 && m.Pair < MaxPairs {
			byPair[m.Pair] = m
		}
	}
	return p.learn(func() { p.told, p.toldAt = byPair, time.Now() })
}

// learn changes what is known of a participant's pairs, and has its alarm look at it.
func (p *participant) learn(change func()) error {
	p.room.mu.Lock()
	removed := p.removed
	if !removed {
		change()
	}
	p.room.mu.Unlock()
	if removed {
		return &Error{CodeNotJoined, "there is no such participant"}
	}
	p.reshare.Store(true)
	p.alarm.by(time.Now())
	return nil
}
