package wire

// Empty is the result {}.
type Empty struct{}

// HelloResult answers hello. Snapshot is nil when the connection was resumed.
type HelloResult struct {
	Protocol       string    `json:"protocol"`
	ConnectionID   string    `json:"connectionId"`
	DeviceID       string    `json:"deviceId"`
	User           UserView  `json:"user"`
	Resumed        bool      `json:"resumed"`
	LastSeq        uint64    `json:"lastSeq"`
	ServerTime     int64     `json:"serverTime"`
	TokenExpiresAt int64     `json:"tokenExpiresAt"`
	Limits         Limits    `json:"limits"`
	Snapshot       *Snapshot `json:"snapshot,omitempty"`
}

// Limits tells a client what the server takes.
type Limits struct {
	MessageBytes  int `json:"messageBytes"`
	OfferBytes    int `json:"offerBytes"`
	ResumeSeconds int `json:"resumeSeconds"`
}

// Snapshot is everything a client must know that did not resume.
type Snapshot struct {
	Calls List[CallView] `json:"calls"`
}

// RenewResult answers token.renew.
type RenewResult struct {
	TokenExpiresAt int64 `json:"tokenExpiresAt"`
}

// PingResult answers ping.
type PingResult struct {
	ServerTime int64 `json:"serverTime"`
}

// CallResult answers the methods that change or show one call.
type CallResult struct {
	Call CallView `json:"call"`
}

// CallsResult answers call.active.
type CallsResult struct {
	Calls List[CallView] `json:"calls"`
}

// JoinResult answers session.join.
type JoinResult struct {
	ParticipantID string                `json:"participantId"`
	Call          CallView              `json:"call"`
	Participants  List[ParticipantView] `json:"participants"`
	ICEServers    List[ICEServer]       `json:"iceServers"`
	Pairs         int                   `json:"pairs"`
	VideoCodec    string                `json:"videoCodec"`
	Rights        RightsView            `json:"rights"`
}

// TestResult answers connection.test.
type TestResult struct {
	TestID     string          `json:"testId"`
	ICEServers List[ICEServer] `json:"iceServers"`
	VideoCodec string          `json:"videoCodec"`
}

// OfferResult answers session.offer and connection.testOffer.
type OfferResult struct {
	SDP string `json:"sdp"`
}

// ICEServersResult answers session.iceServers.
type ICEServersResult struct {
	ICEServers List[ICEServer] `json:"iceServers"`
}
