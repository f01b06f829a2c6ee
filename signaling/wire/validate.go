package wire

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ValidUID reports whether s can be a uid or guid: 1–128 characters of A–Z a–z 0–9 . _ - @ : +
func ValidUID(s string) bool { return ValidName(s, MaxUIDLength, "._-@:+") }

// ValidSessionID reports whether s can be a sessionId: 1–128 characters of A–Z a–z 0–9 . _ - :
func ValidSessionID(s string) bool { return ValidName(s, MaxSessionID, "._-:") }

// ValidID reports whether s can be a device, connection, participant or publication id: 1–64 characters of A–Z a–z 0–9 . _ -
func ValidID(s string) bool { return ValidName(s, MaxIDLength, "._-") }

// validMID follows the token of RFC 5888 §4 (RFC 4566 §9), at most MaxMIDLength long.
func validMID(s string) bool { return ValidName(s, MaxMIDLength, "!#$%&'*+-.^_`{|}~") }

// ValidName reports whether s has 1 to most bytes, each an ASCII letter, a digit, or one of also.
func ValidName(s string, most int, also string) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte(also, c) < 0 {
			return false
		}
	}
	return true
}

// validText reports whether s is free text of at most most characters without control characters.
func validText(s string, most int) bool {
	return utf8.RuneCountInString(s) <= most && strings.IndexFunc(s, unicode.IsControl) < 0
}

// first returns the first error that is not nil.
func first(errs ...*Error) *Error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// oneOf says that a field must have one of the values.
func oneOf(code, field, got string, values ...string) *Error {
	for _, v := range values {
		if got == v {
			return nil
		}
	}
	return badAs(code, field, "must be one of "+strings.Join(values, ", "))
}

func checkSessionID(s string) *Error {
	switch {
	case s == "":
		return badAs(CodeEmptySessionID, "sessionId", "must not be empty")
	case !ValidSessionID(s):
		return bad("sessionId", "is not a sessionId")
	}
	return nil
}

func checkMutationID(s string) *Error {
	if s == "" || !validText(s, MaxMutationID) {
		return bad("mutationId", "must be 1 to 64 characters")
	}
	return nil
}

// checkID is for ids that the server made and the client brings back.
func checkID(field, s string) *Error {
	if !ValidID(s) {
		return bad(field, "is not an id of this server")
	}
	return nil
}

// Validate checks the version's form, the ids and the lengths; whether the version is supported is for Version to say.
func (p HelloParams) Validate() *Error {
	if _, _, ok := splitVersion(p.Protocol); !ok {
		return bad("protocol", "must be MAJOR.MINOR")
	}
	if !validText(p.Client.Name, MaxIDLength) {
		return bad("client.name", "must be at most 64 characters")
	}
	if !validText(p.Client.Version, MaxIDLength) {
		return bad("client.version", "must be at most 64 characters")
	}
	if p.DeviceID != "" && !ValidID(p.DeviceID) {
		return bad("deviceId", "is not an id of this server")
	}
	if p.Resume != nil {
		return checkID("resume.connectionId", p.Resume.ConnectionID)
	}
	return nil
}

// Validate has nothing to check: a bad token is found by signaling/token.
func (p TokenRenewParams) Validate() *Error { return nil }

// Validate has nothing to check.
func (p PingParams) Validate() *Error { return nil }

// Validate checks receiver, types, ring time, metadata and mutationId.
func (p InitiateParams) Validate() *Error {
	var receiver, timeout, metadata *Error
	switch {
	case p.ReceiverID == "":
		receiver = badAs(CodeEmptyReceiver, "receiverId", "must not be empty")
	case !ValidUID(p.ReceiverID):
		receiver = bad("receiverId", "must be 1 to 128 characters of A-Z a-z 0-9 . _ - @ : +")
	}
	if t := p.RingTimeout(); p.TimeoutSeconds != nil && (t < MinRing || t > MaxRing) {
		timeout = bad("timeoutSeconds", "must be 5 to 300")
	}
	if len(p.Metadata) > MaxMetadata {
		metadata = bad("metadata", "must be at most 4096 bytes of JSON")
	}
	return first(receiver,
		oneOf(CodeInvalidReceiverType, "receiverType", p.ReceiverType, ReceiverUser, ReceiverGroup),
		oneOf(CodeBadRequest, "type", p.Type, TypeAudio, TypeVideo),
		timeout, metadata, checkMutationID(p.MutationID))
}

// Validate checks sessionId and mutationId.
func (p AcceptParams) Validate() *Error {
	return first(checkSessionID(p.SessionID), checkMutationID(p.MutationID))
}

// Validate checks sessionId, status and mutationId.
func (p RejectParams) Validate() *Error {
	return first(checkSessionID(p.SessionID),
		oneOf(CodeBadRequest, "status", p.Status, StatusRejected, StatusBusy), checkMutationID(p.MutationID))
}

// Validate checks sessionId and mutationId.
func (p CancelParams) Validate() *Error {
	return first(checkSessionID(p.SessionID), checkMutationID(p.MutationID))
}

// Validate checks sessionId and mutationId.
func (p EndParams) Validate() *Error {
	return first(checkSessionID(p.SessionID), checkMutationID(p.MutationID))
}

// Validate checks sessionId.
func (p GetParams) Validate() *Error { return checkSessionID(p.SessionID) }

