package client

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/pion/webrtc/v4"
)

// SessionConfig says what a session publishes and how it connects.
type SessionConfig struct {
	// Tracks are published in this order; their Source is one of microphone, camera, screen, screenAudio.
	Tracks []LocalTrack
	// Pairs overrides the server's number of receive slot pairs when above zero; below zero there are none.
	Pairs int
	// Grow offers more pairs whenever the server asks for them (session.slotsNeeded), so that everybody is heard and seen.
	Grow bool
	// Policy restricts ICE, for instance to relay candidates only.
	Policy webrtc.ICETransportPolicy
	// ICEServers overrides the server's list when not nil.
	ICEServers []webrtc.ICEServer
	// Servers may change the server's list, for instance to lead TURN another way; nil leaves it.
	Servers func([]webrtc.ICEServer) []webrtc.ICEServer
	// API builds the PeerConnection; nil stands for webrtc's defaults.
	API *webrtc.API
	// Offer may change our SDP before the server gets it, for instance to leave out what browsers do; nil leaves it.
	Offer func(sdp string) string
	// Answer may change the server's SDP before it is used, for instance to lead media another way; nil leaves it.
	Answer func(sdp string) string
	// OnTrack is called once per receive slot that starts to carry packets, on a goroutine of its own.
	OnTrack func(pair int, track *webrtc.TrackRemote)
	// OnData is called for every data message to this participant; without it, none are fetched.
	OnData func(DataMessage)
	// DataAtOnce has the data channel in the first offer. Otherwise it is opened as the SDK does, when it is needed: at the
	// first Send, or when the server says that a message waits and there is an OnData.
	DataAtOnce bool
}

// LocalTrack is one published track.
type LocalTrack struct {
	Track webrtc.TrackLocal
	// Larger are the further encodings of simulcast, each larger than the one before. All of them and Track then have a RID, the
	// same ID and the same StreamID.
	Larger []webrtc.TrackLocal
	Source string
	Muted  bool
}

// Session is one device's media in one call. Its methods may be called concurrently.
type Session struct {
	// set at construction
	ID            string
	ParticipantID string
	Participants  []Participant // those who were there when this device joined
	PC            *webrtc.PeerConnection

	client    *Client
	cfg       SessionConfig
	data      dataLine
	chores    chores
	senders   []*webrtc.RTPTransceiver // by index of cfg.Tracks
	connected chan struct{}            // closed at the first connected state
	over      chan struct{}            // closed by Close
	ending    sync.Once
	reason    atomic.Pointer[string] // the server's, of session.closed

	growing  sync.Mutex // held while pairs are added
	offering sync.Mutex // one offer at a time, as the server demands

	mu    sync.Mutex
	slots []slotPair // guarded by mu; grows with AddPairs
}

type slotPair struct{ audio, video *webrtc.RTPTransceiver }

type joinResult struct {
	ParticipantID string        `json:"participantId"`
	Call          Call          `json:"call"`
	Participants  []Participant `json:"participants"`
	ICEServers    []iceServer   `json:"iceServers"`
	Pairs         int           `json:"pairs"`
	VideoCodec    string        `json:"videoCodec"`
}

type iceServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username"`
	Credential string   `json:"credential"`
}

// Join joins the session of a call and negotiates media; it returns when the answer is in, not when media flows (see Connected).
func (c *Client) Join(ctx context.Context, sessionID string, cfg SessionConfig) (*Session, error) {
	return c.enter(ctx, "session.join", map[string]any{"sessionId": sessionID, "mutationId": NewMutationID()}, cfg)
}

func (c *Client) enter(ctx context.Context, method string, params map[string]any, cfg SessionConfig) (*Session, error) {
	var joined joinResult
	if err := c.Request(ctx, method, params, &joined); err != nil {
		return nil, err
	}
	s := &Session{
		ID: joined.Call.SessionID, ParticipantID: joined.ParticipantID, Participants: joined.Participants,
		client: c, cfg: cfg, connected: make(chan struct{}), over: make(chan struct{}),
	}
	s.data.open = make(chan struct{})
	s.chores.init()
	if err := s.open(joined); err != nil {
		return nil, fmt.Errorf("open a PeerConnection for %s: %w", s.ID, err)
	}
	c.add(s)
	if err := s.Offer(ctx, false); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Session) open(joined joinResult) error {
	api := s.cfg.API
	if api == nil {
		media := &webrtc.MediaEngine{}
		if err := media.RegisterDefaultCodecs(); err != nil {
			return err
		}
		api = webrtc.NewAPI(webrtc.WithMediaEngine(media))
	}
	servers := s.cfg.ICEServers
	if servers == nil {
		for _, is := range joined.ICEServers {
			servers = append(servers, webrtc.ICEServer{URLs: is.URLs, Username: is.Username, Credential: is.Credential})
		}
	}
	if s.cfg.Servers != nil {
		servers = s.cfg.Servers(servers)
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{
		ICEServers: servers, ICETransportPolicy: s.cfg.Policy, BundlePolicy: webrtc.BundlePolicyMaxBundle,
	})
	if err != nil {
		return err
	}
	s.PC = pc
	var once sync.Once
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(s.connected) })
		}
	})
	pc.OnTrack(s.onTrack)
	pairs := joined.Pairs
	if s.cfg.Pairs != 0 {
		pairs = max(s.cfg.Pairs, 0)
	}
	if err := s.addMedia(pairs); err != nil {
		s.Close()
		return err
	}
	return nil
}

