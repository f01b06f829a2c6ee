package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// problem is what inspect found and where. Kind decides which JSON-RPC code it becomes.
type problem struct {
	kind    problemKind
	path    string // such as publications[2].mid
	message string
}

type problemKind int

const (
	notJSON problemKind = iota // syntax
	tooDeep                    // more than MaxDepth levels
	misfit                     // wrong type, unknown, twice or missing
)

func (p *problem) inEnvelope() *Error {
	if p.kind == notJSON {
		return &Error{RPC: RPCParse, Code: CodeBadRequest, Message: p.message}
	}
	if p.path == "" {
		return &Error{RPC: RPCRequest, Code: CodeBadRequest, Message: "The message must be one JSON object; batches are refused."}
	}
	return &Error{RPC: RPCRequest, Code: CodeBadRequest, Field: p.path, Message: p.message}
}

func (p *problem) inParams() *Error { return bad(p.path, p.message) }

// inspect walks a JSON text along a Go type before it is decoded. encoding/json alone would match names in any case, take
// the last of two equal keys, leave missing fields zero and not name the path of what it refuses.
func inspect(text []byte, t reflect.Type, lenient bool) *problem {
	w := walker{dec: json.NewDecoder(bytes.NewReader(text)), lenient: lenient}
	w.dec.UseNumber()
	if p := w.value(t, "", 0); p != nil {
		return p
	}
	if _, err := w.dec.Token(); err != io.EOF {
		return &problem{notJSON, "", "There is more than one JSON value in the message."}
	}
	return nil
}

type walker struct {
	dec     *json.Decoder
	lenient bool
}

var (
	rawType    = reflect.TypeFor[json.RawMessage]()
	rawPointer = reflect.TypeFor[*json.RawMessage]()
)

// value reads the next value, which must fit t. A nil t and json.RawMessage fit everything.
func (w *walker) value(t reflect.Type, path string, depth int) *problem {
	token, p := w.token()
	if p != nil {
		return p
	}
	if t == rawType || t == rawPointer {
		t = nil
	}
	nullable := t == nil
	for t != nil && t.Kind() == reflect.Pointer {
		t, nullable = t.Elem(), true
	}
	switch token := token.(type) {
	case json.Delim:
		if depth++; depth > MaxDepth {
			return &problem{tooDeep, path, "is nested too deeply"}
		}
		if token == '[' {
			return w.array(t, path, depth)
		}
		return w.object(t, path, depth)
	case nil:
		return fits(nullable, path, "must not be null")
	case bool:
		return fits(t == nil || t.Kind() == reflect.Bool, path, "must be true or false")
	case string:
		return fits(t == nil || t.Kind() == reflect.String, path, "must not be a string")
	case json.Number:
		return w.number(t, token, path)
	}
	return nil
}

func (w *walker) token() (json.Token, *problem) {
	token, err := w.dec.Token()
	if err != nil {
		return nil, &problem{notJSON, "", "The message is not JSON."}
	}
	return token, nil
}

// number reads what must be an integer, but where the protocol has a fraction.
func (w *walker) number(t reflect.Type, n json.Number, path string) *problem {
	if t == nil {
		return nil
	}
	var err error
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		_, err = strconv.ParseInt(n.String(), 10, 64)
	case reflect.Uint64:
		_, err = strconv.ParseUint(n.String(), 10, 64)
	case reflect.Float64:
		_, err = strconv.ParseFloat(n.String(), 64)
		return fits(err == nil, path, "must be a number in range")
	default:
		return fits(false, path, "must not be a number")
	}
	return fits(err == nil, path, "must be an integer in range")
}

func (w *walker) array(t reflect.Type, path string, depth int) *problem {
	if t != nil && t.Kind() != reflect.Slice {
		return fits(false, path, "must not be an array")
	}
	var elem reflect.Type
	if t != nil {
		elem = t.Elem()
	}
	for i := 0; w.dec.More(); i++ {
		at := path
		if t != nil {
			at += "[" + strconv.Itoa(i) + "]"
		}
		if p := w.value(elem, at, depth); p != nil {
			return p
		}
	}
	_, p := w.token()
	return p
}

func (w *walker) object(t reflect.Type, path string, depth int) *problem {
	if t != nil && t.Kind() != reflect.Struct {
		return fits(false, path, "must not be an object")
	}
	seen := map[string]bool{}
	for w.dec.More() {
		token, p := w.token()
		if p != nil {
			return p
		}
		name, _ := token.(string)
		if p := w.member(t, seen, name, join(path, name), depth, path); p != nil {
			return p
		}
	}
	if _, p := w.token(); p != nil {
		return p
	}
	return missing(t, seen, path)
}

// member reads the value of one key.
func (w *walker) member(t reflect.Type, seen map[string]bool, name, at string, depth int, path string) *problem {
	if t == nil {
		return w.value(nil, path, depth)
	}
	field, known := fieldNamed(t, name)
	switch {
	case !known && !w.lenient:
		return fits(false, at, "is unknown")
	case !known:
		return w.value(nil, path, depth)
	case seen[name]:
		return fits(false, at, "is there twice")
	}
	seen[name] = true
	if strings.HasSuffix(field.Tag.Get("json"), ",omitempty") {
		return w.value(reflect.PointerTo(field.Type), at, depth) // what may be absent may be null
	}
	return w.value(field.Type, at, depth)
}

func missing(t reflect.Type, seen map[string]bool, path string) *problem {
	if t == nil {
		return nil
	}
	for i := range t.NumField() {
		field := t.Field(i)
		if name := jsonName(field); field.Tag.Get("required") == "true" && !seen[name] {
			return fits(false, join(path, name), "is missing")
		}
	}
	return nil
}

func fieldNamed(t reflect.Type, name string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if field := t.Field(i); jsonName(field) == name {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

func fits(ok bool, path, message string) *problem {
	if ok {
		return nil
	}
	return &problem{misfit, path, message}
}

// join makes the path of a member. A name that the client made up is cut, as it comes back in the error.
func join(path, name string) string {
	if len(name) > 64 {
		name = strings.ToValidUTF8(name[:64], "") + "…"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}
