package wire

import "encoding/json"

// List is a slice that is written as [] when it is nil, so that clients need not think of null.
type List[T any] []T

// MarshalJSON writes the list.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]T(l))
}

// UserView is a user as clients see it.
type UserView struct {
	UID    string `json:"uid"`
	Name   string `json:"name"`
	Avatar string `json:"avatar"`
}

// GroupView is a group as clients see it.
type GroupView struct {
	GUID string `json:"guid"`
	Name string `json:"name"`
}

// ReceiverView is the user or the group that is called, or the session that has a name instead. Make it with UserReceiver,
// GroupReceiver or SessionReceiver.
type ReceiverView struct {
	Session string  `json:"session,omitempty"`
	UID     string  `json:"uid,omitempty"`
	GUID    string  `json:"guid,omitempty"`
	Name    string  `json:"name"`
	Avatar  *string `json:"avatar,omitempty"`
}

// UserReceiver is a user as the receiver of a call.
func UserReceiver(u UserView) ReceiverView {
	return ReceiverView{UID: u.UID, Name: u.Name, Avatar: &u.Avatar}
}

// GroupReceiver is a group as the receiver of a call.
func GroupReceiver(g GroupView) ReceiverView { return ReceiverView{GUID: g.GUID, Name: g.Name} }

// SessionReceiver is what a named session has in the place of a receiver.
func SessionReceiver(name string) ReceiverView { return ReceiverView{Session: name, Name: name} }

// CallView is a call as its members see it. Times are Unix milliseconds; zero ones are left out.
type CallView struct {
	SessionID    string           `json:"sessionId"`
	Type         string           `json:"type"`         // audio, video
	ReceiverType string           `json:"receiverType"` // user, group, session
	Status       string           `json:"status"`       // initiated, ongoing, rejected, busy, cancelled, unanswered, ended
	Reason       string           `json:"reason"`       // why it ended; "" unless status is ended
	Initiator    UserView         `json:"initiator"`
	Receiver     ReceiverView     `json:"receiver"`
	InitiatedAt  int64            `json:"initiatedAt"`
	RingDeadline int64            `json:"ringDeadline"`
	StartedAt    int64            `json:"startedAt,omitempty"`
	EndedAt      int64            `json:"endedAt,omitempty"`
	Members      List[MemberView] `json:"members"`
	Metadata     json.RawMessage  `json:"metadata"` // as the initiator gave it, {} if they gave none; see Metadata
}

// MemberView is one member of a call.
type MemberView struct {
	User     UserView `json:"user"`
	State    string   `json:"state"` // calling, ringing, accepted, joined, rejected, busy, unanswered, left
	JoinedAt int64    `json:"joinedAt,omitempty"`
	LeftAt   int64    `json:"leftAt,omitempty"`
}

// ParticipantView is one device in a room.
type ParticipantView struct {
	ParticipantID string                `json:"participantId"`
	User          UserView              `json:"user"`
	DeviceID      string                `json:"deviceId"`
	JoinedAt      int64                 `json:"joinedAt"`
	Publications  List[PublicationView] `json:"publications"`
	Quality       *QualityView          `json:"quality,omitempty"`  // nil until it is known
	RaisedAt      int64                 `json:"raisedAt,omitempty"` // when they raised a hand that is still up; 0: it is not
}

// QualityView says how good a call is for a participant. Score is from 0 to 100; Grade and Cause are those of sfu/quality.
type QualityView struct {
	Score float64 `json:"score"`
	Grade string  `json:"grade"`
	Cause string  `json:"cause"`
}

// PublicationView is one track that a participant sends.
type PublicationView struct {
	PublicationID string `json:"publicationId"`
	Kind          string `json:"kind"`   // audio, video
	Source        string `json:"source"` // microphone, camera, screen, screenAudio
	Muted         bool   `json:"muted"`
}

// ICEServer is one entry of RTCConfiguration.iceServers.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// Metadata is raw when it says something, and {} when it is absent or null.
func Metadata(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}")
	}
	return raw
}
