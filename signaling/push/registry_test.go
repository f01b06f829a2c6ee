package push

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/push/notice"
)

func openRegistry(t *testing.T, now func() time.Time) *Registry {
	t.Helper()
	return NewRegistry(RegistryConfig{
		Kinds: []notice.Kind{notice.FCM, notice.Web}, WebHosts: []string{"fcm.googleapis.com"}, MaxDevices: 3, Now: now,
	}, openStore(t))
}

func tokensOf(t *testing.T, r *Registry, uid string) string {
	t.Helper()
	devices, err := r.Devices(context.Background(), uid)
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for _, d := range devices {
		out += d.Token + " "
	}
	return out
}

func register(t *testing.T, r *Registry, uid, token string) notice.Device {
	t.Helper()
	d, err := r.Register(context.Background(), uid, notice.Device{Kind: notice.FCM, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestATokenIsOneUsers(t *testing.T) {
	r := openRegistry(t, nil)
	first := register(t, r, "alice", "phone")
	if again := register(t, r, "alice", "phone"); again != first {
		t.Errorf("registered twice: %+v and %+v", first, again)
	}
	register(t, r, "alice", "tablet")
	if moved := register(t, r, "bob", "phone"); moved.ID != first.ID {
		t.Error("the registration has another id with another user")
	}
	if got := tokensOf(t, r, "alice"); got != "tablet " {
		t.Errorf("alice has %s", got)
	}
	if got := tokensOf(t, r, "bob"); got != "phone " {
		t.Errorf("bob has %s", got)
	}
	// Alice's app, late, wants its old registration gone: it is not hers any more.
	if err := r.Unregister(t.Context(), "alice", first.ID); err != nil || tokensOf(t, r, "bob") != "phone " {
		t.Errorf("%v, bob has %s", err, tokensOf(t, r, "bob"))
	}
	for range 2 {
		if err := r.Unregister(t.Context(), "bob", first.ID); err != nil || tokensOf(t, r, "bob") != "" {
			t.Errorf("%v, bob has %s", err, tokensOf(t, r, "bob"))
		}
	}
}

func TestTheOldestRegistrationMakesRoom(t *testing.T) {
	now := time.Now()
	r := openRegistry(t, func() time.Time { return now })
	for _, token := range []string{"a", "b", "c"} {
		register(t, r, "alice", token)
	}
	now = now.Add(25 * time.Hour)
	register(t, r, "alice", "a") // is in use: an app registers when it starts
	register(t, r, "alice", "d")
	if got := tokensOf(t, r, "alice"); got != "c a d " {
		t.Errorf("left: %s", got)
	}
	register(t, r, "bob", "b") // nobody's by now
	if got := tokensOf(t, r, "bob"); got != "b " {
		t.Errorf("bob has %s", got)
	}
}

func TestADeletedUserHasNoDevices(t *testing.T) {
	r := openRegistry(t, nil)
	register(t, r, "alice", "a")
	register(t, r, "alice", "b")
	if err := r.Forget(t.Context(), "alice"); err != nil || tokensOf(t, r, "alice") != "" {
		t.Errorf("%v, left: %s", err, tokensOf(t, r, "alice"))
	}
	records, err := r.store.List(t.Context(), "pushOwner")
	if err != nil || len(records) != 0 {
		t.Errorf("%d owners are left, %v", len(records), err)
	}
}

func TestWhatCannotBeRegistered(t *testing.T) {
	r := openRegistry(t, nil)
	if _, err := r.Register(t.Context(), "alice", notice.Device{Kind: notice.VoIP, Token: voipToken}); !errors.Is(err, notice.ErrKind) {
		t.Error(err)
	}
	if _, err := r.Register(t.Context(), "alice", notice.Device{Kind: notice.Web, Token: "https://evil.example/"}); !errors.Is(err, notice.ErrEndpoint) {
		t.Error(err)
	}
	p256dh, auth := newBrowser(t).keys()
	for _, row := range []struct {
		field string
		d     notice.Device
	}{
		{"kind", notice.Device{Kind: "pigeon", Token: "x"}},
		{"token", notice.Device{Kind: notice.FCM}}, {"token", notice.Device{Kind: notice.FCM, Token: "a b"}},
		{"token", notice.Device{Kind: notice.VoIP, Token: "../../x"}}, {"token", notice.Device{Kind: notice.Alert, Token: "abc"}},
		{"subscription.endpoint", notice.Device{Kind: notice.Web, Token: "javascript:alert(1)", P256dh: p256dh, Auth: auth}},
		{"subscription.keys.p256dh", notice.Device{Kind: notice.Web, Token: "https://fcm.googleapis.com/x", P256dh: "AAAA", Auth: auth}},
		{"subscription.keys.auth", notice.Device{Kind: notice.Web, Token: "https://fcm.googleapis.com/x", P256dh: p256dh, Auth: "AAAA"}},
		{"", notice.Device{Kind: notice.Web, Token: "https://fcm.googleapis.com/x", P256dh: p256dh + "=", Auth: auth + "=="}},
		{"", notice.Device{Kind: notice.Custom, Token: "hms/anything?goes"}},
	} {
		if field, reason := row.d.Check(); field != row.field {
			t.Errorf("%+v: %s %s", row.d, field, reason)
		}
	}
}

func TestManyRegisterAtOnce(t *testing.T) {
	r := openRegistry(t, nil)
	for range 10 {
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() {
				if _, err := r.Register(context.Background(), fmt.Sprintf("user-%d", i%2), notice.Device{Kind: notice.FCM, Token: "shared"}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got := tokensOf(t, r, "user-0") + tokensOf(t, r, "user-1"); got != "shared " {
			t.Fatalf("the token is registered as %q", got)
		}
	}
}
