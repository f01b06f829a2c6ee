package sfu

import "time"

// firstPicture is how long a connected participant is not asked for more slots while its first picture is missing.
const firstPicture = 2 * time.Second

// news is what came of sending that the room is to know. The participant's alarm tells it: whoever sends must not take the
// room's lock. Guarded by participant.sending.
type news struct {
	begun       bool // by lines, see line.begun
	settled     bool
	undecodable bool
}

// beginning says with which timestamp a line began to carry a subscription. Of several only the last is of interest.
type beginning struct {
	subscription *subscription // nil: nothing new
	timestamp    uint32
}

// announce tells the room the news.
func (p *participant) announce(now time.Time) {
	o := &p.outgoing
	p.sending.Lock()
	if !o.settled && now.Sub(p.since) > firstPicture {
		o.settled, o.news.settled = true, true
	}
	told := o.news
	o.news = news{}
	var begun []beginning
	if told.begun {
		for _, l := range *p.lines.Load() {
			if l.begun.subscription != nil {
				begun = append(begun, l.begun)
				l.begun = beginning{}
			}
		}
	}
	p.sending.Unlock()
	if len(begun) > 0 {
		p.started(begun)
	}
	if told.undecodable {
		p.room.undecodable(now)
	}
	if told.settled {
		p.settled()
	}
}

// started tells what the lines carry now.
func (p *participant) started(begun []beginning) {
	p.room.mu.Lock()
	defer p.room.unlock()
	for _, b := range begun {
		l := b.subscription.line
		if p.removed || l.current() != b.subscription {
			continue // the line carries something else already
		}
		kind := "audio"
		if l.video {
			kind = "video"
		}
		p.room.emit(Event{Kind: SlotStarted, Participant: p.id, Pair: l.pair, TrackKind: kind,
			PublicationID: b.subscription.publication.id, RTPTimestamp: b.timestamp})
	}
}

// settled notes that the first picture is there, or will not come.
func (p *participant) settled() {
	p.room.mu.Lock()
	defer p.room.unlock()
	if !p.ready && !p.removed {
		p.ready = true
		p.arrange(p.room.groups())
	}
}
