package main

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/parleyrtc/parley/configs"
)

// routes are the parts of the public listener.
type routes struct {
	socket  http.Handler // /v1/ws
	rest    http.Handler // /v1/
	web     http.Handler // everything else
	ready   http.Handler
	metrics http.Handler // --dev only; nil otherwise
}

// public is the handler of the public listener. /debug is nowhere in it.
func public(cfg configs.Config, r routes) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("/v1/ws", r.socket)
	mux.Handle("/v1/", cors(cfg.HTTP.AllowedOrigins, r.rest))
	mux.HandleFunc("/healthz", alive)
	mux.Handle("/readyz", r.ready)
	if r.metrics != nil {
		mux.Handle("/metrics", r.metrics)
	}
	mux.Handle("/", r.web)

	proxies := make([]netip.Prefix, 0, len(cfg.HTTP.TrustedProxies))
	for _, text := range cfg.HTTP.TrustedProxies {
		prefix, err := configs.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		proxies = append(proxies, prefix)
	}
	handler := hardened(mux, cfg.HTTP.CertFile != "")
	if cfg.Auth.OpenLogin && isLoopback(cfg.HTTP.Listen) {
		handler = localOnly(handler)
	}
	return behind(proxies, handler), nil
}

// alive answers /healthz: the process serves.
func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n")) // the client is gone, or it has the answer
}

// hardened adds the headers that every answer carries.
func hardened(next http.Handler, overTLS bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if overTLS {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// cors lets the pages of the operator's other origins use REST. There are no cookies, so nothing but the tokens that a page
// has itself comes with its requests.
func cors(origins []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		h := w.Header()
		h.Add("Vary", "Origin")
		allowed := origin != "" && slices.ContainsFunc(origins, func(o string) bool { return o == "*" || strings.EqualFold(o, origin) })
		if allowed {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", "Retry-After")
		}
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			if allowed {
				h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
				h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key")
				h.Set("Access-Control-Max-Age", "600")
			}
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// behind replaces the remote address of requests that came through a trusted proxy by the client's: the last address of
// X-Forwarded-For that is not a trusted proxy itself. What a client wrote into the header before that is not looked at.
func behind(proxies []netip.Prefix, next http.Handler) http.Handler {
	trusted := func(addr netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		remote, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !trusted(remote.Addr()) {
			next.ServeHTTP(w, r)
			return
		}
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for _, hop := range slices.Backward(hops) {
			addr, err := netip.ParseAddr(strings.TrimSpace(hop))
			if err != nil {
				break
			}
			r.RemoteAddr = net.JoinHostPort(addr.Unmap().String(), "0")
			if !trusted(addr) {
				break
			}
		}
		next.ServeHTTP(w, r)
	})
}

// localOnly refuses requests for a foreign host name. Without it a web site could point its own name at 127.0.0.1 and sign
// in at a developer's open server.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if host != "localhost" && (err != nil || !addr.IsLoopback()) {
			http.Error(w, "this server answers to localhost only", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
