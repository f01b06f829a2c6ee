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

// Shape is who sends what to whom. There are rooms with publishers and subscribers, or else one-to-one calls.
type Shape struct {
	Rooms           int  // calls at the same time
	Publishers      int  // of each room; they send only
	Subscribers     int  // of each room; they get all of the room's publishers
	OneToOne        bool // each room is a call of two, who both send audio and, unless Audio, video; Publishers and Subscribers have no meaning
	Audio           bool
	FPS             int  // frames a second
	PacketsPerFrame int  //
	PacketBytes     int  // payload of a packet, without RTP header and SRTP tag
	Spread          bool // a frame's packets leave evenly over its time, not in one burst
	Trains          bool // a frame's packets leave as one train, which the receiving kernel cuts
	Even            bool // a frame's packets are all of one length; else the first half is a byte shorter, as in libwebrtc
}

// The sound of a one-to-one call, which is Opus as browsers send it.
const (
	soundFPS   = 50
	soundBytes = 100
)

// VideoShape is one room with video of 30 frames a second of 10 packets of 1100 bytes.
func VideoShape(publishers, subscribers int) Shape {
	return Shape{Rooms: 1, Publishers: publishers, Subscribers: subscribers, FPS: 30, PacketsPerFrame: 10, PacketBytes: 1100}
}

// AudioShape is one room with 50 packets of 100 bytes a second.
func AudioShape(publishers, subscribers int) Shape {
	return Shape{Rooms: 1, Publishers: publishers, Subscribers: subscribers, Audio: true, FPS: soundFPS, PacketsPerFrame: 1, PacketBytes: soundBytes}
}

// CallShape is one-to-one calls with the video of VideoShape and the audio of AudioShape, both ways.
func CallShape(calls int) Shape {
	s := VideoShape(0, 0)
	s.Rooms, s.OneToOne = calls, true
	return s
}

// roomSize is how many participants a full room has.
func (s Shape) roomSize() int {
	if s.OneToOne {
		return 2
	}
	return s.Publishers + s.Subscribers
}

// Participants is how many clients the shape has.
func (s Shape) Participants() int { return s.Rooms * s.roomSize() }

// PacketsOut is how many packets a second the server has to send.
func (s Shape) PacketsOut() float64 {
	each := 0
	for place := range s.roomSize() {
		for _, p := range s.sends(place) {
			each += p.Packets * int(time.Second/p.Interval) * s.receivers(s.Subscribers)
		}
	}
	return float64(s.Rooms * each)
}

// Check says what is wrong with the shape.
func (s Shape) Check() error {
	least := load.MinVideoBytes
	if s.Audio {
		least = load.MinAudioBytes
	}
	switch {
	case s.Rooms < 1 || !s.OneToOne && (s.Publishers < 1 || s.Subscribers < 1):
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
	video := fmt.Sprintf("%d frames/s × %d packets of %d B", s.FPS, s.PacketsPerFrame, s.PacketBytes)
	audio := fmt.Sprintf("%d packets/s of %d B", s.FPS*s.PacketsPerFrame, s.PacketBytes)
	switch {
	case s.OneToOne && s.Audio:
		return fmt.Sprintf("%s, each way audio of %s", callsOf(s.Rooms), audio)
	case s.OneToOne:
		return fmt.Sprintf("%s, each way audio of %d packets/s of %d B and video of %s", callsOf(s.Rooms), soundFPS, soundBytes, video)
	}
	rooms := ""
	if s.Rooms > 1 {
		rooms = fmt.Sprintf("%d rooms of ", s.Rooms)
	}
	kind, each := "video", video
	if s.Audio {
		kind, each = "audio", audio
	}
	return fmt.Sprintf("%s, %s%d publishers × %d subscribers, %s", kind, rooms, s.Publishers, s.Subscribers, each)
}

// rampWords is the shape of a ramp in words.
func (s Shape) rampWords(floor bool) string {
	words := "subscribers added to rooms, one room after the other, each: " + s.String()
	if s.OneToOne {
		words = "calls added, each: " + s.String()
	}
	if floor {
		words = "a floor in the server's place, " + words
	}
	return words
}

func callsOf(n int) string {
	if n == 1 {
		return "1 one-to-one call"
	}
	return fmt.Sprintf("%d one-to-one calls", n)
}

// Arrivals says in words how packets come in.
func (s Shape) Arrivals() string {
	words := ""
	switch {
	case s.PacketsPerFrame == 1:
		words = "single packets"
	case s.Spread:
		words = fmt.Sprintf("single packets, %d to a frame evenly over its time", s.PacketsPerFrame)
	case s.Trains:
		words = fmt.Sprintf("frames in trains of %d packets, which the receiving kernel cuts unless the server takes them whole", s.PacketsPerFrame)
	default:
		words = fmt.Sprintf("frames in bursts of %d packets (one sendmmsg, no segmentation offload)", s.PacketsPerFrame)
	}
	if s.PacketsPerFrame > 1 && !s.Even {
		words += ", the first half of a frame's a byte shorter"
	}
	if s.OneToOne && !s.Audio {
		words = "video in " + words + ", audio in single packets"
	}
	return words + ", publishers evenly apart"
}

func (s Shape) pattern() load.Pattern {
	return load.Pattern{Audio: s.Audio, Interval: time.Second / time.Duration(s.FPS), Packets: s.PacketsPerFrame, Bytes: s.PacketBytes,
		Spread: s.Spread, Uneven: s.PacketsPerFrame > 1 && !s.Even, Trains: s.Trains && !s.Spread && s.PacketsPerFrame > 1}
}

// sends is what the participant at some place of a room sends. The publishers have the first places.
func (s Shape) sends(place int) []load.Pattern {
	switch {
	case s.OneToOne && !s.Audio:
		return []load.Pattern{AudioShape(0, 0).pattern(), s.pattern()}
	case s.OneToOne || place < s.Publishers:
		return []load.Pattern{s.pattern()}
	}
	return nil
}

// receives says whether the participant at some place of a room gets anything.
func (s Shape) receives(place int) bool { return s.OneToOne || place >= s.Publishers }

// receivers is how many get what a publisher sends in a room with so many subscribers.
func (s Shape) receivers(subscribers int) int {
	if s.OneToOne {
		return 1
	}
	return subscribers
}

// publishersOf is how many publications of a kind a room has.
func (s Shape) publishersOf() int {
	if s.OneToOne {
		return 2
	}
	return s.Publishers
}

// floorRooms are where the participant at some place of a room sends to and gets from on the floor, where a room has one
// direction: a call has two of them.
func (s Shape) floorRooms(room, place int) (to, from int) {
	if s.OneToOne {
		return 2*room + place, 2*room + 1 - place
	}
	return room, room
}

// phase spreads what so many rooms send in a pattern evenly over its interval; n counts those of that pattern. Where the number
// of rooms is not known yet, it is 0, and every further one gets a place far from the others (by the golden ratio).
func (s Shape) phase(p load.Pattern, n, rooms int) time.Duration {
	interval := p.Interval
	if p.Spread {
		interval /= time.Duration(p.Packets)
	}
	if rooms == 0 {
		_, part := math.Modf(float64(n) * math.Phi)
		return time.Duration(part * float64(interval))
	}
	return interval * time.Duration(n) / time.Duration(rooms*s.publishersOf())
}
