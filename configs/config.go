// Package configs is the one configuration of a parley process: a strict YAML file, PARLEY_ variables and --set flags.
//
// Only cmd/parley imports it. Every other package has a small Config of its own, which cmd fills from here.
package configs

import "time"

// Off is the value of a listen address that says not to listen.
const Off = "off"

// DevKey is the API key id of parley serve --dev. It is public, so it is refused everywhere else.
const DevKey = "devkey"

// Config is everything an operator may say. Default has every default; configs/parley.yaml says why each is what it is.
type Config struct {
	HTTP      HTTP      `yaml:"http" envPrefix:"HTTP_"`
	Admin     Admin     `yaml:"admin" envPrefix:"ADMIN_"`
	Media     Media     `yaml:"media" envPrefix:"MEDIA_"`
	TURN      TURN      `yaml:"turn" envPrefix:"TURN_"`
	Calls     Calls     `yaml:"calls" envPrefix:"CALLS_"`
	Signaling Signaling `yaml:"signaling" envPrefix:"SIGNALING_"`
	Push      Push      `yaml:"push" envPrefix:"PUSH_"`
	Auth      Auth      `yaml:"auth" envPrefix:"AUTH_"`
	Webhooks  Webhooks  `yaml:"webhooks" envPrefix:"WEBHOOKS_"`
	Store     Store     `yaml:"store" envPrefix:"STORE_"`
	Log       Log       `yaml:"log" envPrefix:"LOG_"`
	Shutdown  Shutdown  `yaml:"shutdown" envPrefix:"SHUTDOWN_"`
}

// HTTP is the public listener: the call page, the SDKs, REST and the signaling WebSocket.
type HTTP struct {
	Listen            string        `yaml:"listen" env:"LISTEN"`
	CertFile          string        `yaml:"cert_file" env:"CERT_FILE"` // PEM; empty: plain HTTP
	KeyFile           string        `yaml:"key_file" env:"KEY_FILE"`
	TrustedProxies    []string      `yaml:"trusted_proxies" env:"TRUSTED_PROXIES"` // addresses or prefixes
	AllowedOrigins    []string      `yaml:"allowed_origins" env:"ALLOWED_ORIGINS"` // "https://app.example", or "*"
	ReadHeaderTimeout time.Duration `yaml:"read_header_timeout" env:"READ_HEADER_TIMEOUT"`
	ReadTimeout       time.Duration `yaml:"read_timeout" env:"READ_TIMEOUT"`
	WriteTimeout      time.Duration `yaml:"write_timeout" env:"WRITE_TIMEOUT"`
	IdleTimeout       time.Duration `yaml:"idle_timeout" env:"IDLE_TIMEOUT"`
	MaxHeaderBytes    int           `yaml:"max_header_bytes" env:"MAX_HEADER_BYTES"`
	MaxBodyBytes      int           `yaml:"max_body_bytes" env:"MAX_BODY_BYTES"`
	MaxConnections    int           `yaml:"max_connections" env:"MAX_CONNECTIONS"` // per remote address
	RequestRate       float64       `yaml:"request_rate" env:"REQUEST_RATE"`       // a second, per remote address
	RequestBurst      int           `yaml:"request_burst" env:"REQUEST_BURST"`
}

// Admin is the listener for /metrics and pprof. It has no authentication.
type Admin struct {
	Listen string `yaml:"listen" env:"LISTEN"` // or "off"
}

// Media is where RTP, ICE and DTLS arrive.
type Media struct {
	UDP       string   `yaml:"udp" env:"UDP"`
	TCP       string   `yaml:"tcp" env:"TCP"`             // or "off"
	Advertise []string `yaml:"advertise" env:"ADVERTISE"` // IP addresses; empty: those of the machine's interfaces
	Path      string   `yaml:"path" env:"PATH"`           // auto | fast | pion
	GSO       string   `yaml:"gso" env:"GSO"`             // auto | on | off
	Pacing    string   `yaml:"pacing" env:"PACING"`       // on | off
	// MaxBitrate is of what one client is sent, in bits per second.
	MaxBitrate int `yaml:"max_bitrate" env:"MAX_BITRATE"`
	Voices     int `yaml:"voices" env:"VOICES"` // microphones of one call that are forwarded
}

