package wire

// The types of events, each with its data.
const (
	EventCallIncoming          = "call.incoming"          // CallEvent
	EventCallOutgoing          = "call.outgoing"          // CallEvent
	EventCallOutgoingOver      = "call.outgoingOver"      // CallEvent, By when somebody acted
	EventCallAccepted          = "call.accepted"          // CallEvent
	EventCallAnsweredElsewhere = "call.answeredElsewhere" // CallEvent
	EventCallRejected          = "call.rejected"          // CallEvent
	EventCallDeclinedElsewhere = "call.declinedElsewhere" // CallEvent
	EventCallCancelled         = "call.cancelled"         // CallEvent
	EventCallUnanswered        = "call.unanswered"        // CallEvent without By
	EventCallMissed            = "call.missed"            // CallEvent without By
	EventCallEnded             = "call.ended"             // CallEvent, By when somebody ended it
	EventCallMember            = "call.member"            // MemberEvent

	EventSessionJoined      = "session.joined"      // ParticipantEvent
	EventSessionLeft        = "session.left"        // LeftEvent
	EventSessionUpdated     = "session.updated"     // ParticipantEvent
	EventSessionSlot        = "session.slot"        // SlotEvent
	EventSessionSlotStarted = "session.slotStarted" // SlotStartedEvent
	EventSessionSlotsNeeded = "session.slotsNeeded" // SlotsNeededEvent
	EventSessionCodec       = "session.codec"       // CodecEvent
	EventSessionDataWaiting = "session.dataWaiting" // DataWaitingEvent
	EventSessionPublish     = "session.publish"     // PublishEvent
	EventSessionSlotPaused  = "session.slotPaused"  // SlotPausedEvent
	EventSessionSpeakers    = "session.speakers"    // SpeakersEvent
	EventSessionQuality     = "session.quality"     // QualityEvent
	EventSessionHand        = "session.hand"        // HandEvent
	EventSessionMuted       = "session.muted"       // MutedEvent
	EventSessionClosed      = "session.closed"      // ClosedEvent

	EventTokenExpiring  = "token.expiring"  // TokenExpiringEvent
	EventServerDraining = "server.draining" // DrainingEvent
)

// CallEvent says what happened to a call, and who did it. By is nil when the clock or the server did.
type CallEvent struct {
	Call CallView  `json:"call"`
	By   *UserView `json:"by,omitempty"`
}

// MemberEvent says that a member of a group call has a new state; of several at one moment it names one.
type MemberEvent struct {
	Call  CallView `json:"call"`
	UID   string   `json:"uid"`
	State string   `json:"state"`
}

// ParticipantEvent shows a participant who is new or has changed.
type ParticipantEvent struct {
	SessionID   string          `json:"sessionId"`
	Participant ParticipantView `json:"participant"`
}

// LeftEvent says that somebody else left the room.
type LeftEvent struct {
	SessionID     string `json:"sessionId"`
	ParticipantID string `json:"participantId"`
	Reason        string `json:"reason"`
}

// SlotEvent says what a pair is about to carry. Audio and Video are publication ids, "" for none.
type SlotEvent struct {
	SessionID     string `json:"sessionId"`
	Pair          int    `json:"pair"`
	ParticipantID string `json:"participantId"` // "" when the pair is empty
	Audio         string `json:"audio"`
	Video         string `json:"video"`
}

// SlotStartedEvent says from which RTP timestamp on an m-line of a pair carries a publication.
type SlotStartedEvent struct {
	SessionID     string `json:"sessionId"`
	Pair          int    `json:"pair"`
	Kind          string `json:"kind"` // audio, video
	PublicationID string `json:"publicationId"`
	RTPTimestamp  uint32 `json:"rtpTimestamp"`
}

// SlotsNeededEvent asks for an offer with this many pairs.
type SlotsNeededEvent struct {
	SessionID string `json:"sessionId"`
	Pairs     int    `json:"pairs"`
}

// CodecEvent asks publishers of video for another codec.
type CodecEvent struct {
	SessionID  string `json:"sessionId"`
	VideoCodec string `json:"videoCodec"`
}

// DataWaitingEvent says that a data message waits for this device to open its data channel.
type DataWaitingEvent struct {
	SessionID string `json:"sessionId"`
}

// PublishEvent tells a publisher what of its publications anybody watches; it names all of them every time.
type PublishEvent struct {
	SessionID    string                   `json:"sessionId"`
	Publications List[WatchedPublication] `json:"publications"`
}

// WatchedPublication is one publication of a PublishEvent. Active false means that nobody watches it: the client stops
// encoding it, which is not the same as muting it. Without Encodings there is one encoding, and Active is all there is to say.
type WatchedPublication struct {
	PublicationID string            `json:"publicationId"`
	MID           string            `json:"mid"`
	Active        bool              `json:"active"`
	Encodings     []WatchedEncoding `json:"encodings,omitempty"`
}

// WatchedEncoding is one simulcast encoding of a watched publication.
type WatchedEncoding struct {
	RID    string `json:"rid"`
	Active bool   `json:"active"`
}

// SlotPausedEvent says that the video of a pair is not sent to its receiver, and why, or that it is sent again.
type SlotPausedEvent struct {
	SessionID string `json:"sessionId"`
	Pair      int    `json:"pair"`
	Paused    bool   `json:"paused"`
	Reason    string `json:"reason"`
}

// SpeakersEvent says who speaks. Speaker is "" when nobody has spoken; Voices are those whose sound is forwarded.
type SpeakersEvent struct {
	SessionID string       `json:"sessionId"`
	Speaker   string       `json:"speaker"`
	Voices    List[string] `json:"voices"`
}

// QualityEvent says how good a participant's connection is.
type QualityEvent struct {
	SessionID     string `json:"sessionId"`
	ParticipantID string `json:"participantId"`
	QualityView
}

// ClosedEvent says that this device is out of a session.
type ClosedEvent struct {
	SessionID string   `json:"sessionId"`
	Reason    string   `json:"reason"`
	Call      CallView `json:"call"`
}

// TokenExpiringEvent says when the token ends, in Unix milliseconds.
type TokenExpiringEvent struct {
	ExpiresAt int64 `json:"expiresAt"`
}

// DrainingEvent says when the server will be gone, in Unix milliseconds.
type DrainingEvent struct {
	Deadline int64 `json:"deadline"`
}
