package push

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// pushed is one push as a fake has accepted it.
type pushed struct {
	token  string
	header http.Header
	body   []byte
	data   map[string]string // what the app sees
}

// mailbox has what a fake accepted and answers as the test says.
type mailbox struct {
	t testing.TB

	mu     sync.Mutex
	got    []pushed
	tries  int
	grown  chan struct{}
	answer func(try int, token string) (status int, header map[string]string, body string) // nil: accept
	hang   chan struct{}                                                                   // not nil: no answer until it is closed
}

func (m *mailbox) says(answer func(try int, token string) (int, map[string]string, string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answer = answer
}

// receive answers one push the way the test wants, or accepts it.
func (m *mailbox) receive(w http.ResponseWriter, p pushed, accept func()) {
	m.mu.Lock()
	m.tries++
	try, answer, hang := m.tries, m.answer, m.hang
	m.mu.Unlock()
	if hang != nil {
		<-hang
		return
	}
	if answer != nil {
		if status, header, body := answer(try, p.token); status != 0 {
			if status < 0 { // reset the connection
				panic(http.ErrAbortHandler)
			}
			for name, value := range header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return
		}
	}
	accept()
	m.mu.Lock()
	m.got = append(m.got, p)
	if m.grown != nil {
		close(m.grown)
		m.grown = nil
	}
	m.mu.Unlock()
}

func (m *mailbox) attempts() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tries
}

// awaits waits until n pushes were accepted.
func (m *mailbox) awaits(n int) []pushed {
	m.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		m.mu.Lock()
		if len(m.got) >= n {
			defer m.mu.Unlock()
			return m.got
		}
		if m.grown == nil {
			m.grown = make(chan struct{})
		}
		grown, had := m.grown, len(m.got)
		m.mu.Unlock()
		select {
		case <-grown:
		case <-deadline:
			m.t.Fatalf("%d pushes were accepted, want %d", had, n)
		}
	}
}

// fakeFCM speaks Google's OAuth token endpoint and FCM's HTTP v1.
type fakeFCM struct {
	mailbox
	server *httptest.Server
	key    *rsa.PrivateKey
	tokens int    // given out; guarded by mu
	bearer string // the one that is good; guarded by mu
}

func newFakeFCM(t testing.TB) *fakeFCM {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeFCM{mailbox: mailbox{t: t}, key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", f.token)
	mux.HandleFunc("POST /v1/projects/{project}/messages:send", f.send)
	f.server = httptest.NewServer(mux)
	t.Cleanup(f.server.Close)
	return f
}

// credentials is the service account's JSON, as Google gives it out.
func (f *fakeFCM) credentials() string {
	der, err := x509.MarshalPKCS8PrivateKey(f.key)
	if err != nil {
		f.t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "demo", "client_email": "parley@demo.iam.gserviceaccount.com", "private_key_id": "k1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": f.server.URL + "/token",
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

func (f *fakeFCM) config() *FCMConfig {
	return &FCMConfig{Credentials: f.credentials(), URL: f.server.URL}
}

func (f *fakeFCM) token(w http.ResponseWriter, r *http.Request) {
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(r.FormValue("assertion"), claims, func(*jwt.Token) (any, error) { return &f.key.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience(f.server.URL+"/token"))
	if err != nil || r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || claims["scope"] != fcmScope {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`)
		return
	}
	f.mu.Lock()
	f.tokens++
	f.bearer = fmt.Sprintf("ya29.%d", f.tokens)
	bearer := f.bearer
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":%q,"expires_in":3599,"token_type":"Bearer"}`, bearer)
}

func (f *fakeFCM) send(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	bearer := f.bearer
	f.mu.Unlock()
	var message fcmRequest
	switch err := json.Unmarshal(body, &message); {
	case r.Header.Get("Authorization") != "Bearer "+bearer:
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":{"code":401,"message":"Request had invalid authentication credentials.","status":"UNAUTHENTICATED"}}`)
		return
	case err != nil || r.PathValue("project") != "demo" || message.Message.Token == "" || message.Message.Android.TTL == "":
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"code":400,"message":"Invalid JSON payload received.","status":"INVALID_ARGUMENT"}}`)
		return
	}
	f.receive(w, pushed{message.Message.Token, r.Header, body, message.Message.Data}, func() {
		fmt.Fprint(w, `{"name":"projects/demo/messages/0:1500415314455276%31bd1c9631bd1c96"}`)
	})
}

// fcmRequest is what messages:send understands; values of data are strings or the request is refused.
type fcmRequest struct {
	Message struct {
		Token        string
		Data         map[string]string
		Notification map[string]string
		Android      struct {
			TTL, Priority string
			CollapseKey   string `json:"collapse_key"`
		}
	}
}

const (
	fcmUnregistered = `{"error":{"code":404,"message":"Requested entity was not found.","status":"NOT_FOUND","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNREGISTERED"}]}}`
	fcmBadToken     = `{"error":{"code":400,"message":"The registration token is not a valid FCM registration token","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"}]}}`
	fcmUnavailable  = `{"error":{"code":503,"message":"The service is currently unavailable.","status":"UNAVAILABLE"}}`
)

// fakeAPNs speaks APNs: HTTP/2 and provider tokens.
type fakeAPNs struct {
	mailbox
	server *httptest.Server
	key    *ecdsa.PrivateKey
	now    func() time.Time
	jwts   map[string]bool // that it has seen; guarded by mu
}

func newFakeAPNs(t testing.TB) *fakeAPNs {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeAPNs{mailbox: mailbox{t: t}, key: key, now: time.Now, jwts: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /3/device/{token}", f.send)
	f.server = httptest.NewUnstartedServer(mux)
	f.server.EnableHTTP2 = true
	f.server.StartTLS()
	t.Cleanup(f.server.Close)
	return f
}

func (f *fakeAPNs) config() *APNsConfig {
	der, err := x509.MarshalPKCS8PrivateKey(f.key)
	if err != nil {
		f.t.Fatal(err)
	}
	return &APNsConfig{
		Key:   string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		KeyID: "ABC123DEFG", TeamID: "DEF123GHIJ", Bundle: "com.example.app", URL: f.server.URL, SandboxURL: f.server.URL,
	}
}

func (f *fakeAPNs) send(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, reason string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"reason":%q}`, reason)
	}
	raw := strings.TrimPrefix(r.Header.Get("authorization"), "bearer ")
	claims := jwt.MapClaims{}
	token, err := jwt.ParseWithClaims(raw, claims, func(*jwt.Token) (any, error) { return &f.key.PublicKey, nil },
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithTimeFunc(f.now))
	issued, _ := claims.GetIssuedAt()
	switch {
	case r.ProtoMajor != 2:
		refuse(http.StatusForbidden, "InvalidProviderToken")
		return
	case err != nil || token.Header["kid"] != "ABC123DEFG" || claims["iss"] != "DEF123GHIJ" || issued == nil:
		refuse(http.StatusForbidden, "InvalidProviderToken")
		return
	case f.now().Sub(issued.Time) > time.Hour:
		refuse(http.StatusForbidden, "ExpiredProviderToken")
		return
	}
	f.mu.Lock()
	f.jwts[raw] = true
	f.mu.Unlock()
	kind, topic := r.Header.Get("apns-push-type"), r.Header.Get("apns-topic")
	if kind == "voip" && topic != "com.example.app.voip" || kind != "voip" && topic != "com.example.app" {
		refuse(http.StatusBadRequest, "BadTopic")
		return
	}
	body, _ := io.ReadAll(r.Body)
	var all map[string]any
	if json.Unmarshal(body, &all) != nil || all["aps"] == nil || len(body) > 4096 {
		refuse(http.StatusBadRequest, "PayloadEmpty")
		return
	}
	data := map[string]string{}
	for key, value := range all {
		if text, ok := value.(string); ok {
			data[key] = text
		}
	}
	f.receive(w, pushed{r.PathValue("token"), r.Header, body, data}, func() { w.Header().Set("apns-id", "EC1BF194-B3B2-424A-89A9-5A918A6E6B5D") })
}