// Validate has nothing to check.
func (p ActiveParams) Validate() *Error { return nil }

// Validate checks sessionId and mutationId.
func (p JoinParams) Validate() *Error {
	return first(checkSessionID(p.SessionID), checkMutationID(p.MutationID))
}

// Validate checks sessionId, the SDP's size, and that every m-line and pair is named once. Whether the SDP parses and has these
// m-lines is for the media side to say.
func (p OfferParams) Validate() *Error {
	return first(checkSessionID(p.SessionID), checkOffer(p.SDP, p.Publications, p.Slots))
}

// Validate has nothing to check.
func (p TestParams) Validate() *Error { return nil }

// Validate checks testId, leg, and what an offer has.
func (p TestOfferParams) Validate() *Error {
	return first(checkID("testId", p.TestID), checkID("leg", p.Leg), checkOffer(p.SDP, p.Publications, p.Slots))
}

// Validate checks testId.
func (p TestEndParams) Validate() *Error { return checkID("testId", p.TestID) }

func checkOffer(sdp string, publications []Publication, slots []Slot) *Error {
	if sdp == "" || len(sdp) > MaxSDP || strings.IndexByte(sdp, 0) >= 0 {
		return badAs(CodeSDPInvalid, "sdp", "must be an SDP of at most 512 KiB")
	}
	if len(publications)+2*len(slots)+1 > MaxMediaLines {
		return badAs(CodeSDPTooManyMedia, "slots", "publications, slots and the data channel must need at most 64 m-lines")
	}
	mids, pairs := map[string]bool{}, map[int]bool{}
	for i, pub := range publications {
		at := "publications[" + strconv.Itoa(i) + "]"
		if err := first(checkMID(mids, at+".mid", pub.MID), oneOf(CodeBadRequest, at+".source", pub.Source,
			SourceMicrophone, SourceCamera, SourceScreen, SourceScreenAudio)); err != nil {
			return err
		}
	}
	for i, slot := range slots {
		at := "slots[" + strconv.Itoa(i) + "]"
		if err := first(checkPair(pairs, at, slot.Pair), checkMID(mids, at+".audioMid", slot.AudioMID), checkMID(mids, at+".videoMid", slot.VideoMID)); err != nil {
			return err
		}
	}
	return nil
}

// checkMID also notes the mid, so that no m-line has two uses.
func checkMID(seen map[string]bool, field, mid string) *Error {
	if !validMID(mid) || seen[mid] {
		return bad(field, "must be the mid of an m-line, 1 to 16 characters, named once")
	}
	seen[mid] = true
	return nil
}

// Validate checks sessionId and publicationId.
func (p MuteParams) Validate() *Error {
	return first(checkSessionID(p.SessionID), checkID("publicationId", p.PublicationID))
}

// Validate checks sessionId, and that every pair is named once with values in range.
func (p WishParams) Validate() *Error {
	if err := checkSessionID(p.SessionID); err != nil {
		return err
	}
	pairs := map[int]bool{}
	for i, slot := range p.Slots {
		at := "slots[" + strconv.Itoa(i) + "]"
		if err := first(checkPair(pairs, at, slot.Pair), checkPicture(at, slot.Width, slot.Height, slot.FrameRate)); err != nil {
			return err
		}
	}
	return nil
}

// Validate checks sessionId, and that every pair is named once with values in range.
func (p StatsParams) Validate() *Error {
	if err := checkSessionID(p.SessionID); err != nil {
		return err
	}
	pairs := map[int]bool{}
	for i, slot := range p.Slots {
		at := "slots[" + strconv.Itoa(i) + "]"
		var concealed float64
		if slot.Concealed != nil {
			concealed = *slot.Concealed
		}
		if err := first(checkPair(pairs, at, slot.Pair), checkPicture(at, slot.Width, slot.Height, slot.FrameRate),
			checkRange(at+".concealed", concealed, 1), checkRange(at+".frozen", slot.Frozen, 1),
			checkRange(at+".jitterBufferMs", slot.JitterBufferMS, MaxJitterMS)); err != nil {
			return err
		}
	}
	return nil
}

// checkPair also notes the pair, so that none is named twice; that bounds their number.
func checkPair(seen map[int]bool, at string, pair int) *Error {
	if pair < 0 || pair >= MaxPairs || seen[pair] {
		return bad(at+".pair", "must be 0 to "+strconv.Itoa(MaxPairs-1)+" and named once")
	}
	seen[pair] = true
	return nil
}

func checkPicture(at string, width, height int, frameRate float64) *Error {
	return first(checkRange(at+".width", float64(width), MaxSide), checkRange(at+".height", float64(height), MaxSide),
		checkRange(at+".frameRate", frameRate, MaxFrameRate))
}

// checkRange refuses what is not from 0 to most; JSON has no NaN.
func checkRange(field string, value, most float64) *Error {
	if value < 0 || value > most {
		return bad(field, "must be 0 to "+strconv.FormatFloat(most, 'f', -1, 64))
	}
	return nil
}

// Validate checks sessionId.
func (p ICEServersParams) Validate() *Error { return checkSessionID(p.SessionID) }

// Validate checks sessionId and mutationId.
func (p LeaveParams) Validate() *Error {
	return first(checkSessionID(p.SessionID), checkMutationID(p.MutationID))
}
