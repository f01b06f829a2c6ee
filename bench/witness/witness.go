// Package witness is participants of a call who can say how good it was.
//
// A witness publishes as a browser does (a microphone, and a camera in one size or three, with keyframes on request) and repairs
// what it gets as a browser does (NACK, RTX, RED, transport-wide feedback, requests for keyframes). What it shows and plays is
// judged by bench/verdict. pion makes its SDP, ICE and DTLS; media does not reach pion.
package witness

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/keys"
	"github.com/parleyrtc/parley/bench/verdict"
)

// Config says what a witness sends and how it receives.
type Config struct {
	Source     uint32 // names it in what it sends; each has its own
	Microphone bool
	Speaks     func(at time.Time) bool // nil: always
	Camera     []Size                  // from the smallest to the largest; none: no camera
	Layers     bool                    // the camera has three temporal layers
	Pairs      int                     // receive slot pairs; 0: none
	RoundTrip  time.Duration           // to the server: how long it waits for a repair, and repairs nothing twice; default 100 ms

	// What it does not offer, to compare with one that does.
	NoNACK     bool // for sound, and RTX for video; nor does it repair what it sends
	NoRED      bool
	NoFeedback bool // transport-wide, and so the server's congestion control

	// Answer may change the server's SDP, for instance to lead media through a netlab; nil leaves it.
	Answer func(sdp string) string
	Seed   uint64 // of the frames' sizes
}

// Tally is what a witness has got and sent.
type Tally struct {
	Packets    int // of RTP
	Bytes      int // of those, with the headers of IPv4 and UDP
	Padding    int // bytes of packets without media, with the same headers
	Media      int // bytes of payloads
	Repairs    int // RTX packets with media
	Copies     int // frames of sound that came as copies in RED
	Unreadable int // packets that did not open or say what they are
	Asked      int // keyframes the server asked of us
	Keyframes  int // requests of ours
	Resent     int // packets that the server had us send again
}

// sight is an eye and the stream that it looks at.
type sight struct {
	verdict.Eye
	ssrc  uint32
	began time.Time // first packet
	asked time.Time // a keyframe
}

// Witness is one participant. Its methods may be called from any goroutine.
type Witness struct {
	// set at construction
	cfg       Config
	port      *port
	epoch     time.Time
	stampBase uint32
	sender    uint32 // SSRC of what it reports
	ticking   sync.WaitGroup
	stop      chan struct{}

	// set by Join
	signaling *client.Client
	session   *client.Session

	mu       sync.Mutex
	in, out  *srtp.Context        // guarded by mu, as all below; nil before the handshake is over
	answer   answer               //
	sending  []*outgoing          //
	streams  map[uint32]*incoming // by SSRC
	eyes     map[uint32]*sight    // by source
	sounds   map[uint32][]verdict.Sound
	arrivals *twcc.Recorder
	wide     uint16 // newest transport-wide number
	plain    []byte
	tally    Tally
	began    time.Time // to send
	counter  int64     // of sound
	frame    uint32
	levelID  uint8
	nacked   time.Time
	reported time.Time
	fed      time.Time
}

// New makes a witness that is in no call.
func New(cfg Config) (*Witness, error) {
	if cfg.RoundTrip == 0 {
		cfg.RoundTrip = 100 * time.Millisecond
	}
	w := &Witness{cfg: cfg, epoch: time.Now(), stampBase: rand.Uint32(), sender: rand.Uint32(), stop: make(chan struct{}),
		streams: map[uint32]*incoming{}, eyes: map[uint32]*sight{}, sounds: map[uint32][]verdict.Sound{}, plain: make([]byte, 2048)}
	w.arrivals = twcc.NewRecorder(w.sender)
	var err error
	w.port, err = openPort(w.take)
	return w, err
}

// flightAgain is when libwebrtc sends a flight of the DTLS handshake again.
const flightAgain = 50 * time.Millisecond

// api builds PeerConnections on the port, without interceptors.
func (w *Witness) api() (*webrtc.API, error) {
	media, err := mediaEngine(w.cfg)
	if err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}}
	settings.SetICEUDPMux(w.port)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetIncludeLoopbackCandidate(true)
	// Media does not count as a sign of life, since pion does not see it; checks do.
	settings.SetICETimeouts(10*time.Second, 25*time.Second, 2*time.Second)
	settings.SetDTLSKeyLogWriter(&w.port.keys)
	settings.SetDTLSCipherSuites(keys.CipherSuite)
	settings.SetDTLSRetransmissionInterval(flightAgain)
	settings.SetSRTPProtectionProfiles(keys.Profile)
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(settings), webrtc.WithInterceptorRegistry(&interceptor.Registry{})), nil
}