// fakePushService is a browser's push service with one browser behind each path. It checks VAPID and keeps what is encrypted.
type fakePushService struct {
	mailbox
	server *httptest.Server
	public string // of the application server
}

func newFakePushService(t testing.TB) *fakePushService {
	f := &fakePushService{mailbox: mailbox{t: t}}
	f.server = httptest.NewServer(http.HandlerFunc(f.send))
	t.Cleanup(f.server.Close)
	return f
}

func (f *fakePushService) config() *WebConfig {
	key, err := NewVAPIDKey()
	if err != nil {
		f.t.Fatal(err)
	}
	if f.public, err = VAPIDPublicKey(key); err != nil {
		f.t.Fatal(err)
	}
	return &WebConfig{Contact: "mailto:ops@example.com", PrivateKey: key, Hosts: []string{strings.TrimPrefix(f.server.URL, "http://")}}
}

func (f *fakePushService) send(w http.ResponseWriter, r *http.Request) {
	credentials, ok := strings.CutPrefix(r.Header.Get("Authorization"), "vapid t=")
	raw, key, ok2 := strings.Cut(credentials, ", k=")
	point, err := base64.RawURLEncoding.DecodeString(key)
	if !ok || !ok2 || err != nil || key != f.public {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err == nil {
		_, err = jwt.Parse(raw, func(*jwt.Token) (any, error) { return public, nil }, jwt.WithValidMethods([]string{"ES256"}),
			jwt.WithAudience(f.server.URL), jwt.WithSubject("mailto:ops@example.com"), jwt.WithExpirationRequired())
	}
	if err != nil || r.Header.Get("Content-Encoding") != "aes128gcm" || r.Header.Get("TTL") == "" || len(r.Header.Get("Topic")) > 32 {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if len(body) > 4096 {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	f.receive(w, pushed{token: r.URL.Path, header: r.Header, body: body}, func() { w.WriteHeader(http.StatusCreated) })
}

// browser is the receiving end of a subscription.
type browser struct {
	key  *ecdh.PrivateKey
	auth []byte
}

func newBrowser(t testing.TB) browser {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := browser{key: key, auth: make([]byte, 16)}
	_, _ = rand.Read(b.auth)
	return b
}

func (b browser) keys() (p256dh, auth string) {
	return base64.RawURLEncoding.EncodeToString(b.key.PublicKey().Bytes()), base64.RawURLEncoding.EncodeToString(b.auth)
}
