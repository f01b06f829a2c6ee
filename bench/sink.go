package bench

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// Sink takes what a server tells others of its calls: it is a back end that receives webhooks, and Firebase for pushes, on the
// loopback interface. It accepts everything and counts it.
type Sink struct {
	server      *httptest.Server
	credentials string // of the service account

	hooks, pushes atomic.Int64
}

// NewSink starts a sink. The caller closes it.
func NewSink() (*Sink, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	s := &Sink{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hook", taken(&s.hooks, ""))
	mux.HandleFunc("POST /token", taken(nil, `{"access_token":"bench","expires_in":3599,"token_type":"Bearer"}`))
	mux.HandleFunc("POST /v1/projects/bench/messages:send", taken(&s.pushes, `{"name":"projects/bench/messages/0"}`))
	s.server = httptest.NewServer(mux)
	account, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "bench", "client_email": "bench@bench.example", "private_key_id": "bench",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": s.server.URL + "/token",
	})
	s.credentials = string(account)
	return s, err
}

// taken answers a request and counts it.
func taken(count *atomic.Int64, answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the connection can be used again
		if count != nil {
			count.Add(1)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer) // a server that is gone shows in the figures
	}
}

// Env makes a server send here what the arguments say.
func (s *Sink) Env(webhooks, push bool) []string {
	var env []string
	host, _, _ := net.SplitHostPort(s.server.Listener.Addr().String())
	if webhooks {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret) // never fails
		env = append(env, "PARLEY_WEBHOOKS_TARGETS_0_NAME=bench", "PARLEY_WEBHOOKS_TARGETS_0_URL="+s.server.URL+"/hook",
			"PARLEY_WEBHOOKS_TARGETS_0_SECRET=whsec_"+base64.StdEncoding.EncodeToString(secret), "PARLEY_WEBHOOKS_ALLOW="+host)
	}
	if push {
		env = append(env, "PARLEY_PUSH_FCM_CREDENTIALS="+s.credentials, "PARLEY_PUSH_FCM_URL="+s.server.URL)
	}
	return env
}

// Close ends the sink, after the server.
func (s *Sink) Close() { s.server.Close() }

// What each call leads to at least. Of pushes there may be fewer than calls: a ring that was answered before its push left needs none.
const (
	hooksPerCall = 3 // initiated, accepted, ended
	sinkWait     = 10 * time.Second
)

// settle waits until everything that so many calls lead to has come, and says what has not.
func (s *Sink) settle(calls int64, webhooks, push bool) error {
	deadline := time.Now().Add(sinkWait)
	for webhooks && s.hooks.Load() < calls*hooksPerCall {
		if time.Now().After(deadline) {
			return fmt.Errorf("only %d webhooks came of %d calls", s.hooks.Load(), calls)
		}
		time.Sleep(10 * time.Millisecond) // the meter has stopped
	}
	if push && calls > 0 && s.pushes.Load() == 0 {
		return fmt.Errorf("no push came of %d calls", calls)
	}
	return nil
}
