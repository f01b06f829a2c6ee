package wire

import (
	"encoding/json"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// ID is the id of a request: a string or an integer, echoed as it came. The zero ID is written as null.
type ID struct{ text string }

// MarshalJSON writes the id as the client wrote it.
func (id ID) MarshalJSON() ([]byte, error) {
	if id.text == "" {
		return []byte("null"), nil
	}
	return []byte(id.text), nil
}

// String is the id as JSON, for logs.
func (id ID) String() string {
	text, _ := id.MarshalJSON()
	return string(text)
}

// Request is one checked request.
type Request struct {
	ID     ID
	Method string
	Params Params
	// MutationID is the client's name for a mutation; "" for every other method.
	MutationID string
}

// Offer reports whether the request is the one that may be longer than others and has a rate of its own.
func (r Request) Offer() bool { return r.Method == MethodSessionOffer }

// envelope is a JSON-RPC 2.0 request.
type envelope struct {
	Version string          `json:"jsonrpc" required:"true"`
	ID      json.RawMessage `json:"id" required:"true"`
	Method  string          `json:"method" required:"true"`
	Params  json.RawMessage `json:"params,omitempty"`
}

// Parse reads one message of a client. Lenient ignores unknown fields, for a client whose minor version is newer; hello finds
// that out by itself. The caller bounds the size. With an error the request has as much of ID and Method as could be read, for
// the reply and the log.
func Parse(message []byte, lenient bool) (Request, *Error) {
	var req Request
	if !utf8.Valid(message) {
		return req, &Error{RPC: RPCParse, Code: CodeBadRequest, Message: "The message is not UTF-8."}
	}
	if problem := inspect(message, reflect.TypeFor[envelope](), lenient); problem != nil {
		req.ID = salvageID(message)
		return req, problem.inEnvelope()
	}
	var env envelope
	if err := json.Unmarshal(message, &env); err != nil {
		return req, &Error{RPC: RPCRequest, Code: CodeBadRequest, Message: "The message is not a request."}
	}
	id, ok := parseID(env.ID)
	if !ok {
		return req, &Error{RPC: RPCRequest, Code: CodeBadRequest, Field: "id",
			Message: "The id must be an integer or a string of 1 to 64 characters."}
	}
	req.ID = id
	if env.Version != "2.0" {
		return req, &Error{RPC: RPCRequest, Code: CodeBadRequest, Field: "jsonrpc", Message: `This must be "2.0".`}
	}
	readParams, known := methods[env.Method]
	if !known {
		return req, &Error{RPC: RPCMethod, Code: CodeBadRequest, Field: "method", Message: "The method is unknown."}
	}
	req.Method = env.Method
	params, bad := readParams(Metadata(env.Params), lenient)
	if bad != nil {
		return req, bad
	}
	req.Params = params
	if m, ok := params.(mutation); ok {
		req.MutationID = m.mutationID()
	}
	return req, nil
}

// read checks and decodes the params of one method.
func read[P Params](raw []byte, lenient bool) (Params, *Error) {
	var params P
	if problem := inspect(raw, reflect.TypeFor[P](), lenient); problem != nil {
		return nil, problem.inParams()
	}
	if err := json.Unmarshal(raw, &params); err != nil {
		return nil, bad("", "The params have a value that cannot be read.")
	}
	if err := params.Validate(); err != nil {
		return nil, err
	}
	return params, nil
}

// readHello reads the params of hello leniently if they say that the client is newer.
func readHello(raw []byte, lenient bool) (Params, *Error) {
	var peek struct {
		Protocol string `json:"protocol"`
	}
	if json.Unmarshal(raw, &peek) == nil {
		_, newer := Version(peek.Protocol)
		lenient = lenient || newer
	}
	return read[HelloParams](raw, lenient)
}

// parseID accepts an integer of at most 64 bits or a string of 1 to MaxIDLength characters.
func parseID(raw json.RawMessage) (ID, bool) {
	if len(raw) > 0 && raw[0] == '"' {
		var s string
		err := json.Unmarshal(raw, &s)
		text, _ := json.Marshal(s)
		return ID{string(text)}, err == nil && s != "" && validText(s, MaxIDLength)
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return ID{strconv.FormatInt(n, 10)}, err == nil
}

// salvageID finds the id of a message that is not a proper request, so that the client can match the error.
func salvageID(message []byte) ID {
	var env struct {
		ID json.RawMessage `json:"id"`
	}
	if json.Unmarshal(message, &env) == nil {
		if id, ok := parseID(env.ID); ok {
			return id
		}
	}
	return ID{}
}
