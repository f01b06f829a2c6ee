package configs

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// checker gathers what is wrong with a configuration.
type checker struct{ found []problem }

func (k *checker) add(path, format string, args ...any) {
	k.found = append(k.found, problem{path: path, text: fmt.Sprintf(format, args...)})
}

// problems returns everything that is wrong with c; none means that a server can be started from it. What is good enough
// for --dev is wrong anywhere else.
func (c Config) problems(dev bool) []problem {
	k := &checker{}
	c.checkHTTP(k)
	c.checkMedia(k)
	c.checkTURN(k, dev)
	c.checkCalls(k)
	c.checkSignaling(k)
	c.checkPush(k)
	c.checkAuth(k, dev)
	c.checkWebhooks(k)
	c.checkRest(k)
	return k.found
}

func (c Config) checkHTTP(k *checker) {
	k.listen("http.listen", c.HTTP.Listen, false)
	k.listen("admin.listen", c.Admin.Listen, true)
	k.pair("http", c.HTTP.CertFile, c.HTTP.KeyFile)
	for _, p := range c.HTTP.TrustedProxies {
		if _, err := ParsePrefix(p); err != nil {
			k.add("http.trusted_proxies", "has %q, which is neither an address nor a prefix such as 10.0.0.0/8", p)
		}
	}
	for _, o := range c.HTTP.AllowedOrigins {
		if !isOrigin(o) {
			k.add("http.allowed_origins", "has %q, which is not an origin such as https://app.example (no path) or *", o)
		}
	}
	k.between("http.read_header_timeout", c.HTTP.ReadHeaderTimeout, time.Second, time.Minute)
	k.between("http.read_timeout", c.HTTP.ReadTimeout, time.Second, 10*time.Minute)
	k.between("http.write_timeout", c.HTTP.WriteTimeout, time.Second, 10*time.Minute)
	k.between("http.idle_timeout", c.HTTP.IdleTimeout, time.Second, time.Hour)
	k.number("http.max_header_bytes", c.HTTP.MaxHeaderBytes, 4<<10, 1<<20)
	k.number("http.max_body_bytes", c.HTTP.MaxBodyBytes, 8<<10, 16<<20)
	k.number("http.max_connections", c.HTTP.MaxConnections, 1, 1_000_000)
	k.rate("http.request_rate", c.HTTP.RequestRate)
	k.number("http.request_burst", c.HTTP.RequestBurst, 1, 1_000_000)
}

func (c Config) checkMedia(k *checker) {
	k.listen("media.udp", c.Media.UDP, false)
	k.listen("media.tcp", c.Media.TCP, true)
	k.oneOf("media.path", c.Media.Path, "auto", "fast", "pion")
	k.oneOf("media.gso", c.Media.GSO, "auto", "on", "off")
	k.oneOf("media.pacing", c.Media.Pacing, "on", "off")
	k.number("media.max_bitrate", c.Media.MaxBitrate, 100_000, 1_000_000_000)
	k.number("media.voices", c.Media.Voices, 1, 50)
	for _, a := range c.Media.Advertise {
		addr, err := netip.ParseAddr(a)
		switch {
		case err != nil:
			k.add("media.advertise", "has %q, which is not an IP address; write the public address of this machine", a)
		case addr.IsUnspecified() || addr.IsMulticast() || addr.Zone() != "":
			k.add("media.advertise", "has %s, which no client can send to; write the public address of this machine", a)
		}
	}
}

func (c Config) checkTURN(k *checker, dev bool) {
	if !c.TURN.Enabled {
		return
	}
	k.listen("turn.udp", c.TURN.UDP, true)
	k.listen("turn.tcp", c.TURN.TCP, true)
	k.listen("turn.tls", c.TURN.TLS, true)
	k.pair("turn", c.TURN.CertFile, c.TURN.KeyFile)
	if c.TURN.UDP == Off && c.TURN.TCP == Off && c.TURN.TLS == Off {
		k.add("turn.enabled", "is true, but turn.udp, turn.tcp and turn.tls are all off; set it to false or open one of them")
	}
	if c.TURN.TLS != Off && c.TURNCert() == "" && !dev {
		k.add("turn.tls", "is %q, but there is no certificate: set turn.cert_file and turn.key_file (or those of http), or turn.tls: off", c.TURN.TLS)
	}
	if strings.ContainsAny(c.TURN.Host, " /:@?") && !isIPv6(c.TURN.Host) {
		k.add("turn.host", "is %q; write a bare host name or address, without scheme and port", c.TURN.Host)
	}
	k.number("turn.relay_port_min", c.TURN.RelayPortMin, 1024, 65535)
	k.number("turn.relay_port_max", c.TURN.RelayPortMax, 1024, 65535)
	if c.TURN.RelayPortMax < c.TURN.RelayPortMin {
		k.add("turn.relay_port_max", "(%d) is below turn.relay_port_min (%d)", c.TURN.RelayPortMax, c.TURN.RelayPortMin)
	}
	if c.TURN.Realm == "" || len(c.TURN.Realm) > 127 || strings.ContainsAny(c.TURN.Realm, "\"\\\r\n") {
		k.add("turn.realm", "is %q; write 1 to 127 characters without quotes and line breaks", c.TURN.Realm)
	}
	k.number("turn.quota", c.TURN.Quota, 1, 10_000)
	k.between("turn.credential_ttl", c.TURN.CredentialTTL, time.Minute, 7*24*time.Hour)
	k.secret("turn.secret", c.TURN.Secret, true)
}

