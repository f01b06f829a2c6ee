package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/signaling/store"
)

// readiness answers /readyz: whether a load balancer should send new clients here, and why not.
type readiness struct {
	store        store.Store
	certificates []*certificate
	draining     atomic.Bool
}

// readyTimeout bounds how long the store may take to answer.
const readyTimeout = 2 * time.Second

// reasons is empty when everything is well.
func (r *readiness) reasons(ctx context.Context) []string {
	why := []string{}
	if r.draining.Load() {
		why = append(why, "the server is shutting down")
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if _, err := r.store.Get(ctx, "ready/probe"); err != nil && !errors.Is(err, store.ErrNotFound) {
		why = append(why, "the store does not answer")
	}
	for _, c := range r.certificates {
		if time.Now().After(c.expires()) {
			why = append(why, "the certificate "+c.certFile+" has run out")
		}
	}
	return why
}

// ServeHTTP answers 200, or 503 with the reasons.
func (r *readiness) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	why := r.reasons(req.Context())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if len(why) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"ready": len(why) == 0, "reasons": why}) // the client is gone, or it has it
}
