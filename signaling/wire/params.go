package wire

import (
	"encoding/json"
	"time"
)

// The values of enumerations.
const (
	TypeAudio = "audio"
	TypeVideo = "video"

	ReceiverUser  = "user"
	ReceiverGroup = "group"
	// ReceiverSession is not for call.initiate: a session is entered by its name.
	ReceiverSession = "session"

	StatusRejected = "rejected"
	StatusBusy     = "busy"

	SourceMicrophone  = "microphone"
	SourceCamera      = "camera"
	SourceScreen      = "screen"
	SourceScreenAudio = "screenAudio"
)

// HelloParams open a connection. The token is any string here: what is wrong with it is for signaling/token to find, and not
// for the client to know.
type HelloParams struct {
	Token    string  `json:"token" required:"true"`
	Protocol string  `json:"protocol" required:"true"`
	Client   Client  `json:"client,omitempty"`
	DeviceID string  `json:"deviceId,omitempty"`
	Resume   *Resume `json:"resume,omitempty"`
}

// Client names the program that connects.
type Client struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
}

// Resume asks for the events after LastSeq of an earlier connection.
type Resume struct {
	ConnectionID string `json:"connectionId" required:"true"`
	LastSeq      uint64 `json:"lastSeq" required:"true"`
}

// TokenRenewParams replace the token of an open connection.
type TokenRenewParams struct {
	Token string `json:"token" required:"true"`
}

// PingParams keep a connection alive and may let the server forget events. LastSeq is nil when the client didn't say.
type PingParams struct {
	LastSeq *uint64 `json:"lastSeq,omitempty"`
}

// InitiateParams ring a user or a group.
type InitiateParams struct {
	ReceiverID     string          `json:"receiverId"`
	ReceiverType   string          `json:"receiverType"`
	Type           string          `json:"type"`
	TimeoutSeconds *int            `json:"timeoutSeconds,omitempty"` // nil: the server's default
	Metadata       json.RawMessage `json:"metadata,omitempty"`       // any JSON; may be nil
	MutationID     string          `json:"mutationId"`
}

// RingTimeout is how long the initiator wants it to ring, 0 for the server's default.
func (p InitiateParams) RingTimeout() time.Duration {
	if p.TimeoutSeconds == nil {
		return 0
	}
	return time.Duration(*p.TimeoutSeconds) * time.Second
}

// AcceptParams answer a ringing call. Takeover moves the seat from another device of the same user.
type AcceptParams struct {
	SessionID  string `json:"sessionId"`
	Takeover   bool   `json:"takeover,omitempty"`
	MutationID string `json:"mutationId"`
}

// RejectParams decline a ringing call. Status is StatusRejected or StatusBusy.
type RejectParams struct {
	SessionID  string `json:"sessionId"`
	Status     string `json:"status"`
	MutationID string `json:"mutationId"`
}

// CancelParams stop a call that the user initiated and that still rings.
type CancelParams struct {
	SessionID  string `json:"sessionId"`
	MutationID string `json:"mutationId"`
}

// EndParams hang up. ForAll ends a group call for everybody.
type EndParams struct {
	SessionID  string `json:"sessionId"`
	ForAll     bool   `json:"forAll,omitempty"`
	MutationID string `json:"mutationId"`
}

// GetParams ask for one call.
type GetParams struct {
	SessionID string `json:"sessionId"`
}

// ActiveParams ask for the calls of this user that are not over.
type ActiveParams struct{}

// JoinParams enter the room of a call.
type JoinParams struct {
	SessionID  string `json:"sessionId"`
	Takeover   bool   `json:"takeover,omitempty"`
	MutationID string `json:"mutationId"`
}

// OfferParams negotiate media. Publications and Slots list all of the session's.
type OfferParams struct {
	SessionID    string        `json:"sessionId"`
	SDP          string        `json:"sdp"`
	Publications []Publication `json:"publications" required:"true"`
	Slots        []Slot        `json:"slots" required:"true"`
	ICERestart   bool          `json:"iceRestart,omitempty"`
}

// Publication names what a sending m-line carries.
type Publication struct {
	MID    string `json:"mid"`
	Source string `json:"source"`
	Muted  bool   `json:"muted,omitempty"`
}

// Slot names the two receiving m-lines of a pair.
type Slot struct {
	Pair     int    `json:"pair" required:"true"`
	AudioMID string `json:"audioMid"`
	VideoMID string `json:"videoMid"`
}

// MuteParams tell the others that a publication is muted or not.
type MuteParams struct {
	SessionID     string `json:"sessionId"`
	PublicationID string `json:"publicationId"`
	Muted         bool   `json:"muted" required:"true"`
}

// WishParams say what a receiver wants to see of its pairs, in place of all it said before. A pair that is not named wishes
// for everything.
type WishParams struct {
	SessionID string     `json:"sessionId"`
	Slots     []SlotWish `json:"slots" required:"true"`
}

// SlotWish is what a receiver can use of one pair's video. Width and Height are the device pixels it has on the screen and
// FrameRate the frames a second it shows, each 0 when it doesn't say. Hidden is out of sight, Paused is not wanted, Pinned is
// wanted before others.
type SlotWish struct {
	Pair      int     `json:"pair" required:"true"`
	Width     int     `json:"width,omitempty"`
	Height    int     `json:"height,omitempty"`
	FrameRate float64 `json:"frameRate,omitempty"`
	Hidden    bool    `json:"hidden,omitempty"`
	Paused    bool    `json:"paused,omitempty"`
	Pinned    bool    `json:"pinned,omitempty"`
}

// StatsParams are what a receiver measured on its pairs in the last seconds.
type StatsParams struct {
	SessionID string      `json:"sessionId"`
	Slots     []SlotStats `json:"slots" required:"true"`
}

// SlotStats are the measurements of one pair. Concealed is the part of the sound that was made up, nil without sound; Frozen
// the part of the time that the picture stood still. Both are from 0 to 1.
type SlotStats struct {
	Pair           int      `json:"pair" required:"true"`
	Concealed      *float64 `json:"concealed,omitempty"`
	JitterBufferMS float64  `json:"jitterBufferMs,omitempty"`
	Frozen         float64  `json:"frozen,omitempty"`
	FrameRate      float64  `json:"frameRate,omitempty"`
	Width          int      `json:"width,omitempty"`
	Height         int      `json:"height,omitempty"`
}

// ICEServersParams ask for fresh TURN credentials.
type ICEServersParams struct {
	SessionID string `json:"sessionId"`
}

// TestParams begin a test of the connection.
type TestParams struct{}

// TestOfferParams negotiate one PeerConnection of a test. Leg is the client's name for it.
type TestOfferParams struct {
	TestID       string        `json:"testId"`
	Leg          string        `json:"leg"`
	SDP          string        `json:"sdp"`
	Publications []Publication `json:"publications" required:"true"`
	Slots        []Slot        `json:"slots" required:"true"`
}

// TestEndParams end a test.
type TestEndParams struct {
	TestID string `json:"testId"`
}

// LeaveParams leave the room of a call.
type LeaveParams struct {
	SessionID  string `json:"sessionId"`
	MutationID string `json:"mutationId"`
}

func (p InitiateParams) mutationID() string { return p.MutationID }
func (p AcceptParams) mutationID() string   { return p.MutationID }
func (p RejectParams) mutationID() string   { return p.MutationID }
func (p CancelParams) mutationID() string   { return p.MutationID }
func (p EndParams) mutationID() string      { return p.MutationID }
func (p JoinParams) mutationID() string     { return p.MutationID }
func (p LeaveParams) mutationID() string    { return p.MutationID }