func (c Config) checkCalls(k *checker) {
	k.between("calls.ring_timeout", c.Calls.RingTimeout, 5*time.Second, 5*time.Minute)
	k.between("calls.grace", c.Calls.Grace, time.Second, 10*time.Minute)
	k.between("calls.join_deadline", c.Calls.JoinDeadline, time.Second, 10*time.Minute)
	k.oneOf("calls.when_busy", c.Calls.WhenBusy, "busy", "ring")
	k.oneOf("calls.sessions", c.Calls.Sessions, "granted", "open")
	k.between("calls.alone_timeout", c.Calls.AloneTimeout, 0, 24*time.Hour)
	k.oneOf("calls.directory", c.Calls.Directory, "open", "closed")
	k.between("calls.history_ttl", c.Calls.HistoryTTL, time.Minute, 10*365*24*time.Hour)
	k.number("calls.rings_per_minute", c.Calls.RingsPerMinute, 1, 10_000)
	k.number("calls.max_participants", c.Calls.MaxParticipants, 2, 1000)
	k.number("calls.max_pairs", c.Calls.MaxPairs, 1, 28)
	k.number("calls.pairs", c.Calls.Pairs, 1, 28)
	if c.Calls.Pairs > c.Calls.MaxPairs {
		k.add("calls.pairs", "(%d) is more than calls.max_pairs (%d)", c.Calls.Pairs, c.Calls.MaxPairs)
	}
}

func (c Config) checkSignaling(k *checker) {
	s := c.Signaling
	k.number("signaling.max_sockets", s.MaxSockets, 1, 10_000_000)
	k.number("signaling.max_pending", s.MaxPending, 1, 10_000_000)
	k.between("signaling.hello_timeout", s.HelloTimeout, time.Second, time.Minute)
	k.between("signaling.idle_timeout", s.IdleTimeout, 30*time.Second, time.Hour)
	k.between("signaling.write_timeout", s.WriteTimeout, time.Second, time.Minute)
	k.between("signaling.resume_time", s.ResumeTime, time.Second, time.Hour)
	k.between("signaling.token_warning", s.TokenWarning, time.Second, time.Hour)
	k.number("signaling.message_bytes", s.MessageBytes, 16<<10, 16<<20)
	k.number("signaling.offer_bytes", s.OfferBytes, 64<<10, 16<<20)
	if s.OfferBytes < s.MessageBytes {
		k.add("signaling.offer_bytes", "(%d) is below signaling.message_bytes (%d)", s.OfferBytes, s.MessageBytes)
	}
	k.number("signaling.send_messages", s.SendMessages, 16, 1_000_000)
	k.number("signaling.send_bytes", s.SendBytes, 64<<10, 1<<30)
	k.number("signaling.resume_events", s.ResumeEvents, 16, 1_000_000)
	k.number("signaling.resume_bytes", s.ResumeBytes, 64<<10, 1<<30)
	k.number("signaling.max_devices", s.MaxDevices, 1, 10_000)
	k.number("signaling.max_refusals", s.MaxRefusals, 1, 1_000_000)
	k.number("signaling.max_malformed", s.MaxMalformed, 1, 1_000_000)
	k.number("signaling.inbox_requests", s.InboxRequests, 16, 1_000_000)
	k.rate("signaling.request_rate", s.RequestRate)
	k.rate("signaling.user_rate", s.UserRate)
	k.rate("signaling.offer_rate", s.OfferRate)
	k.number("signaling.request_burst", s.RequestBurst, 1, 1_000_000)
	k.number("signaling.user_burst", s.UserBurst, 1, 1_000_000)
	k.number("signaling.offer_burst", s.OfferBurst, 1, 1_000_000)
}

