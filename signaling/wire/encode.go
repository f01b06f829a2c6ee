package wire

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Encode writes a result or the data of an event. Only a value that is not of this package's types, or metadata that is not
// JSON, gives an error.
func Encode(v any) (json.RawMessage, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("wire: encode %T: %w", v, err)
	}
	return text, nil
}

// Reply writes the answer to a request. Result is what Encode made, so that the answer to a repeated mutation can be kept.
func Reply(id ID, result json.RawMessage) []byte {
	message := make([]byte, 0, len(result)+64)
	message = append(message, `{"jsonrpc":"2.0","id":`...)
	message = append(message, id.String()...)
	message = append(message, `,"result":`...)
	message = append(message, result...)
	return append(message, '}')
}

// ErrorReply writes the refusal of a request. If Details cannot be written as JSON they are left out.
func ErrorReply(id ID, refusal *Error) []byte {
	text, err := json.Marshal(refusal)
	if err != nil {
		bare := *refusal
		bare.Details = nil
		text, _ = json.Marshal(&bare)
	}
	message := make([]byte, 0, len(text)+64)
	message = append(message, `{"jsonrpc":"2.0","id":`...)
	message = append(message, id.String()...)
	message = append(message, `,"error":`...)
	message = append(message, text...)
	return append(message, '}')
}

// Event writes an event with its number on one connection. Data is what Encode made, once for all who get the event.
func Event(seq uint64, kind string, at time.Time, data json.RawMessage) []byte {
	message := make([]byte, 0, len(data)+128)
	message = append(message, `{"jsonrpc":"2.0","method":"event","params":{"seq":`...)
	message = strconv.AppendUint(message, seq, 10)
	message = append(message, `,"type":"`...)
	message = append(message, kind...)
	message = append(message, `","at":`...)
	message = strconv.AppendInt(message, Millis(at), 10)
	message = append(message, `,"data":`...)
	message = append(message, data...)
	return append(message, '}', '}')
}
