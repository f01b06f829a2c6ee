package wire

import "encoding/json"

// EnterParams come into a session by its name, which nobody is rung for. Type and Metadata count when it begins with this.
type EnterParams struct {
	Session    string          `json:"session"`
	Type       string          `json:"type,omitempty"`     // TypeAudio or TypeVideo, which is the default
	Metadata   json.RawMessage `json:"metadata,omitempty"` // any JSON; may be nil
	Takeover   bool            `json:"takeover,omitempty"`
	MutationID string          `json:"mutationId"`
}

// HandParams raise this device's hand, or lower it. A moderator may name somebody else's hand to lower.
type HandParams struct {
	SessionID     string `json:"sessionId"`
	Raised        bool   `json:"raised" required:"true"`
	ParticipantID string `json:"participantId,omitempty"`
}

// MuteOtherParams ask somebody else to mute a publication, which only a moderator may.
type MuteOtherParams struct {
	SessionID     string `json:"sessionId"`
	PublicationID string `json:"publicationId"`
}

// ExpelParams put a participant out of the session for good, which only a moderator may.
type ExpelParams struct {
	SessionID     string `json:"sessionId"`
	ParticipantID string `json:"participantId"`
	MutationID    string `json:"mutationId"`
}

func (p EnterParams) mutationID() string { return p.MutationID }
func (p ExpelParams) mutationID() string { return p.MutationID }

// Validate checks the name, type, metadata and mutationId.
func (p EnterParams) Validate() *Error {
	var name, kind, metadata *Error
	if !ValidSessionID(p.Session) {
		name = bad("session", "must be 1 to 128 characters of A-Z a-z 0-9 . _ - :")
	}
	if p.Type != "" {
		kind = oneOf(CodeBadRequest, "type", p.Type, TypeAudio, TypeVideo)
	}
	if len(p.Metadata) > MaxMetadata {
		metadata = bad("metadata", "must be at most 4096 bytes of JSON")
	}
	return first(name, kind, metadata, checkMutationID(p.MutationID))
}

// Validate checks the ids.
func (p HandParams) Validate() *Error {
	if p.ParticipantID == "" {
		return checkSessionID(p.SessionID)
	}
	if p.Raised {
		return bad("raised", "must be false for somebody else")
	}
	return first(checkSessionID(p.SessionID), checkID("participantId", p.ParticipantID))
}

// Validate checks the ids.
func (p MuteOtherParams) Validate() *Error {
	return first(checkSessionID(p.SessionID), checkID("publicationId", p.PublicationID))
}

// Validate checks the ids.
func (p ExpelParams) Validate() *Error {
	return first(checkSessionID(p.SessionID), checkID("participantId", p.ParticipantID), checkMutationID(p.MutationID))
}

// RightsView says what this device may do in a session.
type RightsView struct {
	Publish   List[string] `json:"publish"` // sources
	Subscribe bool         `json:"subscribe"`
	Moderate  bool         `json:"moderate"`
	Hidden    bool         `json:"hidden"`
}

// HandEvent says that somebody raised a hand or it was lowered. At is when it was raised, 0 when it was lowered.
type HandEvent struct {
	SessionID     string `json:"sessionId"`
	ParticipantID string `json:"participantId"`
	Raised        bool   `json:"raised"`
	At            int64  `json:"at,omitempty"`
}

// MutedEvent asks this device to mute one of its publications, as a moderator wishes. The server has noted it as muted.
type MutedEvent struct {
	SessionID     string   `json:"sessionId"`
	PublicationID string   `json:"publicationId"`
	By            UserView `json:"by"`
}