// TURN is the embedded TURN server, which relays to Media's addresses only.
type TURN struct {
	Enabled       bool          `yaml:"enabled" env:"ENABLED"`
	UDP           string        `yaml:"udp" env:"UDP"` // or "off", like TCP and TLS
	TCP           string        `yaml:"tcp" env:"TCP"`
	TLS           string        `yaml:"tls" env:"TLS"`
	CertFile      string        `yaml:"cert_file" env:"CERT_FILE"` // empty: the files of HTTP
	KeyFile       string        `yaml:"key_file" env:"KEY_FILE"`
	Host          string        `yaml:"host" env:"HOST"` // in the URLs given to clients; empty: the first media address
	RelayPortMin  int           `yaml:"relay_port_min" env:"RELAY_PORT_MIN"`
	RelayPortMax  int           `yaml:"relay_port_max" env:"RELAY_PORT_MAX"`
	Realm         string        `yaml:"realm" env:"REALM"`
	Quota         int           `yaml:"quota" env:"QUOTA"` // allocations per credential
	CredentialTTL time.Duration `yaml:"credential_ttl" env:"CREDENTIAL_TTL"`
	Secret        Secret        `yaml:"secret" env:"SECRET"` // empty: derived from the first API key
	SecretFile    string        `yaml:"secret_file" env:"SECRET_FILE"`
}

// Calls is how calls behave.
type Calls struct {
	RingTimeout     time.Duration `yaml:"ring_timeout" env:"RING_TIMEOUT"`
	Grace           time.Duration `yaml:"grace" env:"GRACE"`
	JoinDeadline    time.Duration `yaml:"join_deadline" env:"JOIN_DEADLINE"`
	WhenBusy        string        `yaml:"when_busy" env:"WHEN_BUSY"` // busy | ring
	Sessions        string        `yaml:"sessions" env:"SESSIONS"`   // granted | open
	AloneTimeout    time.Duration `yaml:"alone_timeout" env:"ALONE_TIMEOUT"`
	RingsPerMinute  int           `yaml:"rings_per_minute" env:"RINGS_PER_MINUTE"`
	Directory       string        `yaml:"directory" env:"DIRECTORY"` // open | closed
	HistoryTTL      time.Duration `yaml:"history_ttl" env:"HISTORY_TTL"`
	MaxParticipants int           `yaml:"max_participants" env:"MAX_PARTICIPANTS"`
	Pairs           int           `yaml:"pairs" env:"PAIRS"`
	MaxPairs        int           `yaml:"max_pairs" env:"MAX_PAIRS"`
}

// Signaling is the limits of the WebSocket, §1 and §2 of docs/protocol.md.
type Signaling struct {
	MaxSockets    int           `yaml:"max_sockets" env:"MAX_SOCKETS"`
	MaxPending    int           `yaml:"max_pending" env:"MAX_PENDING"` // of one address, before hello
	HelloTimeout  time.Duration `yaml:"hello_timeout" env:"HELLO_TIMEOUT"`
	IdleTimeout   time.Duration `yaml:"idle_timeout" env:"IDLE_TIMEOUT"`
	WriteTimeout  time.Duration `yaml:"write_timeout" env:"WRITE_TIMEOUT"`
	MessageBytes  int           `yaml:"message_bytes" env:"MESSAGE_BYTES"`
	OfferBytes    int           `yaml:"offer_bytes" env:"OFFER_BYTES"`
	SendMessages  int           `yaml:"send_messages" env:"SEND_MESSAGES"`
	SendBytes     int           `yaml:"send_bytes" env:"SEND_BYTES"`
	ResumeTime    time.Duration `yaml:"resume_time" env:"RESUME_TIME"`
	ResumeEvents  int           `yaml:"resume_events" env:"RESUME_EVENTS"`
	ResumeBytes   int           `yaml:"resume_bytes" env:"RESUME_BYTES"`
	MaxDevices    int           `yaml:"max_devices" env:"MAX_DEVICES"` // of one user
	TokenWarning  time.Duration `yaml:"token_warning" env:"TOKEN_WARNING"`
	RequestRate   float64       `yaml:"request_rate" env:"REQUEST_RATE"` // a second, per connection
	RequestBurst  int           `yaml:"request_burst" env:"REQUEST_BURST"`
	UserRate      float64       `yaml:"user_rate" env:"USER_RATE"` // a second, per user
	UserBurst     int           `yaml:"user_burst" env:"USER_BURST"`
	OfferRate     float64       `yaml:"offer_rate" env:"OFFER_RATE"` // a second, per connection
	OfferBurst    int           `yaml:"offer_burst" env:"OFFER_BURST"`
	MaxRefusals   int           `yaml:"max_refusals" env:"MAX_REFUSALS"`
	MaxMalformed  int           `yaml:"max_malformed" env:"MAX_MALFORMED"`
	InboxRequests int           `yaml:"inbox_requests" env:"INBOX_REQUESTS"`
}

