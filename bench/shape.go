package bench

import (
	"fmt"
	"math"
	"time"

	"github.com/parleyrtc/parley/bench/load"
)

const (
	// mostPairs is what one participant can receive (docs/protocol.md §5).
	mostPairs = 28
	// mostMembers is what one call can be set to carry.
	mostMembers = 1000
)

// Shape is who sends what to whom.
type Shape struct {
	Rooms           int // calls at the same time
	Publishers      int // of each room; they send only
	Subscribers     int // of each room; they get all of the room's publishers
	Audio           bool
	FPS             int  // frames a second
	PacketsPerFrame int  //
	PacketBytes     int  // payload of a packet, without RTP header and SRTP tag
	Spread          bool // a frame's packets leave evenly over its time, not in one burst
}

// VideoShape is one room with video of 30 frames a second of 10 packets of 1100 bytes.
func VideoShape(publishers, subscribers int) Shape {
	return Shape{Rooms: 1, Publishers: publishers, Subscribers: subscribers, FPS: 30, PacketsPerFrame: 10, PacketBytes: 1100}
}

// AudioShape is one room with 50 packets of 100 bytes a second.
func AudioShape(publishers, subscribers int) Shape {
	return Shape{Rooms: 1, Publishers: publishers, Subscribers: subscribers, Audio: true, FPS: 50, PacketsPerFrame: 1, PacketBytes: 100}
}

// Participants is how many clients the shape has.
func (s Shape) Participants() int { return s.Rooms * (s.Publishers + s.Subscribers) }

// PacketsOut is how many packets a second the server has to send.
func (s Shape) PacketsOut() float64 {
	return float64(s.Rooms*s.Publishers*s.Subscribers) * float64(s.FPS*s.PacketsPerFrame)
}

// Check says what is wrong with the shape.
func (s Shape) Check() error {
	least := load.MinVideoBytes
	if s.Audio {
		least = load.MinAudioBytes
	}
	switch {
	case s.Rooms < 1 || s.Publishers < 1 || s.Subscribers < 1:
		return fmt.Errorf("%w: there must be a room, a publisher and a subscriber", ErrShape)
	case s.Publishers > mostPairs:
		return fmt.Errorf("%w: a participant receives at most %d publishers, use more rooms", ErrShape, mostPairs)
	case s.Publishers+s.Subscribers > mostMembers:
		return fmt.Errorf("%w: a call has at most %d participants, use more rooms", ErrShape, mostMembers)
	case s.FPS < 1 || s.FPS > 1000 || s.PacketsPerFrame < 1 || s.PacketsPerFrame > 64:
		return fmt.Errorf("%w: 1 to 1000 frames a second of 1 to 64 packets", ErrShape)
	case s.PacketBytes < least || s.PacketBytes > 1200:
		return fmt.Errorf("%w: a packet of this kind has %d to 1200 bytes", ErrShape, least)
	}
	return nil
}

// String is the shape in words, without the arrivals.
func (s Shape) String() string {
	rooms := ""
	if s.Rooms > 1 {
		rooms = fmt.Sprintf("%d rooms of ", s.Rooms)
	}
	if s.Audio {
		return fmt.Sprintf("audio, %s%d publishers × %d subscribers, %d packets/s of %d B", rooms, s.Publishers, s.Subscribers, s.FPS*s.PacketsPerFrame, s.PacketBytes)
	}
	return fmt.Sprintf("video, %s%d publishers × %d subscribers, %d frames/s × %d packets of %d B", rooms, s.Publishers, s.Subscribers,
		s.FPS, s.PacketsPerFrame, s.PacketBytes)
}

// Arrivals says in words how packets come in.
func (s Shape) Arrivals() string {
	switch {
	case s.PacketsPerFrame == 1:
		return "single packets, publishers evenly apart"
	case s.Spread:
		return fmt.Sprintf("single packets, %d to a frame evenly over its time, publishers evenly apart", s.PacketsPerFrame)
	}
	return fmt.Sprintf("frames in bursts of %d packets (one sendmmsg, no segmentation offload), publishers evenly apart", s.PacketsPerFrame)
}

func (s Shape) pattern() load.Pattern {
	return load.Pattern{Audio: s.Audio, Interval: time.Second / time.Duration(s.FPS), Packets: s.PacketsPerFrame, Bytes: s.PacketBytes, Spread: s.Spread}
}

// phase spreads the frames of the publishers of so many rooms evenly over the interval. Where the number is not known yet, it
// is 0, and every further publisher gets a place far from the others (by the golden ratio).
func (s Shape) phase(publisher, rooms int) time.Duration {
	interval := s.pattern().Interval
	if s.Spread {
		interval /= time.Duration(s.PacketsPerFrame)
	}
	if rooms == 0 {
		_, part := math.Modf(float64(publisher) * math.Phi)
		return time.Duration(part * float64(interval))
	}
	return interval * time.Duration(publisher) / time.Duration(rooms*s.Publishers)
}
