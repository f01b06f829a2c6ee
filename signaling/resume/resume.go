// Package resume keeps the numbered events of one device, so that a client that lost its socket misses none.
package resume

import "time"

// Event is one event as every device that gets it is told, without the number that each device gives it.
type Event struct {
	Type string
	At   time.Time
	Data []byte // encoded once and shared by the buffers of all devices: nobody changes it
}

// Limits bound what is kept. Zero means no events at all.
type Limits struct {
	Events int // at most so many events
	Bytes  int // at most so many bytes of their data, whoever shares it: what a resume sends at most
}

// Buffer holds the newest events of one device, numbered from 1 without gaps. Its owner serialises all calls.
type Buffer struct {
	limits Limits

	first  uint64  // number of events[0]; first-1 is the newest forgotten one
	events []Event // oldest first
	bytes  int
}

// New returns an empty buffer whose first event will have number 1.
func New(limits Limits) *Buffer { return &Buffer{limits: limits, first: 1} }

// Next returns the number that the next event will have.
func (b *Buffer) Next() uint64 { return b.first + uint64(len(b.events)) }

// Last returns the number of the newest event, 0 when there never was one.
func (b *Buffer) Last() uint64 { return b.Next() - 1 }

// Append adds the event with number Next and forgets the oldest ones that no longer fit. An event that is larger than the
// whole buffer is numbered and forgotten at once.
func (b *Buffer) Append(event Event) {
	b.events = append(b.events, event)
	b.bytes += len(event.Data)
	for len(b.events) > 0 && (len(b.events) > b.limits.Events || b.bytes > b.limits.Bytes) {
		b.drop()
	}
}

// Forget drops the events up to and including number last: the client has them.
func (b *Buffer) Forget(last uint64) {
	for len(b.events) > 0 && b.first <= last {
		b.drop()
	}
}

// Clear drops all events but keeps counting: a client that misses any of them needs a snapshot.
func (b *Buffer) Clear() {
	for len(b.events) > 0 {
		b.drop()
	}
}

// Since returns the events after number last, oldest first, so that the first one has number last+1. It reports false when some of them are gone, or when last is a
// number that was never given out: then only a snapshot helps.
func (b *Buffer) Since(last uint64) ([]Event, bool) {
	if last+1 < b.first || last > b.Last() {
		return nil, false
	}
	return b.events[last+1-b.first:], true
}

func (b *Buffer) drop() {
	b.bytes -= len(b.events[0].Data)
	b.events[0] = Event{} // lets the memory go before append moves the slice
	b.events = b.events[1:]
	b.first++
}
