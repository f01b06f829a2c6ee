package webhook

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/journal"
)

// Body is what a receiver gets. It is made from the entry and from what never changes in a call, so that it is the same however
// often it is made.
type Body struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // when it happened
	Data      Data      `json:"data"`
}

// Data says who did what, where and why. Times are Unix milliseconds; those that are not yet are absent.
type Data struct {
	SessionID string   `json:"sessionId"`
	Number    uint64   `json:"number"`         // grows within the call
	UID       string   `json:"uid"`            // who acted, or whom it befell
	UIDs      []string `json:"uids,omitempty"` // all whom it befell at this moment, when it is several
	DeviceID  string   `json:"deviceId"`       // "" when no device did it
	Reason    string   `json:"reason"`
	JoinedAt  int64    `json:"joinedAt,omitempty"` // participant.left
	Call      Call     `json:"call"`
}

// Call is the call as it was right after.
type Call struct {
	Type         string          `json:"type"`
	ReceiverType string          `json:"receiverType"`
	Initiator    string          `json:"initiator"` // uid
	Receiver     string          `json:"receiver"`  // uid or guid
	Status       string          `json:"status"`
	InitiatedAt  int64           `json:"initiatedAt"`
	StartedAt    int64           `json:"startedAt,omitempty"`
	EndedAt      int64           `json:"endedAt,omitempty"`
	Metadata     json.RawMessage `json:"metadata"` // {} when there is none
}

// bodyOf tells one entry.
func bodyOf(t journal.Told) Body {
	c, e := t.Call, t.Entry
	b := Body{Type: string(e.Kind), Timestamp: e.At, Data: Data{
		SessionID: c.ID, Number: e.Number, UID: e.UID, UIDs: e.UIDs, DeviceID: e.Device, Reason: e.Reason,
		Call: Call{
			Type: string(c.Type), ReceiverType: string(c.ReceiverType), Initiator: c.Initiator, Receiver: c.Receiver,
			Status: string(e.Status), InitiatedAt: c.InitiatedAt.UnixMilli(), Metadata: c.Metadata,
		},
	}}
	if len(c.Metadata) == 0 {
		b.Data.Call.Metadata = json.RawMessage("{}")
	}
	if !e.Since.IsZero() {
		b.Data.JoinedAt = e.Since.UnixMilli()
	}
	if e.Status != call.Initiated && !c.StartedAt.IsZero() {
		b.Data.Call.StartedAt = c.StartedAt.UnixMilli()
	}
	if e.Status.Terminal() {
		b.Data.Call.EndedAt = e.At.UnixMilli() // the entries of the change that ended it are of that moment
	}
	return b
}

// idOf names an entry the same way each time. It is a hash, because a session id may have characters that a webhook-id must not.
func idOf(t journal.Told) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", t.Call.ID, t.Entry.Number))
	return "msg_" + base64.RawURLEncoding.EncodeToString(sum[:18])
}

// letter is a message as the queue has it.
type letter struct {
	ID   string          `json:"id"`
	Call string          `json:"call"`
	Type string          `json:"type"`
	Body json.RawMessage `json:"body"`
}

// deadLetter is a letter that was given up.
type deadLetter struct {
	letter
	Attempts int       `json:"attempts"`
	Reason   string    `json:"reason"`
	QueuedAt time.Time `json:"queuedAt"`
}

func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // plain data, and metadata that was checked when it came in
	}
	return text
}