// Join joins a call and begins to send as soon as the connection is up, which it does not wait for. The witness reads the
// client's events from then on.
func (w *Witness) Join(ctx context.Context, signaling *client.Client, sessionID string) error {
	api, err := w.api()
	if err != nil {
		return err
	}
	var sdp string
	tracks, local := w.tracks()
	pairs := w.cfg.Pairs
	if pairs <= 0 {
		pairs = -1 // none, and not the server's number
	}
	w.signaling = signaling
	w.ticking.Go(w.listen)
	w.session, err = signaling.Join(ctx, sessionID, client.SessionConfig{
		API: api, Tracks: local, Pairs: pairs, ICEServers: []webrtc.ICEServer{}, Offer: likeBrowsers,
		Answer: func(from string) string {
			sdp = from
			if w.cfg.Answer != nil {
				from = w.cfg.Answer(from)
			}
			return from
		},
	})
	if err != nil {
		return err
	}
	read, err := readAnswer(sdp)
	if err != nil {
		return fmt.Errorf("the server's answer: %w", err)
	}
	w.mu.Lock()
	w.answer = read
	err = w.begin(tracks)
	w.mu.Unlock()
	if err == nil {
		w.ticking.Go(w.tick)
	}
	return err
}

// tracks are what it publishes, and the same as a session wants it.
func (w *Witness) tracks() ([]*track, []client.LocalTrack) {
	var all []*track
	var local []client.LocalTrack
	if w.cfg.Microphone {
		t := &track{kind: webrtc.RTPCodecTypeAudio, mime: webrtc.MimeTypeOpus, id: "microphone"}
		all, local = append(all, t), append(local, client.LocalTrack{Track: t, Source: "microphone"})
	}
	for i, size := range w.cfg.Camera {
		t := &track{kind: webrtc.RTPCodecTypeVideo, mime: webrtc.MimeTypeVP8, id: "camera", rid: size.RID}
		all = append(all, t)
		if i == 0 {
			local = append(local, client.LocalTrack{Track: t, Source: "camera"})
			continue
		}
		local[len(local)-1].Larger = append(local[len(local)-1].Larger, t)
	}
	return all, local
}

// begin makes the streams of what was agreed. Where the server takes no simulcast, only the largest encoding is sent.
func (w *Witness) begin(tracks []*track) error {
	transceivers := w.session.PC.GetTransceivers()
	number := uint8(0)
	for i, t := range tracks {
		if !t.agreed {
			return fmt.Errorf("the server does not take %s %s", t.id, t.rid)
		}
		if t.kind == webrtc.RTPCodecTypeAudio {
			w.levelID = t.ids[uriAudioLevel]
			w.sending = append(w.sending, newOutgoing(t, transceivers[0].Mid(), 48000))
			continue
		}
		mid := transceivers[len(transceivers)-1-2*max(0, w.cfg.Pairs)].Mid() // behind the microphone, before the slots
		if len(w.cfg.Camera) > 1 && !w.answer.simulcast[mid] && i < len(tracks)-1 {
			number++
			continue
		}
		o := newOutgoing(t, mid, 90000)
		o.number = number
		o.encoder = &encoder{size: w.cfg.Camera[number], layers: w.cfg.Layers, random: rand.New(rand.NewPCG(w.cfg.Seed, uint64(number)))}
		w.sending = append(w.sending, o)
		number++
	}
	return nil
}

// ready makes the SRTP contexts as soon as the handshake allows.
func (w *Witness) ready() bool {
	if w.in != nil {
		return true
	}
	in, out, err := w.port.keys.Contexts()
	if err != nil {
		return false
	}
	w.in, w.out = in, out
	return true
}

// seal seals a packet under the next transport-wide number, sends it and returns it.
func (w *Witness) seal(header *rtp.Header, transportCC uint8, payload []byte) []byte {
	if transportCC != 0 {
		w.wide++
		_ = header.SetExtension(transportCC, []byte{byte(w.wide >> 8), byte(w.wide)}) // ids of an answer are good
	}
	plain, err := (&rtp.Packet{Header: *header, Payload: payload}).Marshal()
	if err != nil {
		return nil
	}
	sealed, err := w.out.EncryptRTP(nil, plain, nil)
	if err != nil {
		return nil
	}
	w.port.send(sealed)
	return sealed
}

// listen hears the server's events; it ends with the connection.
func (w *Witness) listen() {
	for ev := range w.signaling.Events() {
		if ev.Type == "session.publish" {
			w.mu.Lock()
			w.obey(ev)
			w.mu.Unlock()
		}
	}
}

// obey sends only what somebody watches.
func (w *Witness) obey(ev client.Event) {
	var body struct {
		Publications []struct {
			MID       string `json:"mid"`
			Active    bool   `json:"active"`
			Encodings []struct {
				RID    string `json:"rid"`
				Active bool   `json:"active"`
			} `json:"encodings"`
		} `json:"publications"`
	}
	if json.Unmarshal(ev.Data, &body) != nil {
		return // not an event of the protocol
	}
	for _, p := range body.Publications {
		for _, o := range w.sending {
			if o.mid != p.MID || o.encoder == nil {
				continue
			}
			o.paused = !p.Active
			for _, e := range p.Encodings {
				if e.RID == o.track.rid {
					o.paused = !p.Active || !e.Active
				}
			}
		}
	}
}

// Connected is closed when media can flow.
func (w *Witness) Connected() <-chan struct{} { return w.session.Connected() }

// Close ends the witness without a word, as a killed process does, and its signaling, if it has tried to join.
func (w *Witness) Close() {
	close(w.stop)
	if w.session != nil {
		w.session.Close()
	}
	if w.signaling != nil {
		w.signaling.Close()
	}
	w.ticking.Wait()
	w.port.close()
}
