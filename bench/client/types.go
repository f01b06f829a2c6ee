package client

import (
	"encoding/json"
	"fmt"
)

// User is a person as the server describes them.
type User struct {
	UID    string `json:"uid"`
	Name   string `json:"name,omitempty"`
	Avatar string `json:"avatar,omitempty"`
}

// Member is one user's part in a call.
type Member struct {
	User     User   `json:"user"`
	State    string `json:"state"`
	JoinedAt int64  `json:"joinedAt,omitempty"`
	LeftAt   int64  `json:"leftAt,omitempty"`
}

// Call is a call as the server describes it; times are Unix milliseconds, zero when they have not happened.
type Call struct {
	SessionID    string          `json:"sessionId"`
	Type         string          `json:"type"`
	ReceiverType string          `json:"receiverType"`
	Status       string          `json:"status"`
	Reason       string          `json:"reason"`
	Initiator    User            `json:"initiator"`
	Receiver     json.RawMessage `json:"receiver"`
	InitiatedAt  int64           `json:"initiatedAt"`
	RingDeadline int64           `json:"ringDeadline"`
	StartedAt    int64           `json:"startedAt,omitempty"`
	EndedAt      int64           `json:"endedAt,omitempty"`
	Members      []Member        `json:"members"`
}

// Publication is one track that a participant sends.
type Publication struct {
	PublicationID string `json:"publicationId"`
	Kind          string `json:"kind"`
	Source        string `json:"source"`
	Muted         bool   `json:"muted"`
}

// Participant is one device in a session.
type Participant struct {
	ParticipantID string        `json:"participantId"`
	User          User          `json:"user"`
	DeviceID      string        `json:"deviceId"`
	JoinedAt      int64         `json:"joinedAt"`
	Publications  []Publication `json:"publications"`
}

// Event is one numbered notification of the server; Data is its type's object of docs/protocol.md.
type Event struct {
	Seq  uint64          `json:"seq"`
	Type string          `json:"type"`
	At   int64           `json:"at"`
	Data json.RawMessage `json:"data"`
}

// Call decodes the call of a call.* event, the zero Call when it has none.
func (e Event) Call() Call {
	var body struct {
		Call Call `json:"call"`
	}
	_ = json.Unmarshal(e.Data, &body) // an event without a call leaves the zero value, as documented
	return body.Call
}

// Error is the server's refusal of a request.
type Error struct {
	RPCCode int             // JSON-RPC code
	Code    string          // ERR_ code of docs/protocol.md §7, may be empty
	Field   string          // the first bad field, may be empty
	Message string          // for people
	Details json.RawMessage // depends on Code
}

// Error says the code and the server's sentence.
func (e *Error) Error() string { return fmt.Sprintf("%s (%d): %s", e.Code, e.RPCCode, e.Message) }

type rpcRequest struct {
	JSONRPC string `json:"jsonrpc"`
	ID      int64  `json:"id"`
	Method  string `json:"method"`
	Params  any    `json:"params"`
}

type rpcMessage struct {
	ID     *int64          `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *rpcError       `json:"error"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    struct {
		Code    string          `json:"code"`
		Field   string          `json:"field"`
		Details json.RawMessage `json:"details"`
	} `json:"data"`
}

func (e *rpcError) public() *Error {
	return &Error{RPCCode: e.Code, Code: e.Data.Code, Field: e.Data.Field, Message: e.Message, Details: e.Data.Details}
}
