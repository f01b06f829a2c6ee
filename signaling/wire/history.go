package wire

import "time"

// MaxHistoryPage is the most calls of one page of a log.
const MaxHistoryPage = 100

// The filters that only a log has.
const (
	StatusMissed      = "missed"
	DirectionIncoming = "incoming"
	DirectionOutgoing = "outgoing"
)

// statuses are those of calls, and what a log calls missed.
var statuses = []string{"initiated", "ongoing", StatusRejected, StatusBusy, "cancelled", "unanswered", "ended", StatusMissed}

// HistoryParams ask for a page of the user's call log, newest first. What is empty chooses all.
type HistoryParams struct {
	Status       string `json:"status,omitempty"`       // of a call, or missed
	Type         string `json:"type,omitempty"`         // audio, video
	ReceiverType string `json:"receiverType,omitempty"` // user, group, session
	Direction    string `json:"direction,omitempty"`    // incoming, outgoing
	UID          string `json:"uid,omitempty"`          // calls with this other user
	GUID         string `json:"guid,omitempty"`         // calls of this group
	From         int64  `json:"from,omitempty"`         // initiated then or later, Unix milliseconds
	Until        int64  `json:"until,omitempty"`        // initiated before
	Attended     int    `json:"attended,omitempty"`     // at least so many users were in the room
	Cursor       string `json:"cursor,omitempty"`       // next of the page before
	Limit        *int   `json:"limit,omitempty"`        // 1 to MaxHistoryPage; nil: 30
}

// Size is how many calls the page shall have.
func (p HistoryParams) Size() int {
	if p.Limit == nil {
		return 30
	}
	return *p.Limit
}

// Validate checks the enumerations, ids, times and the size. Whether the cursor is one is for the history to say.
func (p HistoryParams) Validate() *Error {
	optional := func(field, got string, values ...string) *Error {
		if got == "" {
			return nil
		}
		return oneOf(CodeBadRequest, field, got, values...)
	}
	switch {
	case p.UID != "" && !ValidUID(p.UID):
		return bad("uid", "is not a uid")
	case p.GUID != "" && !ValidUID(p.GUID):
		return bad("guid", "is not a guid")
	case p.From < 0 || p.From > maxMillis:
		return bad("from", "must be Unix milliseconds")
	case p.Until < 0 || p.Until > maxMillis:
		return bad("until", "must be Unix milliseconds")
	case p.Attended < 0:
		return bad("attended", "must not be negative")
	case p.Limit != nil && (*p.Limit < 1 || *p.Limit > MaxHistoryPage):
		return bad("limit", "must be 1 to 100")
	case len(p.Cursor) > MaxIDLength:
		return bad("cursor", "is not a cursor of this server")
	}
	return first(optional("status", p.Status, statuses...), optional("type", p.Type, TypeAudio, TypeVideo),
		optional("receiverType", p.ReceiverType, ReceiverUser, ReceiverGroup, ReceiverSession),
		optional("direction", p.Direction, DirectionIncoming, DirectionOutgoing))
}

// maxMillis is the year 9999, the last that every language can write.
var maxMillis = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).UnixMilli()

// HistoryResult is a page of a log.
type HistoryResult struct {
	Calls List[LoggedCallView] `json:"calls"`
	Next  string               `json:"next,omitempty"` // cursor of the next page; absent on the last
}

// LoggedCallView is a call in a log: the call, and what came of it.
type LoggedCallView struct {
	CallView
	Direction       string             `json:"direction,omitempty"` // as the log's user saw it; absent in everybody's log
	Missed          bool               `json:"missed,omitempty"`    // by the log's user
	DurationSeconds float64            `json:"durationSeconds"`     // from the acceptance to the end, or until now
	Participants    List[AttendeeView] `json:"participants"`        // who was in the room, in the order in which they came
}

// AttendeeView is one user's time in the room, over all their devices.
type AttendeeView struct {
	User      UserView      `json:"user"`
	DeviceIDs List[string]  `json:"deviceIds"`        // the newest last
	Joins     int           `json:"joins"`            // how often they came in
	JoinedAt  int64         `json:"joinedAt"`         // first
	LeftAt    int64         `json:"leftAt,omitempty"` // last; absent while in the room
	Seconds   float64       `json:"seconds"`          // in the room
	Quality   *AverageScore `json:"quality,omitempty"`
}

// AverageScore sums up the scores of a user's connection, from 0 to 100.
type AverageScore struct {
	Worst float64 `json:"worst"`
	Mean  float64 `json:"mean"` // over time
}
