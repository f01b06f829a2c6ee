package signaling

import (
	"context"
	"time"
)

// Media is the media side of calls, in plain data, so that the same calls can go to the SFU in this process or to one on
// another node. A room has the id of its call. Methods may be called from several goroutines. For one room, Join, Mute,
// Wish, Stats, Leave, Open and Close come one at a time, in the order of the call's changes; offers come beside them, one at a time for
// each participant. A refusal that the client should see is a *MediaError; any
// other error is our fault and reaches the client as ERR_INTERNAL.
type Media interface {
	// Join lets a participant negotiate; it creates the room if there is none. Joining twice with the same participant id
	// is an error; another device or a rejoin comes with a new participant id.
	Join(ctx context.Context, join MediaJoin) error
	// Offer answers one SDP offer of a participant who has joined. The signaling side sends one at a time per participant.
	Offer(ctx context.Context, offer MediaOffer) (MediaAnswer, error)
	// Mute records that a publication is muted or not; the other participants learn it by a MediaPublications event.
	Mute(ctx context.Context, room, participant, publication string, muted bool) error
	// Wish replaces what a participant wishes for its pairs; a pair that is not named wishes for everything.
	Wish(ctx context.Context, room, participant string, wishes []MediaSlotWish) error
	// Stats replaces what a participant measured on its pairs last.
	Stats(ctx context.Context, room, participant string, stats []MediaSlotStats) error
	// Leave takes a participant out and frees everything of theirs. Unknown rooms and participants are not an error.
	// Leave by the signaling side raises no MediaGone event.
	Leave(ctx context.Context, room, participant, reason string) error
	// Open lets media flow in a room: the acceptance of the call is on disk. A room that does not exist yet is not an
	// error: the next Join says Open.
	Open(ctx context.Context, room string) error
	// Close ends a room and everybody's participation in it, without MediaGone events. Unknown rooms are not an error.
	Close(ctx context.Context, room, reason string) error
}

// MediaJoin asks for a place in a room.
type MediaJoin struct {
	Room        string // the call's sessionId
	Participant string // unique for ever, made by the signaling side
	UID         string
	Device      string
	// Open says that media may flow at once. A caller who joins while it rings comes with false, and waits for Media.Open.
	Open bool
	// Pairs is the number of receive pairs that the client was told to offer first.
	Pairs int
	// MaxPairs is the most pairs this participant may ever be asked for.
	MaxPairs int
}

// MediaOffer is one offer of a participant, with all of its publications and slots.
type MediaOffer struct {
	Room, Participant string
	SDP               string
	Publications      []MediaPublication
	Slots             []MediaSlot
	ICERestart        bool
}

// MediaPublication names one sending m-line of an offer.
type MediaPublication struct {
	MID    string
	Source string // microphone, camera, screen, screenAudio
	Muted  bool
}

// MediaSlot names the two receiving m-lines of one pair.
type MediaSlot struct {
	Pair               int
	AudioMID, VideoMID string
}

// MediaAnswer is the answer to an offer.
type MediaAnswer struct{ SDP string }

// MediaError is a refusal meant for the client. Code is an ERR_ code of the protocol's §7, such as ERR_SDP_INVALID.
type MediaError struct{ Code, Message string }

// Error makes a MediaError an error.
func (e *MediaError) Error() string { return e.Code + ": " + e.Message }

// MediaEventKind says which fields of a MediaEvent count.
type MediaEventKind int

