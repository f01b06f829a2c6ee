package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"golang.org/x/sync/errgroup"

	"github.com/parleyrtc/parley/bench/client"
)

// callPair is two users, one of whom calls the other again and again.
type callPair struct{ caller, callee *phone }

// openPairs signs everybody in. What it returns is to be closed even when it fails.
func openPairs(ctx context.Context, t Target, count int, p Progress) ([]*callPair, error) {
	users, err := t.names(2 * count)
	if err != nil {
		return nil, err
	}
	pairs := make([]*callPair, count)
	for i := range pairs {
		p.tell(Update{Phase: "signing in", Done: float64(2 * i), Total: float64(2 * count), Unit: "users"})
		if pairs[i], err = openPair(ctx, t, users[2*i], users[2*i+1]); err != nil {
			return pairs, err
		}
	}
	return pairs, nil
}

// openPair signs two users in. What it returns is to be closed even when it fails.
func openPair(ctx context.Context, t Target, caller, callee string) (*callPair, error) {
	p := &callPair{}
	var err error
	if p.caller, err = openPhone(ctx, t, caller); err != nil {
		return p, err
	}
	p.callee, err = openPhone(ctx, t, callee)
	return p, err
}

func (p *callPair) close() {
	if p == nil {
		return
	}
	for _, one := range []*phone{p.caller, p.callee} {
		if one != nil {
			one.close()
		}
	}
}

// call makes one call from ring to hang-up.
func (p *callPair) call(ctx context.Context, cfg CallsConfig) (callTimes, error) {
	began := time.Now()
	call, err := p.caller.Initiate(ctx, p.callee.uid, "user", "audio")
	if err != nil {
		return callTimes{}, fmt.Errorf("initiate: %w", err)
	}
	defer p.hangUp(call.SessionID)
	rung, err := p.callee.wait(ctx, "call.incoming", call.SessionID)
	if err != nil {
		return callTimes{}, err
	}
	times := callTimes{ring: rung.Sub(began)}
	accepted := time.Now()
	if _, err := p.callee.Accept(ctx, call.SessionID); err != nil {
		return times, fmt.Errorf("accept: %w", err)
	}
	if cfg.Signaling {
		answered, err := p.caller.wait(ctx, "call.accepted", call.SessionID)
		times.setup = answered.Sub(began)
		return times, err
	}
	heard, err := p.talk(ctx, call.SessionID)
	times.media, times.setup = heard.Sub(accepted), heard.Sub(began)
	return times, err
}

// hangUp ends a call, also one that failed, so that nobody is busy in the next one.
func (p *callPair) hangUp(sessionID string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, _ = p.caller.End(ctx, sessionID) // a call that does not end shows in the next one, which is refused
}

// talk joins on both sides and returns when the later of the two heard the first packet of the other.
func (p *callPair) talk(ctx context.Context, sessionID string) (time.Time, error) {
	var mu sync.Mutex
	var later time.Time
	both, joining := errgroup.WithContext(ctx)
	sides := make([]*talker, 2)
	for i, one := range []*phone{p.caller, p.callee} {
		both.Go(func() error {
			side, err := joinTalking(joining, one.Client, sessionID)
			if err != nil {
				return fmt.Errorf("join: %w", err)
			}
			sides[i] = side
			at, err := side.heard(joining)
			mu.Lock()
			defer mu.Unlock()
			if at.After(later) {
				later = at
			}
			return err
		})
	}
	err := both.Wait()
	for _, side := range sides {
		if side != nil {
			side.close()
		}
	}
	return later, err
}

// soundEvery is the time between two packets of sound.
const soundEvery = 20 * time.Millisecond

// silence is an Opus frame of 20 ms without sound, as browsers send it.
var silence = []byte{0xf8, 0xff, 0xfe}

// silentPion keeps pion from writing between our lines; what fails comes back as an error, or is missed at the other side.
func silentPion() logging.LoggerFactory {
	silent := logging.NewDefaultLoggerFactory()
	silent.DefaultLogLevel = logging.LogLevelDisabled
	return silent
}

// quietAPI makes PeerConnections with pion's usual codecs.
func quietAPI() (*webrtc.API, error) {
	codecs := &webrtc.MediaEngine{}
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(codecs), webrtc.WithSettingEngine(webrtc.SettingEngine{LoggerFactory: silentPion()})), nil
}

// talker is one device in a session that sends sound and notes when it first hears some.
type talker struct {
	session *client.Session
	first   chan time.Time // of the first packet, room for one
	stop    chan struct{}
	sending sync.WaitGroup
}

// joinTalking joins a session and sends a packet of sound every 20 ms as soon as the connection is there.
func joinTalking(ctx context.Context, c *client.Client, sessionID string) (*talker, error) {
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "audio", "bench")
	if err != nil {
		return nil, err
	}
	api, err := quietAPI()
	if err != nil {
		return nil, err
	}
	t := &talker{first: make(chan time.Time, 1), stop: make(chan struct{})}
	t.session, err = c.Join(ctx, sessionID, client.SessionConfig{
		API: api, Tracks: []client.LocalTrack{{Track: track, Source: "microphone"}},
		OnTrack: func(int, *webrtc.TrackRemote) { // pion calls it at the first packet
			select {
			case t.first <- time.Now():
			default:
			}
		},
	})
	if err != nil {
		return nil, err
	}
	t.sending.Go(func() {
		select {
		case <-t.session.Connected():
		case <-t.stop:
			return
		}
		tick := time.NewTicker(soundEvery)
		defer tick.Stop()
		for {
			_ = track.WriteSample(media.Sample{Data: silence, Duration: soundEvery}) // a closed session shows at the other side
			select {
			case <-tick.C:
			case <-t.stop:
				return
			}
		}
	})
	return t, nil
}

// heard waits for the first packet.
func (t *talker) heard(ctx context.Context) (time.Time, error) {
	select {
	case at := <-t.first:
		return at, nil
	case <-ctx.Done():
		return time.Now(), fmt.Errorf("no media arrived: %w", ctx.Err())
	}
}

func (t *talker) close() {
	close(t.stop)
	t.sending.Wait()
	t.session.Close()
}
