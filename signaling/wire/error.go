package wire

import "encoding/json"

// The codes of JSON-RPC errors.
const (
	RPCParse   = -32700 // not JSON, or not UTF-8
	RPCRequest = -32600 // JSON, but not a request
	RPCMethod  = -32601 // unknown method
	RPCParams  = -32602 // bad params; Error.Field names the field
	RPCOurs    = -32603 // our fault
	RPCRefused = -32001 // refused by the rules of calls or rooms; Error.Code says which
)

// The error codes of the protocol's §7.
const (
	CodeBadRequest          = "ERR_BAD_REQUEST"
	CodeTooManyRequests     = "ERR_TOO_MANY_REQUESTS"
	CodeTokenExpired        = "ERR_TOKEN_EXPIRED"
	CodeDraining            = "ERR_DRAINING"
	CodeCallingSelf         = "ERR_CALLING_SELF"
	CodeUIDNotFound         = "ERR_UID_NOT_FOUND"
	CodeGUIDNotFound        = "ERR_GUID_NOT_FOUND"
	CodeGroupNotJoined      = "ERR_GROUP_NOT_JOINED"
	CodeEmptyReceiver       = "ERR_EMPTY_RECEIVER"
	CodeInvalidReceiverType = "ERR_INVALID_RECEIVER_TYPE"
	CodeBlockedReceiver     = "ERR_BLOCKED_RECEIVER"
	CodeBlockedSender       = "ERR_BLOCKED_SENDER"
	CodeTooManyBlocked      = "ERR_TOO_MANY_BLOCKED"
	CodeBusySelf            = "ERR_CALL_BUSY_SELF"
	CodeBusyGroup           = "ERR_CALL_BUSY_GROUP"
	CodeTooManyRings        = "ERR_CALL_TOO_MANY_RINGS"
	CodeEmptySessionID      = "ERR_EMPTY_CALL_SESSION_ID"
	CodeSessionNotFound     = "ERR_CALL_SESSION_NOT_FOUND"
	CodeUserAlreadyJoined   = "ERR_CALL_USER_ALREADY_JOINED"
	CodeGroupAlreadyJoined  = "ERR_CALL_GROUP_ALREADY_JOINED"
	CodeGroupAlreadyLeft    = "ERR_CALL_GROUP_ALREADY_LEFT"
	CodeTerminated          = "ERR_CALL_TERMINATED"
	CodeNotStarted          = "ERR_CALL_NOT_STARTED"
	CodeOngoingToInvalid    = "ERR_CALL_ONGOING_TO_INVALID"
	CodeGroupInvalidStatus  = "ERR_CALL_GROUP_INVALID_STATUS"
	CodeNotAllowed          = "ERR_CALL_NOT_ALLOWED"
	CodeNotAccepted         = "ERR_CALL_NOT_ACCEPTED"
	CodeNotJoined           = "ERR_SESSION_NOT_JOINED"
	CodeOfferInProgress     = "ERR_OFFER_IN_PROGRESS"
	CodeSDPInvalid          = "ERR_SDP_INVALID"
	CodeSDPTooManyMedia     = "ERR_SDP_TOO_MANY_MEDIA"
	CodeSDPNoICE            = "ERR_SDP_NO_ICE"
	CodeRoomFull            = "ERR_ROOM_FULL"
	CodePublicationNotFound = "ERR_PUBLICATION_NOT_FOUND"
	CodePushKind            = "ERR_PUSH_KIND_NOT_CONFIGURED"
	CodePushEndpoint        = "ERR_PUSH_ENDPOINT_NOT_ALLOWED"
	CodeParticipantNotFound = "ERR_PARTICIPANT_NOT_FOUND"
	CodeInternal            = "ERR_INTERNAL"
)

// Error is a refusal as the client sees it. Message is one English sentence for developers and never contains a token.
type Error struct {
	RPC     int    // one of the RPC constants
	Code    string // one of the Code constants
	Message string
	Field   string         // path of the bad field within params, "" if none
	Details map[string]any // what the client can act on, such as retryAfterMs; may be nil
}

// Refuse makes the error for a code of §7 and chooses the JSON-RPC code that goes with it.
func Refuse(code, message string) *Error {
	rpc := RPCRefused
	switch code {
	case CodeBadRequest:
		rpc = RPCParams
	case CodeInternal:
		rpc = RPCOurs
	}
	return &Error{RPC: rpc, Code: code, Message: message}
}

// Internal is the whole answer a client gets when something of ours broke; the cause belongs in the log.
func Internal() *Error { return Refuse(CodeInternal, "The server failed; try again.") }

// With adds one detail and returns the same error.
func (e *Error) With(name string, value any) *Error {
	if e.Details == nil {
		e.Details = map[string]any{}
	}
	e.Details[name] = value
	return e
}

// Error makes an Error a Go error.
func (e *Error) Error() string {
	if e.Field != "" {
		return e.Code + ": " + e.Field + ": " + e.Message
	}
	return e.Code + ": " + e.Message
}

// Malformed reports whether the message was not a request of this protocol at all. Repeated ones close the connection.
func (e *Error) Malformed() bool { return e.RPC != RPCRefused && e.RPC != RPCOurs }

// MarshalJSON writes the error object of a JSON-RPC response.
func (e *Error) MarshalJSON() ([]byte, error) {
	type data struct {
		Code    string         `json:"code"`
		Field   string         `json:"field"`
		Details map[string]any `json:"details"`
	}
	details := e.Details
	if details == nil {
		details = map[string]any{}
	}
	return json.Marshal(struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Data    data   `json:"data"`
	}{e.RPC, e.Message, data{e.Code, e.Field, details}})
}

// bad is a param that doesn't fit. The message says what the field must be and never quotes its value.
func bad(field, message string) *Error {
	return &Error{RPC: RPCParams, Code: CodeBadRequest, Message: message, Field: field}
}

// badAs is bad with a code that says more than ERR_BAD_REQUEST.
func badAs(code, field, message string) *Error {
	return &Error{RPC: RPCParams, Code: code, Message: message, Field: field}
}