// keyID is what may stand in a token's iss and in an ApiKey header.
var keyID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func (c Config) checkAuth(k *checker, dev bool) {
	if len(c.Auth.Keys) == 0 {
		k.add("auth.keys", "is empty, so nobody could sign a token: add a key with an id and a secret of your own (openssl rand -hex 32), or start with --dev to try things out")
	}
	seen := map[string]bool{}
	for i, key := range c.Auth.Keys {
		path := "auth.keys." + strconv.Itoa(i)
		switch {
		case !keyID.MatchString(key.ID):
			k.add(path+".id", "is %q; write 1 to 64 of A-Z a-z 0-9 . _ -", key.ID)
		case key.ID == DevKey && !dev:
			k.add(path+".id", "is %q, the key of --dev that everybody knows; choose another id and secret", DevKey)
		case seen[key.ID]:
			k.add(path+".id", "%q is there twice; every key needs an id of its own", key.ID)
		}
		seen[key.ID] = true
		if key.Secret == devSecret && !dev {
			k.add(path+".secret", "is the secret of --dev that everybody knows; choose another (openssl rand -hex 32)")
		}
		k.secret(path+".secret", key.Secret, false)
		k.oneOf(path+".role", key.Role, "", RoleNone, RoleRead, RoleAdmin)
	}
	if c.Auth.OpenLogin && !dev {
		k.add("auth.open_login", "lets anyone sign in as anyone and is for --dev only; set it to false")
	}
	k.between("auth.token_ttl", c.Auth.TokenTTL, time.Minute, 30*24*time.Hour)
}

func (c Config) checkRest(k *checker) {
	switch {
	case c.Store.URL != "":
		if u, err := url.Parse(c.Store.URL); err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			k.add("store.url", "is not the address of a NATS server such as nats://nats.internal:4222")
		}
	case c.Store.Dir == "":
		k.add("store.dir", "is empty; name a directory for calls, users and groups")
	}
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "json", "console")
	k.between("shutdown.wait", c.Shutdown.Wait, 0, 24*time.Hour)
}

func (k *checker) listen(path, addr string, offAllowed bool) {
	if addr == Off && offAllowed {
		return
	}
	host, port, err := net.SplitHostPort(addr)
	n, numErr := strconv.Atoi(port)
	_, ipErr := netip.ParseAddr(host)
	if err != nil || numErr != nil || n < 0 || n > 65535 || (host != "" && host != "localhost" && ipErr != nil) {
		orOff := ""
		if offAllowed {
			orOff = ", or off"
		}
		k.add(path, "is %q; write [address]:port such as :7700 or 127.0.0.1:7700%s", addr, orOff)
	}
}

// pair checks that a certificate and its key come together.
func (k *checker) pair(section, cert, key string) {
	switch {
	case cert != "" && key == "":
		k.add(section+".key_file", "is empty, but %s.cert_file is set; TLS needs both", section)
	case cert == "" && key != "":
		k.add(section+".cert_file", "is empty, but %s.key_file is set; TLS needs both", section)
	}
}

func (k *checker) between(path string, d, low, high time.Duration) {
	if d < low || d > high {
		k.add(path, "is %v; write a duration from %v to %v", d, low, high)
	}
}

func (k *checker) number(path string, n, low, high int) {
	if n < low || n > high {
		k.add(path, "is %d; write a number from %d to %d", n, low, high)
	}
}

func (k *checker) rate(path string, r float64) {
	if !(r >= 0.01 && r <= 1e6) { // the negation also refuses NaN
		k.add(path, "is %v; write a number of requests a second from 0.01 to 1000000", r)
	}
}

func (k *checker) oneOf(path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		words := slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" })
		k.add(path, "is %q; write %s", value, strings.Join(words, " or "))
	}
}

// minSecret is the least length of a secret: HS256 wants a key as long as its hash (RFC 7518 §3.2).
const minSecret = 32

func (k *checker) secret(path string, s Secret, mayBeEmpty bool) {
	if n := len(s.Reveal()); n < minSecret && (n > 0 || !mayBeEmpty) {
		k.add(path, "has %d characters; write at least %d (openssl rand -hex 32)", n, minSecret)
	}
}

// isOrigin says whether text is what a browser sends as Origin, or "*".
func isOrigin(text string) bool {
	if text == "*" {
		return true
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil &&
		text == u.Scheme+"://"+u.Host
}

func isIPv6(text string) bool {
	addr, err := netip.ParseAddr(text)
	return err == nil && addr.Is6()
}
