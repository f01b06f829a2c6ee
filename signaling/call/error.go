package call

import "time"

// Code is a refusal as the client sees it (error.data.code).
type Code string

// The refusals of the machine.
const (
	CodeBadRequest          Code = "ERR_BAD_REQUEST"
	CodeCallingSelf         Code = "ERR_CALLING_SELF"
	CodeEmptyReceiver       Code = "ERR_EMPTY_RECEIVER"
	CodeInvalidReceiverType Code = "ERR_INVALID_RECEIVER_TYPE"
	CodeGroupNotJoined      Code = "ERR_GROUP_NOT_JOINED"
	CodeBusySelf            Code = "ERR_CALL_BUSY_SELF"
	CodeBusyGroup           Code = "ERR_CALL_BUSY_GROUP"
	CodeTooManyRings        Code = "ERR_CALL_TOO_MANY_RINGS"
	CodeNotFound            Code = "ERR_CALL_SESSION_NOT_FOUND"
	CodeUserAlreadyJoined   Code = "ERR_CALL_USER_ALREADY_JOINED"
	CodeGroupAlreadyJoined  Code = "ERR_CALL_GROUP_ALREADY_JOINED"
	CodeGroupAlreadyLeft    Code = "ERR_CALL_GROUP_ALREADY_LEFT"
	CodeTerminated          Code = "ERR_CALL_TERMINATED"
	CodeNotStarted          Code = "ERR_CALL_NOT_STARTED"
	CodeOngoingToInvalid    Code = "ERR_CALL_ONGOING_TO_INVALID"
	CodeGroupInvalidStatus  Code = "ERR_CALL_GROUP_INVALID_STATUS"
	CodeNotAllowed          Code = "ERR_CALL_NOT_ALLOWED"
	CodeNotAccepted         Code = "ERR_CALL_NOT_ACCEPTED"
	CodeNotJoined           Code = "ERR_SESSION_NOT_JOINED"
)

// messages has the sentence for each code; both are sent to the client.
var messages = map[Code]string{
	CodeBadRequest:          "A parameter is out of its range.",
	CodeCallingSelf:         "One cannot call oneself.",
	CodeEmptyReceiver:       "The call has no receiver.",
	CodeInvalidReceiverType: "The receiver is neither a user nor a group.",
	CodeGroupNotJoined:      "You are not a member of this group.",
	CodeBusySelf:            "You are in another call already.",
	CodeBusyGroup:           "The group has a call already; it can be joined.",
	CodeTooManyRings:        "You have rung this user too often; try again later.",
	CodeNotFound:            "There is no such call.",
	CodeUserAlreadyJoined:   "Another device of yours is in this call; it can be taken over.",
	CodeGroupAlreadyJoined:  "Another device of yours is in this group call; it can be taken over.",
	CodeGroupAlreadyLeft:    "You are not in this group call any more.",
	CodeTerminated:          "The call has already ended.",
	CodeNotStarted:          "The call has not started; reject it instead.",
	CodeOngoingToInvalid:    "The call is going on; end it instead.",
	CodeGroupInvalidStatus:  "A group call cannot be answered with this status.",
	CodeNotAllowed:          "This is not yours to do in this call.",
	CodeNotAccepted:         "Accept the call before joining it.",
	CodeNotJoined:           "This device is not in the session.",
}

// Error is a refusal by the rules of calls. After it nothing has changed.
type Error struct {
	Code       Code
	Message    string
	Field      string        // CodeBadRequest: the parameter
	SessionID  string        // CodeBusySelf, CodeBusyGroup: the other call
	RetryAfter time.Duration // CodeTooManyRings: when the next ring would be let through
}

// Error returns the code and the sentence.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

func refuse(code Code) *Error { return &Error{Code: code, Message: messages[code]} }

func badRequest(field string) *Error {
	return &Error{Code: CodeBadRequest, Message: messages[CodeBadRequest], Field: field}
}

func busy(code Code, other string) *Error {
	return &Error{Code: code, Message: messages[code], SessionID: other}
}