// The kinds of media events. Every event has Room; the comments name the rest.
const (
	// MediaConnected: ICE and DTLS of Participant are up, for the first time or again after MediaDisconnected.
	MediaConnected MediaEventKind = iota + 1
	// MediaDisconnected: nothing has been heard of Participant for Silent; it may come back by itself or by an ICE restart.
	MediaDisconnected
	// MediaGone: Participant is out of the room and cannot come back under this id. Reason is one of the reasons of
	// session.closed: dtls_fingerprint_mismatch, media_failed, server_error.
	MediaGone
	// MediaPublications: Publications is the full list of what Participant publishes now (also after a mute).
	MediaPublications
	// MediaSlotChanged: pair Pair of the receiver Participant is about to carry publications Audio and Video of
	// participant Source ("": none of that kind; Source "": the pair is empty).
	MediaSlotChanged
	// MediaSlotStarted: the first packet of PublicationID on the TrackKind m-line of pair Pair of the receiver Participant
	// carries RTPTimestamp.
	MediaSlotStarted
	// MediaSlotsNeeded: Participant should offer Pairs pairs.
	MediaSlotsNeeded
	// MediaCodec: publishers of video in the room should switch to VideoCodec. Participant is empty when everybody is
	// meant.
	MediaCodec
	// MediaDataWaiting: Participant has no data channel, and a data message waits for it.
	MediaDataWaiting
	// MediaWatched: Watched says of everything that Participant publishes what of it anybody watches.
	MediaWatched
	// MediaSlotPaused: the video on pair Pair of the receiver Participant is not sent if Paused, for Reason; else it is.
	MediaSlotPaused
	// MediaSpeakers: Speaker speaks, "" if nobody has yet, and the sound of Voices is forwarded. Participant is empty:
	// everybody is meant.
	MediaSpeakers
	// MediaQuality: Participant's connection has this Score and Grade, because of Cause.
	MediaQuality
)

// String returns the kind's name, for logs.
func (k MediaEventKind) String() string {
	names := [...]string{"unknown", "connected", "disconnected", "gone", "publications", "slot", "slotStarted", "slotsNeeded", "codec", "dataWaiting",
		"publish", "slotPaused", "speakers", "quality"}
	if k < 0 || int(k) >= len(names) {
		k = 0
	}
	return names[k]
}

// MediaEvent is one fact from the media side. Which fields count is said by the kinds.
type MediaEvent struct {
	Kind              MediaEventKind
	Room, Participant string

	Silent       time.Duration
	Reason       string
	Publications []MediaPublicationInfo

	Pair          int
	Source        string // the participant whose media a slot carries
	Audio, Video  string // publication ids
	TrackKind     string // audio or video
	PublicationID string
	RTPTimestamp  uint32

	Pairs      int
	VideoCodec string // VP8, H264, VP9, AV1

	Watched []MediaWatchedPublication
	Paused  bool

	Speaker string   // participant id
	Voices  []string // participant ids

	Score        float64 // 0 to 100
	Grade, Cause string
}

// MediaPublicationInfo is one publication as the other participants see it.
type MediaPublicationInfo struct {
	ID     string
	Kind   string // audio or video
	Source string // microphone, camera, screen, screenAudio
	Muted  bool
}

// MediaWatchedPublication says what of a publication anybody watches. Active false: nobody any of it, which is not the same
// as muted. Encodings are those of simulcast, from the smallest to the largest; nil without simulcast.
type MediaWatchedPublication struct {
	ID, MID   string
	Active    bool
	Encodings []MediaWatchedEncoding
}

// MediaWatchedEncoding says whether anybody watches one encoding.
type MediaWatchedEncoding struct {
	RID    string
	Active bool
}

// MediaSlotWish is what a receiver can use of one pair's video.
type MediaSlotWish struct {
	Pair          int
	Width, Height int     // device pixels on the screen; 0: not said
	FrameRate     float64 // frames a second that are shown; 0: not said
	Hidden        bool    // out of sight
	Paused        bool    // not wanted
	Pinned        bool    // wanted before others
}

// MediaSlotStats are what a receiver measured on one pair in the last seconds.
type MediaSlotStats struct {
	Pair          int
	Concealed     float64 // part of the sound that was made up, 0 to 1
	HasConcealed  bool    // false: there was no sound, and Concealed means nothing
	JitterBuffer  time.Duration
	Frozen        float64 // part of the time that the picture stood still, 0 to 1
	FrameRate     float64 // frames a second that were shown
	Width, Height int     // pixels of the picture as it came
}

// ICEServer is one entry of RTCConfiguration.iceServers.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// ICEServers makes the ICE servers of one user's session, with fresh credentials. It must not block.
type ICEServers func(uid, session string) []ICEServer
