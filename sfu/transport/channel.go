package transport

import (
	"errors"
	"io"

	"github.com/pion/webrtc/v4"
)

// The data channel that clients open, and its bounds.
const (
	channelLabel = "parley"
	maxChannels  = 16
	maxBuffered  = 1 << 20  // bytes not yet acknowledged by the client
	maxMessage   = 64 << 10 // bytes that our SDP allows; the SFU itself takes less
	readBuffer   = 1 << 10  // bytes kept for reading; a longer message gets its own
)

// Errors of SendMessage.
var (
	// ErrNoChannel says that a client has no data channel that is open.
	ErrNoChannel = errors.New("data channel is not open")
	// ErrBuffered says that a client does not drain its data channel.
	ErrBuffered = errors.New("data channel is full")
)

// opened takes the first data channel of the right name and refuses others, as long as it is open.
func (p *Peer) opened(c *webrtc.DataChannel) {
	if p.channels.Add(1) > maxChannels {
		p.flooded.Store(true)
		p.sink.State()
	}
	if c.Label() != channelLabel || !p.adopt(c) {
		_ = c.Close()
		return
	}
	c.OnOpen(func() { p.attach(c) })
}

// adopt makes c the client's channel, unless it has one that is not over. One that is may still be ours: its reader learns of
// it later than the client.
func (p *Peer) adopt(c *webrtc.DataChannel) bool {
	for {
		old := p.channel.Load()
		if old != nil && old.ReadyState() < webrtc.DataChannelStateClosing {
			return false
		}
		if p.channel.CompareAndSwap(old, c) {
			return true
		}
	}
}

// attach reads the channel ourselves: pion's reader keeps 64 KiB for each client, whether it ever says something or not.
func (p *Peer) attach(c *webrtc.DataChannel) {
	raw, err := c.Detach()
	if err != nil {
		return // closed meanwhile
	}
	p.reading.Lock()
	defer p.reading.Unlock()
	if !p.closed.Load() {
		p.readers.Go(func() {
			p.sink.State()
			p.read(c, raw)
		})
	}
}

// read hands up the channel's messages until it is closed.
func (p *Peer) read(c *webrtc.DataChannel, from io.Reader) {
	kept := make([]byte, readBuffer)
	for b := kept; ; {
		n, err := from.Read(b)
		switch {
		case errors.Is(err, io.ErrShortBuffer) && len(b) < maxMessage:
			b = make([]byte, min(8*len(b), maxMessage)) // the message is still there
			continue
		case err != nil:
			p.channel.CompareAndSwap(c, nil) // the client may open another, as soon as Open says that this one is not
			_ = c.Close()
			return
		case p.closed.Load():
			return
		}
		p.sink.Message(b[:n])
		b = kept
	}
}

// Open says whether the client has a data channel that is open.
func (p *Peer) Open() bool {
	c := p.channel.Load()
	return c != nil && c.ReadyState() == webrtc.DataChannelStateOpen
}

// SendMessage queues text for the data channel, or drops it: ErrNoChannel when there is none, ErrBuffered when the client is
// slow.
func (p *Peer) SendMessage(text string) error {
	c := p.channel.Load()
	if c == nil || c.ReadyState() != webrtc.DataChannelStateOpen {
		return ErrNoChannel
	}
	if c.BufferedAmount()+uint64(len(text)) > maxBuffered {
		return ErrBuffered
	}
	return c.SendText(text)
}
