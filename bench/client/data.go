package client

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/pion/webrtc/v4"
)

// DataMessage is one message on the session's data channel.
type DataMessage struct {
	From    string          `json:"from,omitempty"`
	To      []string        `json:"to,omitempty"`
	Topic   string          `json:"topic"`
	Payload json.RawMessage `json:"payload"`
}

// dataLine is a session's data channel, which is there when it is needed.
type dataLine struct {
	open chan struct{} // closed when the channel is open

	mu      sync.Mutex // held while the channel is offered
	channel *webrtc.DataChannel
	offered bool
}

// createData makes the channel; an offer has to follow.
func (s *Session) createData() error {
	channel, err := s.PC.CreateDataChannel("parley", nil)
	if err != nil {
		return err
	}
	s.data.channel = channel
	channel.OnOpen(func() { close(s.data.open) })
	channel.OnMessage(func(m webrtc.DataChannelMessage) {
		var msg DataMessage
		if s.cfg.OnData != nil && json.Unmarshal(m.Data, &msg) == nil {
			s.cfg.OnData(msg)
		}
	})
	return nil
}

// OpenData offers the data channel unless that has been done. Send does so by itself.
func (s *Session) OpenData(ctx context.Context) error {
	s.data.mu.Lock()
	defer s.data.mu.Unlock()
	if s.data.offered {
		return nil
	}
	if s.data.channel == nil {
		if err := s.createData(); err != nil {
			return err
		}
	}
	if err := s.Offer(ctx, false); err != nil {
		return err
	}
	s.data.offered = true
	return nil
}

// Send sends a data message; the first opens the data channel.
func (s *Session) Send(ctx context.Context, msg DataMessage) error {
	if err := s.OpenData(ctx); err != nil {
		return err
	}
	select {
	case <-s.data.open:
	case <-ctx.Done():
		return ctx.Err()
	}
	raw, err := json.Marshal(msg)
	if err != nil {
		return err
	}
	return s.data.channel.SendText(string(raw))
}
