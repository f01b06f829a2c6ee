package sfu

import "time"

// Bounds of what waits for a client's data channel.
const (
	backlogMessages = 32
	backlogBytes    = 128 << 10
	backlogAge      = 10 * time.Second
)

// backlog is the newest data messages for a client that has no data channel, oldest first.
type backlog struct {
	messages []waiting
	bytes    int
	told     bool // the client knows that something waits, or has waited, since it last had a channel
}

type waiting struct {
	since time.Time
	text  string
}

// add keeps a message, and returns how many older ones had to go for it.
func (b *backlog) add(now time.Time, text string) (displaced int) {
	b.messages = append(b.messages, waiting{now, text})
	b.bytes += len(text)
	for len(b.messages) > backlogMessages || b.bytes > backlogBytes {
		b.drop()
		displaced++
	}
	return displaced
}

// expire forgets what has waited too long, and returns how many that were.
func (b *backlog) expire(now time.Time) (expired int) {
	for len(b.messages) > 0 && now.Sub(b.messages[0].since) >= backlogAge {
		b.drop()
		expired++
	}
	return expired
}

// drop takes out the oldest message. An empty backlog holds no memory.
func (b *backlog) drop() {
	b.bytes -= len(b.messages[0].text)
	b.messages[0] = waiting{}
	if b.messages = b.messages[1:]; len(b.messages) == 0 {
		b.messages = nil
	}
}
