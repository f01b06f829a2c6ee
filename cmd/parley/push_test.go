package main

import (
	"log/slog"
	"testing"

	"github.com/parleyrtc/parley/configs"
	"github.com/parleyrtc/parley/signaling/push"
	"github.com/parleyrtc/parley/signaling/store"
)

func TestTheStoreKeepsTheVAPIDKey(t *testing.T) {
	dir := t.TempDir()
	var first string
	for range 2 { // two processes, one after the other
		s, err := store.Open(t.Context(), store.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			key, err := keptVAPIDKey(s)
			if err != nil {
				t.Fatal(err)
			}
			if first == "" {
				first = key
			}
			if _, err := push.VAPIDPublicKey(key); err != nil || key != first {
				t.Errorf("another key, or none: %v", err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDoctorLooksAtPushCredentials(t *testing.T) {
	cfg := configs.Default()
	says(t, checkPush(cfg), hint, "no push provider")
	cfg.Push.WebContact = "mailto:ops@example.com"
	says(t, checkPush(cfg), good, "[web]")
	cfg.Push.FCMCredentials = `{"type":"authorized_user"}`
	says(t, checkPush(cfg), bad, "not those of a service account")
	cfg.Push.FCMCredentials, cfg.Push.APNsKey = "", "not a key"
	says(t, checkPush(cfg), bad, ".p8")
}
