package store

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

func TestOpenSaysWhatIsWrongInOneSentence(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	inUse := filepath.Join(dir, "inuse")
	open(t, inUse)
	taken := filepath.Join(dir, "taken")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(taken, "jetstream"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	locked := filepath.Join(dir, "locked")
	if err := os.MkdirAll(filepath.Join(locked, "lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		config Config
		want   []string
	}{
		"nothing":            {Config{}, []string{"exactly one"}},
		"both":               {Config{Dir: dir, URL: "nats://127.0.0.1"}, []string{"exactly one"}},
		"below a file":       {Config{Dir: filepath.Join(file, "data")}, []string{file, "cannot be made", "not a directory"}},
		"in use":             {Config{Dir: inUse}, []string{inUse, "in use by another process"}},
		"unwritable":         {Config{Dir: locked}, []string{locked, "cannot be written"}},
		"refused by NATS":    {Config{Dir: taken}, []string{taken, "cannot be used"}},
		"bad URL":            {Config{URL: "nats://me:hunter2@host:port"}, []string{"must look like"}},
		"nobody at the URL":  {Config{URL: "nats://me:hunter2@127.0.0.1:1"}, []string{"cannot be reached"}},
		"several, one wrong": {Config{URL: "nats://127.0.0.1:1, ://"}, []string{"must look like"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.config.Logger = slog.New(slog.DiscardHandler)
			s, err := Open(t.Context(), test.config)
			if err == nil {
				_ = s.Close()
				t.Fatal("it opened")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is not for an operator's eyes", err)
			}
		})
	}
}

func TestADamagedStateIsNotReplacedByAnEmptyOne(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	commit(t, s, Change{Key: "call/1", Value: []byte("c")})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	meta := filepath.Join(dir, "jetstream", "$G", "streams", streamName, "meta.inf")
	if err := os.WriteFile(meta, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), dir) {
		t.Fatalf("got %v", err)
	}
}

func TestTheServerInThisProcessHasNoPort(t *testing.T) {
	s := open(t, t.TempDir())
	if addr := s.server.nats.Addr(); addr != nil {
		t.Errorf("it listens on %v", addr)
	}
	if s.server.nats.MonitorAddr() != nil || s.server.nats.ClusterAddr() != nil {
		t.Error("it has a monitoring or cluster port")
	}
	for _, port := range []string{"4222", "6222", "8222"} {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			_ = conn.Close()
			t.Errorf("port %s is open", port)
		}
	}
}

func TestAnExternalServerHoldsTheSameState(t *testing.T) {
	nats, err := natsserver.NewServer(&natsserver.Options{
		Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true, SyncAlways: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	nats.Start()
	t.Cleanup(func() { nats.Shutdown(); nats.WaitForShutdown() })
	var stores [2]*JetStream // two nodes of one installation
	for i := range stores {
		s, err := Open(t.Context(), Config{URL: nats.ClientURL(), Replicas: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		stores[i] = s
	}
	at := commit(t, stores[0], Change{Key: "call/1", Value: []byte("c")}, Change{Key: "user/a", Value: []byte("a")})
	expectValue(t, stores[1], "call/1", "c", at[0])
	commit(t, stores[1], Change{Key: "user/a", Value: []byte("a2"), Expect: at[1]})
	if _, err := stores[0].Commit(t.Context(), []Change{{Key: "user/a", Value: []byte("x"), Expect: at[1]}, {Key: "call/1", Expect: at[0]}}); !errors.Is(err, ErrConflict) {
		t.Fatalf("the other node's change is overwritten: %v", err)
	}
	if got := keys(t, stores[0], ""); got != "call/1=c user/a=a2" {
		t.Errorf("listed %q", got)
	}
}

func TestPlainTextToAnotherMachineIsWarnedOf(t *testing.T) {
	for url, warn := range map[string]bool{
		"nats://nats.example:4222": true, "nats://10.0.0.1:4222": true, "tls://nats.example:4222": false,
		"nats://127.0.0.1:4222": false, "nats://localhost:4222": false, "nats://[::1]:4222": false, "wss://nats.example": false,
	} {
		var log bytes.Buffer
		s := &JetStream{log: slog.New(slog.NewTextHandler(&log, nil))}
		if err := s.checkURL(url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		if got := log.Len() > 0; got != warn {
			t.Errorf("%s: warned is %v", url, got)
		}
	}
}

func TestTheStreamRefusesWhatIsFull(t *testing.T) {
	s := open(t, t.TempDir())
	if config := s.stream.CachedInfo().Config; config.Discard != jetstream.DiscardNew || config.MaxMsgsPerSubject != 1 ||
		config.Storage != jetstream.FileStorage || !config.AllowAtomicPublish || !config.AllowDirect {
		t.Errorf("the stream is %+v", config)
	}
}
