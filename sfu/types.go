package sfu

import "time"

// Join asks for a place in a room; the room is made by its first participant.
type Join struct {
	Room        string // the call's session id
	Participant string // unique for ever, made by the caller
	UID         string
	Device      string
	Open        bool // media may flow at once; false waits for OpenRoom
	Pairs       int  // receive pairs that the client was told to offer first; 0 is Config.Pairs
	MaxPairs    int  // most pairs it may ever be asked for; 0 is Config.MaxPairs
}

// Offer is one SDP offer of a participant, with all of its publications and slots.
type Offer struct {
	Room, Participant string
	SDP               string
	Publications      []OfferedPublication
	Slots             []OfferedSlot
	ICERestart        bool
}

// OfferedPublication names one sending m-line of an offer.
type OfferedPublication struct {
	MID    string
	Source string // microphone, camera, screen or screenAudio
	Muted  bool
}

// OfferedSlot names the two receiving m-lines of one pair.
type OfferedSlot struct {
	Pair               int
	AudioMID, VideoMID string
}

// Answer is the answer to an offer.
type Answer struct {
	SDP          string
	Publications []PublicationInfo // the participant's own, as the others see them
}

// PublicationInfo is one publication as the other participants see it.
type PublicationInfo struct {
	ID     string // participant id, a dot, and the m-line's mid
	MID    string
	Kind   string // audio or video
	Source string // microphone, camera, screen or screenAudio
	Muted  bool
}

// SlotWish is what a receiver can use of one pair's video.
type SlotWish struct {
	Pair          int
	Width, Height int     // device pixels on the screen; 0: not said
	FrameRate     float64 // frames a second that are shown; 0: not said
	Hidden        bool    // out of sight
	Paused        bool    // not wanted
	Pinned        bool    // wanted before others
}

// SlotStats are what a receiver measured on one pair in the last seconds.
type SlotStats struct {
	Pair          int
	Concealed     float64 // part of the sound that was made up, 0 to 1
	HasConcealed  bool    // false: there was no sound, and Concealed means nothing
	JitterBuffer  time.Duration
	Frozen        float64 // part of the time that the picture stood still, 0 to 1
	FrameRate     float64 // frames a second that were shown
	Width, Height int     // pixels of the picture as it came
}

// WatchedPublication says what of a publication anybody watches. Active false: nobody any of it, which is not the same as
// muted. Encodings are those of simulcast, from the smallest to the largest; nil without simulcast.
type WatchedPublication struct {
	ID, MID   string
	Active    bool
	Encodings []WatchedEncoding
}

// WatchedEncoding says whether anybody watches one encoding.
type WatchedEncoding struct {
	RID    string
	Active bool
}

// Totals counts what exists at one moment.
type Totals struct {
	Rooms, Participants, Publications, Subscriptions int
}

// Error is a refusal meant for the client. Code is an ERR_ code of the protocol's §7.
type Error struct{ Code, Message string }

// Error makes an Error an error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// The codes of the errors that this package returns.
const (
	CodeSDPInvalid          = "ERR_SDP_INVALID"
	CodeSDPTooManyMedia     = "ERR_SDP_TOO_MANY_MEDIA"
	CodeSDPNoICE            = "ERR_SDP_NO_ICE"
	CodeOfferInProgress     = "ERR_OFFER_IN_PROGRESS"
	CodeRoomFull            = "ERR_ROOM_FULL"
	CodeNotJoined           = "ERR_SESSION_NOT_JOINED"
	CodeAlreadyJoined       = "ERR_CALL_USER_ALREADY_JOINED"
	CodePublicationNotFound = "ERR_PUBLICATION_NOT_FOUND"
	CodeDraining            = "ERR_DRAINING"
	CodeInternal            = "ERR_INTERNAL"
)

// The reasons of a Gone event.
const (
	ReasonFingerprint = "dtls_fingerprint_mismatch"
	ReasonFailed      = "media_failed"
	ReasonServer      = "server_error"
)

// Kind says which fields of an Event count.
type Kind int

// The kinds of events. Every event has Room and, but for Codec and Speakers, Participant; the comments name the rest.
const (
	// Connected: ICE and DTLS of Participant are up, for the first time or again after Disconnected.
	Connected Kind = iota + 1
	// Disconnected: nothing has been heard of Participant for Silent; it may come back by itself or by an ICE restart.
	Disconnected
	// Gone: Participant is out of the room for Reason and cannot come back under this id.
	Gone
	// Publications: Publications is the full list of what Participant publishes now, also after a mute.
	Publications
	// Slot: pair Pair of the receiver Participant is about to carry publications Audio and Video of participant Source
	// ("": none of that kind; Source "": the pair is empty).
	Slot
	// SlotStarted: the first packet of PublicationID on the TrackKind m-line of pair Pair of the receiver Participant
	// carries RTPTimestamp.
	SlotStarted
	// SlotsNeeded: Participant should offer Pairs pairs.
	SlotsNeeded
	// Codec: everybody in the room who publishes video should switch to VideoCodec.
	Codec
	// DataWaiting: Participant has no data channel, and a data message waits for it.
	DataWaiting
	// Watched: Watched says of everything that Participant publishes what of it anybody watches.
	Watched
	// SlotPaused: the video on pair Pair of the receiver Participant is not sent if Paused, for Reason; else it is.
	SlotPaused
	// Speakers: Speaker speaks, "" if nobody has yet, and the sound of Voices is forwarded. Participant is empty: it is for
	// everybody.
	Speakers
	// Quality: Participant's connection has this Score and Grade, because of Cause.
	Quality
)

// String returns the kind's name in the protocol.
func (k Kind) String() string {
	names := [...]string{"unknown", "connected", "disconnected", "gone", "publications", "slot", "slotStarted", "slotsNeeded", "codec", "dataWaiting",
		"publish", "slotPaused", "speakers", "quality"}
	if k < 0 || int(k) >= len(names) {
		k = 0
	}
	return names[k]
}

// Event is one fact about a room. Which fields count is said by the kinds.
type Event struct {
	Kind              Kind
	Room, Participant string

	Silent       time.Duration
	Reason       string
	Publications []PublicationInfo

	Pair          int
	Source        string // the participant whose media a slot carries
	Audio, Video  string // publication ids
	TrackKind     string // audio or video
	PublicationID string
	RTPTimestamp  uint32

	Pairs      int
	VideoCodec string // VP8, H264, VP9 or AV1

	Watched []WatchedPublication
	Paused  bool

	Speaker string   // participant id
	Voices  []string // participant ids

	Score        float64 // see package quality
	Grade, Cause string
}
