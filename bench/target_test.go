package bench

import (
	"context"
	"errors"
	"testing"
)

func TestWrongTargetsAreToldApart(t *testing.T) {
	target := testServer(t)
	ctx := context.Background()
	if err := target.Check(ctx); err != nil {
		t.Fatal(err)
	}
	if n, err := target.Metric(ctx, "go_goroutines"); err != nil || n < 5 {
		t.Errorf("%v goroutines, %v", n, err)
	}
	if u, err := target.Usage(); err != nil || u.CPU <= 0 || u.RSS < 1<<20 {
		t.Errorf("%+v, %v", u, err)
	}

	stranger := target
	stranger.Token = MintWithAPIKey("nobody", "a secret that the server does not know")
	if err := stranger.Check(ctx); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("a wrong token: %v", err)
	}
	nowhere := target
	nowhere.Base = "http://127.0.0.1:1"
	if err := nowhere.Check(ctx); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody listens: %v", err)
	}
	nameless := target
	nameless.PID = 0
	if _, err := nameless.Usage(); !errors.Is(err, ErrNoAccounting) {
		t.Errorf("no process id: %v", err)
	}

	target.Owned.Kill()
	if _, err := target.Usage(); !errors.Is(err, ErrServerDied) {
		t.Errorf("usage of a dead server: %v", err)
	}
	if err := target.Check(ctx); !errors.Is(err, ErrServerDied) {
		t.Errorf("a dead server: %v", err)
	}
}

func TestAServerInANamespaceIsReached(t *testing.T) {
	s, err := Serve(context.Background(), ServeConfig{Binary: testBinary, Netns: true})
	if errors.Is(err, ErrNamespace) {
		t.Logf("not allowed here: %v", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Check(context.Background()); err != nil {
		t.Fatalf("%v\n%s", err, s.Output())
	}
}

func TestOnlyLoopbackIsLocal(t *testing.T) {
	for base, want := range map[string]bool{"http://127.0.0.1:7700": true, "https://localhost": true, "http://[::1]:1": true, "http://192.0.2.1:7700": false} {
		if got, err := IsLocal(base); err != nil || got != want {
			t.Errorf("%s is local: %v, %v", base, got, err)
		}
	}
	if _, err := IsLocal("nonsense"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nonsense: %v", err)
	}
}
