// Package wire turns the bytes of the client protocol into checked values and back.
//
// docs/protocol.md is the contract. Parse is the door: what it returns has known fields only, the right types and values in
// range, so that nobody behind it checks again. Everything here is plain data and functions without state; all of it may be
// used from several goroutines.
package wire

import (
	"strconv"
	"strings"
	"time"
)

// Protocol is the version this server speaks, as MAJOR.MINOR.
const Protocol = "1.0"

// Limits of single values. The sizes of whole messages are the caller's business.
const (
	MaxDepth      = 32        // nested arrays and objects in one message
	MaxIDLength   = 64        // characters of a request id, device id, connection id, participant id or publication id
	MaxUIDLength  = 128       // characters of a uid or guid
	MaxSessionID  = 128       // characters of a sessionId
	MaxMutationID = 64        // characters of a mutationId
	MaxMetadata   = 4 << 10   // bytes of a call's metadata
	MaxSDP        = 512 << 10 // bytes of one SDP
	MaxMediaLines = 64        // m-lines of one SDP
	MaxPairs      = 28        // receive pairs of one participant: with 4 publications and the data channel 61 m-lines
	MaxMIDLength  = 16        // characters of a mid
	MaxSide       = 16384     // pixels of a picture's side: twice 8K
	MaxFrameRate  = 240       // frames a second
	MaxJitterMS   = 60_000    // milliseconds of a jitter buffer
	MinRing       = 5 * time.Second
	MaxRing       = 300 * time.Second
)

// Version compares a client's protocol version with the server's. Supported says that the major versions are the same, newer
// that the client's minor version is newer, so that its unknown fields are ignored. A malformed version is not supported.
func Version(protocol string) (supported, newer bool) {
	major, minor, ok := splitVersion(protocol)
	ourMajor, ourMinor, _ := splitVersion(Protocol)
	if !ok || major != ourMajor {
		return false, false
	}
	return true, minor > ourMinor
}

func splitVersion(s string) (major, minor uint64, ok bool) {
	a, b, found := strings.Cut(s, ".")
	major, errMajor := strconv.ParseUint(a, 10, 16)
	minor, errMinor := strconv.ParseUint(b, 10, 16)
	return major, minor, found && errMajor == nil && errMinor == nil
}

// Millis is a time as the protocol writes it: Unix milliseconds, and 0 for the zero time.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
