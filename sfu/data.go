package sfu

import (
	"encoding/json"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/parleyrtc/parley/sfu/transport"
)

// Bounds of one data message.
const (
	maxMessage = 16 << 10 // bytes
	maxTopic   = 128      // bytes
)

type clientMessage struct {
	To      []string        `json:"to"`
	Topic   string          `json:"topic"`
	Payload json.RawMessage `json:"payload"`
}

type serverMessage struct {
	From    string          `json:"from"`
	Topic   string          `json:"topic"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Message hands a data message to the others in the room (transport.Sink). What breaks a rule is dropped and counted.
func (p *participant) Message(data []byte) {
	defer p.recovered()
	result := dataForwarded
	if !p.relay(time.Now(), data) {
		result = dataDropped
	}
	p.room.sfu.metrics.data[result].Inc()
}

// relay says whether the message was one to hand on.
func (p *participant) relay(now time.Time, data []byte) bool {
	var m clientMessage
	if len(data) > maxMessage || !p.data.Allow() || !p.room.open.Load() || !utf8.Valid(data) ||
		json.Unmarshal(data, &m) != nil || len(m.Topic) > maxTopic {
		return false
	}
	b, err := json.Marshal(serverMessage{From: p.id, Topic: m.Topic, Payload: m.Payload})
	if err != nil {
		return false
	}
	text := string(b)
	for _, to := range p.room.audience(p, m.To) {
		to.hand(now, text)
	}
	return true
}

// audience is everybody else who has offered, or those of them who are named.
func (r *room) audience(from *participant, to []string) []*participant {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*participant
	for _, p := range r.members {
		if p == from || p.peer.Load() == nil || len(to) > 0 && !slices.Contains(to, p.id) {
			continue
		}
		list = append(list, p)
	}
	return list
}

// hand sends this client a message, behind what waits already. Without a data channel the message waits, and the client is
// told, once until it has a channel.
func (p *participant) hand(now time.Time, text string) {
	if p.send(now, text) {
		return
	}
	p.room.mu.Lock()
	defer p.room.unlock()
	if !p.removed {
		p.room.emit(Event{Kind: DataWaiting, Participant: p.id})
	}
}

// send sends a message or keeps it; false asks the caller to tell the client that it waits.
func (p *participant) send(now time.Time, text string) bool {
	p.handing.Lock()
	defer p.handing.Unlock()
	p.flush(now)
	err := transport.ErrNoChannel // or one that opens at this moment: what waits goes first
	if len(p.backlog.messages) == 0 {
		err = p.peer.Load().SendMessage(text)
	}
	metrics := p.room.sfu.metrics
	switch {
	case p.gone.Load() && err != nil:
		metrics.data[dataDropped].Inc()
	case errors.Is(err, transport.ErrNoChannel):
		metrics.data[dataDisplaced].Add(float64(p.backlog.add(now, text)))
		told := p.backlog.told
		p.backlog.told = true
		return told
	case err != nil:
		metrics.data[dataDropped].Inc()
	}
	return true
}

// handOver sends what waited for the data channel if it is open now, and forgets what has waited too long.
func (p *participant) handOver(now time.Time) {
	p.handing.Lock()
	defer p.handing.Unlock()
	p.flush(now)
}

// flush is handOver with handing held.
func (p *participant) flush(now time.Time) {
	b, metrics, peer := &p.backlog, p.room.sfu.metrics, p.peer.Load()
	if n := b.expire(now); n > 0 {
		metrics.data[dataExpired].Add(float64(n))
	}
	if peer == nil || !peer.Open() {
		return
	}
	b.told = false
	for len(b.messages) > 0 {
		err := peer.SendMessage(b.messages[0].text)
		if errors.Is(err, transport.ErrNoChannel) {
			return // closed meanwhile
		}
		if err != nil {
			metrics.data[dataDropped].Inc()
		}
		b.drop()
	}
}

// discard forgets what waits for a client that is leaving.
func (p *participant) discard() {
	p.handing.Lock()
	defer p.handing.Unlock()
	p.room.sfu.metrics.data[dataExpired].Add(float64(len(p.backlog.messages)))
	p.backlog = backlog{}
}
