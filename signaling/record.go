package signaling

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/history"
	"github.com/parleyrtc/parley/signaling/journal"
)

// record is a call as the store has it. What is to be told of a change is written with the change itself, so that nothing can
// come between the two, and costs no write of its own.
type record struct {
	*call.Call
	notes
}

// notes is what a call's record has besides the call. Nobody changes the insides of notes; a change brings new ones.
type notes struct {
	Journal    journal.Journal    `json:"journal,omitzero"`     // what has not reached the outbox yet
	Attendance history.Attendance `json:"attendance,omitempty"` // who was in the room
}

// with returns the notes after a change. Entries up to handed are in the outbox and need not be kept.
func (n notes) with(handed uint64, change journal.Change, keep func(journal.Kind) bool) notes {
	entries := change.Entries()
	seen := slices.DeleteFunc(slices.Clone(entries), func(e journal.Entry) bool {
		m, _ := change.After.Member(e.UID)
		return m.Rights.Hidden // is in nobody's log, not even as a number
	})
	return notes{Journal: n.Journal.Next(handed, entries, keep), Attendance: n.Attendance.With(seen)}
}

// measured returns the notes with a new score of somebody's connection. It is on disk with the next change.
func (n notes) measured(now time.Time, uid string, score float64) notes {
	n.Attendance = n.Attendance.Measured(now, uid, score)
	return n
}

func encodeCall(r record) []byte {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // a call is plain data, and its metadata was checked when it came in
	}
	return text
}

func decodeCall(text []byte) (record, error) {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return record{}, fmt.Errorf("signaling: the stored call cannot be read: %w", err)
	}
	if r.Call == nil || r.ID == "" || len(r.Members) == 0 {
		return record{}, errors.New("signaling: the stored call is empty")
	}
	return r, nil
}
