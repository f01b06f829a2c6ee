package history

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/parleyrtc/parley/signaling/wire"
)

// The formats of an export.
const (
	CSV       = "csv"
	JSONLines = "jsonl"
)

// Columns are those of the CSV export, one row for a call. What is a list in JSON is summed up here.
func Columns() []string {
	return []string{
		"sessionId", "type", "receiverType", "initiator", "receiver", "status", "reason", "direction", "missed", "initiatedAt", "startedAt",
		"endedAt", "durationSeconds", "participants", "participantSeconds", "worstQuality", "meanQuality",
	}
}

// Exporter writes calls one after the other.
type Exporter struct {
	csv  *csv.Writer // nil: JSON Lines
	json *json.Encoder
}

// NewExporter begins an export in the format, which for CSV has a line of column names. Nothing of it is in w before Flush.
func NewExporter(w io.Writer, format string) (*Exporter, error) {
	if format != CSV {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		return &Exporter{json: encoder}, nil
	}
	e := &Exporter{csv: csv.NewWriter(w)}
	return e, e.csv.Write(Columns())
}

// Write writes one call.
func (e *Exporter) Write(c wire.LoggedCallView) error {
	if e.csv == nil {
		return e.json.Encode(c)
	}
	return e.csv.Write(cells(c))
}

// Flush brings what was written to the writer below.
func (e *Exporter) Flush() error {
	if e.csv == nil {
		return nil
	}
	e.csv.Flush()
	return e.csv.Error()
}

// cells are the columns of one call. Times are RFC 3339; several participants are separated by spaces, which no uid has.
func cells(c wire.LoggedCallView) []string {
	receiver := c.Receiver.UID + c.Receiver.GUID + c.Receiver.Session // it is one of them
	var who, long, worst, mean []string
	for _, p := range c.Participants {
		who = append(who, p.User.UID)
		long = append(long, number(p.Seconds))
		if p.Quality != nil {
			worst, mean = append(worst, number(p.Quality.Worst)), append(mean, number(p.Quality.Mean))
		} else {
			worst, mean = append(worst, "-"), append(mean, "-")
		}
	}
	row := []string{
		c.SessionID, c.Type, c.ReceiverType, c.Initiator.UID, receiver, c.Status, c.Reason, c.Direction, strconv.FormatBool(c.Missed),
		moment(c.InitiatedAt), moment(c.StartedAt), moment(c.EndedAt), number(c.DurationSeconds),
		strings.Join(who, " "), strings.Join(long, " "), strings.Join(worst, " "), strings.Join(mean, " "),
	}
	for i := range row {
		row[i] = harmless(row[i])
	}
	return row
}

// harmless keeps a spreadsheet from taking text for a formula, as a uid such as @SUM or +1 is (OWASP, CSV injection). The
// apostrophe is what spreadsheets themselves use to mark text.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n'", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func moment(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
