package sfu

import "time"

// unwatchedFor is how long nobody must have watched what a publisher is then told to stop. It is started again at once, but begins
// with a key frame.
const unwatchedFor = 5 * time.Second

// all is a bit for each encoding there may be.
const all = 0xFF

// demand is what of a publication anybody watches. Guarded by room.mu.
type demand struct {
	count   int          // of encodings; 0: not begun
	latest  [8]time.Time // when each encoding was watched last
	stopped uint8        // those that the publisher has been told to stop
}

// watched finds out what of the publication anybody watches, and says whether the publisher is to be told. The room's lock is held.
func (pub *publication) watched(now time.Time) bool {
	d := &pub.demand
	if !pub.video {
		return false
	}
	n, fresh := pub.count(), false
	if n != d.count { // to begin with everything is sent
		fresh = d.count > 0
		*d = demand{count: n}
		pub.switchOff(now, 0, all)
	}
	wanted := uint8(0)
	for _, s := range *pub.subscriptions.Load() {
		wanted |= s.granted
	}
	r := pub.owner.room
	if !r.open.Load() || len(r.members) < 2 { // nobody has had a chance to look
		wanted = all
	}
	stopped := uint8(0)
	for i := range d.latest {
		if wanted>>i&1 != 0 || d.latest[i].IsZero() {
			d.latest[i] = now
		}
		if now.Sub(d.latest[i]) >= unwatchedFor {
			stopped |= 1 << i
		}
	}
	if stopped == d.stopped {
		return fresh
	}
	changed := stopped ^ d.stopped
	d.stopped = stopped
	return pub.switchOff(now, stopped, changed) || fresh
}

// count is how many encodings there are. It takes the inbox's lock.
func (pub *publication) count() int {
	in := &pub.owner.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(pub.encodings)
}

// switchOff notes which encodings the publisher is told to stop, and says whether that is news for any that there is. It takes the
// inbox's lock.
func (pub *publication) switchOff(now time.Time, stopped, changed uint8) (news bool) {
	in := &pub.owner.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	for i, e := range pub.encodings {
		if changed>>i&1 == 0 {
			continue
		}
		news = true
		if e.off = stopped>>i&1 != 0; !e.off {
			e.onAt = now
		}
	}
	return news
}

// tellWatched tells the publisher what of its publications anybody watches, if that has changed. The room's lock is held.
func (p *participant) tellWatched(now time.Time) {
	news := false
	for _, pub := range p.publications {
		news = pub.watched(now) || news
	}
	if !news || p.removed {
		return
	}
	e := Event{Kind: Watched, Participant: p.id}
	for _, pub := range p.publications {
		e.Watched = append(e.Watched, pub.watch())
	}
	p.room.emit(e)
}

// watch describes the demand.
func (pub *publication) watch() WatchedPublication {
	w := WatchedPublication{ID: pub.id, MID: pub.mid, Active: !pub.video}
	in := &pub.owner.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	for i, e := range pub.encodings {
		on := pub.demand.stopped>>i&1 == 0
		w.Active = w.Active || on
		if len(pub.encodings) > 1 {
			w.Encodings = append(w.Encodings, WatchedEncoding{RID: e.rid, Active: on})
		}
	}
	return w
}