// addMedia lays out the m-lines in the protocol's order: published tracks, receive pairs, and the data channel if it is wanted
// at once, or there is nothing else to connect for.
func (s *Session) addMedia(pairs int) error {
	for _, t := range s.cfg.Tracks {
		tr, err := s.PC.AddTransceiverFromTrack(t.Track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			return fmt.Errorf("publish %s: %w", t.Source, err)
		}
		for _, larger := range t.Larger {
			if err := tr.Sender().AddEncoding(larger); err != nil {
				return fmt.Errorf("publish %s in several sizes: %w", t.Source, err)
			}
		}
		s.senders = append(s.senders, tr)
		go drainRTCP(tr.Sender())
	}
	if err := s.addPairs(pairs); err != nil {
		return err
	}
	if !s.cfg.DataAtOnce && len(s.PC.GetTransceivers()) > 0 {
		return nil
	}
	s.data.offered = true
	return s.createData()
}

func (s *Session) addPairs(n int) error {
	recv := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	for range n {
		audio, err := s.PC.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, recv)
		if err != nil {
			return err
		}
		video, err := s.PC.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, recv)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.slots = append(s.slots, slotPair{audio, video})
		s.mu.Unlock()
	}
	return nil
}

// drainRTCP reads a sender's RTCP so that pion's interceptors see it; it ends with the PeerConnection.
func drainRTCP(sender *webrtc.RTPSender) {
	buf := make([]byte, 1500)
	for {
		if _, _, err := sender.Read(buf); err != nil {
			return
		}
	}
}

func (s *Session) onTrack(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	if s.cfg.OnTrack == nil {
		return
	}
	s.mu.Lock()
	slots := s.slots
	s.mu.Unlock()
	for i, p := range slots {
		if p.audio.Receiver() == receiver || p.video.Receiver() == receiver {
			s.cfg.OnTrack(i, track)
			return
		}
	}
}

// AddPairs grows the pool of receive slots to n pairs and negotiates, as session.slotsNeeded asks for.
func (s *Session) AddPairs(ctx context.Context, n int) error {
	s.growing.Lock()
	defer s.growing.Unlock()
	s.mu.Lock()
	more := n - len(s.slots)
	s.mu.Unlock()
	if more <= 0 {
		return nil
	}
	if err := s.addPairs(more); err != nil {
		return err
	}
	return s.Offer(ctx, false)
}

// Offer negotiates the session's present tracks and slots; restart asks for an ICE restart.
func (s *Session) Offer(ctx context.Context, restart bool) error {
	s.offering.Lock()
	defer s.offering.Unlock()
	offer, err := s.PC.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(s.PC)
	if err := s.PC.SetLocalDescription(offer); err != nil {
		return err
	}
	if s.cfg.Policy == webrtc.ICETransportPolicyRelay {
		// pion pairs only what it has gathered when the answer comes; the relay candidate takes a round trip or two.
		select {
		case <-gathered:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	sdp := s.PC.LocalDescription().SDP
	if s.cfg.Offer != nil {
		sdp = s.cfg.Offer(sdp)
	}
	params := map[string]any{
		"sessionId": s.ID, "sdp": sdp,
		"publications": s.publications(), "slots": s.slotList(),
	}
	if restart {
		params["iceRestart"] = true
	}
	var answer struct {
		SDP string `json:"sdp"`
	}
	if err := s.client.Request(ctx, "session.offer", params, &answer); err != nil {
		return err
	}
	if s.cfg.Answer != nil {
		answer.SDP = s.cfg.Answer(answer.SDP)
	}
	return s.PC.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer.SDP})
}

func (s *Session) publications() []map[string]any {
	list := []map[string]any{}
	for i, t := range s.cfg.Tracks {
		list = append(list, map[string]any{"mid": s.senders[i].Mid(), "source": t.Source, "muted": t.Muted})
	}
	return list
}

func (s *Session) slotList() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []map[string]any{}
	for i, p := range s.slots {
		list = append(list, map[string]any{"pair": i, "audioMid": p.audio.Mid(), "videoMid": p.video.Mid()})
	}
	return list
}

// Connected is closed when ICE and DTLS have come up for the first time.
func (s *Session) Connected() <-chan struct{} { return s.connected }

// Leave tells the server and closes the PeerConnection.
func (s *Session) Leave(ctx context.Context) error {
	err := s.client.Request(ctx, "session.leave", map[string]any{"sessionId": s.ID, "mutationId": NewMutationID()}, nil)
	s.Close()
	return err
}

// Mute tells the others that a published track is muted, or not any more; what is sent is the application's business.
// publicationID is in the session.updated event of this participant.
func (s *Session) Mute(ctx context.Context, publicationID string, muted bool) error {
	return s.client.Request(ctx, "session.mute", map[string]any{"sessionId": s.ID, "publicationId": publicationID, "muted": muted}, nil)
}

// Closed is closed when this device is out of the session: by Leave, by Close, or because the server said so.
func (s *Session) Closed() <-chan struct{} { return s.over }

// Reason is why the server closed the session, one of the reasons of session.closed; empty when it did not.
func (s *Session) Reason() string {
	if reason := s.reason.Load(); reason != nil {
		return *reason
	}
	return ""
}

// Close closes the PeerConnection without a word to the server, as a killed process does. Once is enough; when the server
// closes the session it is done by itself.
func (s *Session) Close() {
	s.client.remove(s)
	s.chores.end()
	_ = s.PC.GracefulClose()
	s.ending.Do(func() { close(s.over) })
}