// Auth is who may sign tokens and use REST.
type Auth struct {
	Keys      []Key         `yaml:"keys" envPrefix:"KEYS_"`
	TokenTTL  time.Duration `yaml:"token_ttl" env:"TOKEN_TTL"`
	OpenLogin bool          `yaml:"open_login" env:"OPEN_LOGIN"` // --dev only
}

// Roles of an API key. Every key signs users' tokens; a role opens REST to the key itself.
const (
	RoleNone  = "none"
	RoleRead  = "read"  // look at users, groups and calls
	RoleAdmin = "admin" // change them too
)

// Key is one API key of an operator's back end.
type Key struct {
	ID         string `yaml:"id" env:"ID"`
	Secret     Secret `yaml:"secret,omitempty" env:"SECRET"` // at least 32 characters
	SecretFile string `yaml:"secret_file,omitempty" env:"SECRET_FILE"`
	Role       string `yaml:"role" env:"ROLE"` // empty: none
}

// Store is where calls, users and groups are kept.
type Store struct {
	Dir string `yaml:"dir" env:"DIR"`
	URL string `yaml:"url" env:"URL"` // of a NATS cluster, instead of Dir
}

// Log is what the process writes to standard error.
type Log struct {
	Level  string `yaml:"level" env:"LEVEL"`   // debug | info | warn | error
	Format string `yaml:"format" env:"FORMAT"` // json | console
}

// Shutdown is how the process ends.
type Shutdown struct {
	Wait time.Duration `yaml:"wait" env:"WAIT"`
}

// Default returns the configuration of an empty file. It has no API key, which Load refuses, so that nobody runs with a
// key that others know.
func Default() Config {
	return Config{
		HTTP: HTTP{
			Listen: ":7700", TrustedProxies: []string{}, AllowedOrigins: []string{},
			ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
			WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
			MaxHeaderBytes: 16 << 10, MaxBodyBytes: 64 << 10, MaxConnections: 2048, RequestRate: 50, RequestBurst: 200,
		},
		Admin: Admin{Listen: "127.0.0.1:7702"},
		Media: Media{UDP: ":7701", TCP: ":7701", Advertise: []string{}, Path: "auto", GSO: "auto", Pacing: "on", MaxBitrate: 30_000_000, Voices: 3},
		TURN: TURN{
			Enabled: true, UDP: ":3478", TCP: ":3478", TLS: ":5349",
			RelayPortMin: 50000, RelayPortMax: 50999, Realm: "parley", Quota: 16, CredentialTTL: time.Hour,
		},
		Calls: Calls{
			RingTimeout: 45 * time.Second, Grace: 30 * time.Second, JoinDeadline: 30 * time.Second,
			WhenBusy: "busy", Sessions: "granted", AloneTimeout: 5 * time.Minute, RingsPerMinute: 6, Directory: "open", HistoryTTL: 30 * 24 * time.Hour,
			MaxParticipants: 50, Pairs: 4, MaxPairs: 28,
		},
		Signaling: defaultSignaling(),
		Push:      defaultPush(),
		Auth:      Auth{Keys: []Key{}, TokenTTL: time.Hour},
		Webhooks:  defaultWebhooks(),
		Store:     Store{Dir: "parley-data"},
		Log:       Log{Level: "info", Format: "json"},
		Shutdown:  Shutdown{Wait: 20 * time.Second},
	}
}

func defaultSignaling() Signaling {
	return Signaling{
		MaxSockets: 20_000, MaxPending: 256,
		HelloTimeout: 10 * time.Second, IdleTimeout: time.Minute, WriteTimeout: 10 * time.Second,
		MessageBytes: 64 << 10, OfferBytes: 512 << 10, SendMessages: 512, SendBytes: 1 << 20,
		ResumeTime: time.Minute, ResumeEvents: 512, ResumeBytes: 1 << 20, MaxDevices: 64,
		TokenWarning: time.Minute, RequestRate: 50, RequestBurst: 100, UserRate: 100, UserBurst: 200,
		OfferRate: 2, OfferBurst: 8, MaxRefusals: 200, MaxMalformed: 20, InboxRequests: 256,
	}
}
