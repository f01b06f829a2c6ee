package sfu

import (
	"encoding/json"
	"errors"
	"slices"
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
	if !p.relay(data) {
		p.room.sfu.metrics.data[1].Inc()
		return
	}
	p.room.sfu.metrics.data[0].Inc()
}

// relay says whether the message was one to hand on.
func (p *participant) relay(data []byte) bool {
	var m clientMessage
	if len(data) > maxMessage || !p.data.Allow() || !p.room.open.Load() || !utf8.Valid(data) ||
		json.Unmarshal(data, &m) != nil || len(m.Topic) > maxTopic {
		return false
	}
	text, err := json.Marshal(serverMessage{From: p.id, Topic: m.Topic, Payload: m.Payload})
	if err != nil {
		return false
	}
	for _, to := range p.room.audience(p, m.To) {
		if errors.Is(to.SendMessage(string(text)), transport.ErrBuffered) {
			p.room.sfu.metrics.data[1].Inc()
		}
	}
	return true
}

// audience is the connections of everybody else, or of those named.
func (r *room) audience(from *participant, to []string) []*transport.Peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*transport.Peer
	for _, p := range r.members {
		if p == from || len(to) > 0 && !slices.Contains(to, p.id) {
			continue
		}
		if peer := p.peer.Load(); peer != nil {
			list = append(list, peer)
		}
	}
	return list
}
