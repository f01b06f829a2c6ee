package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/parleyrtc/parley/configs"
)

// checkAddresses says at which addresses clients will look for media, and whether that can be right.
func checkAddresses(cfg configs.Config, interfaces []netip.Addr) []finding {
	const about = "addresses"
	media := reachable(cfg, cfg.Media.UDP)
	if len(media) == 0 {
		return []finding{found(bad, about, "this machine has no address that clients could send media to; set media.advertise.")}
	}
	names := make([]string, 0, len(media))
	private, loopback := 0, 0
	for _, a := range media {
		names = append(names, a.String())
		if a.IsLoopback() {
			loopback++
		}
		if a.IsPrivate() || a.IsLinkLocalUnicast() {
			private++
		}
	}
	out := []finding{found(good, about, "clients are told to send media to %s, port %s.", strings.Join(names, " and "), portOf(cfg.Media.UDP))}
	advertised := len(cfg.Media.Advertise) > 0
	switch {
	case loopback == len(media):
		out = append(out, found(hint, about, "that is loopback: only programs on this machine can be in a call."))
	case private == len(media) && !advertised:
		out = append(out, found(hint, about, "those are private addresses: clients outside this network cannot reach them. Behind NAT or in a cloud set media.advertise to the public address."))
	case private == len(media):
		out = append(out, found(hint, about, "media.advertise has private addresses only, so this server is for clients of that network."))
	case advertised && !slices.ContainsFunc(media, func(a netip.Addr) bool { return slices.Contains(interfaces, a) }):
		out = append(out, found(hint, about, "no interface of this machine has that address, so it is behind NAT: the router must forward UDP and TCP port %s%s to it.",
			portOf(cfg.Media.UDP), turnPorts(cfg)))
	}
	return append(out, checkTURNHost(cfg, media)...)
}

// turnPorts names the ports of TURN for the sentence about a router.
func turnPorts(cfg configs.Config) string {
	var out []string
	for _, p := range ports(cfg) {
		if strings.HasPrefix(p.option, "turn.") {
			out = append(out, strings.ToUpper(p.network)+" "+portOf(p.listen))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return ", " + strings.Join(out, ", ")
}

// lookupTime bounds a question to the name server.
const lookupTime = 5 * time.Second

// checkTURNHost says whether the host in the TURN URLs leads here.
func checkTURNHost(cfg configs.Config, media []netip.Addr) []finding {
	const about = "turn.host"
	if !cfg.TURN.Enabled {
		return []finding{found(hint, "turn", "it is off: clients in networks that let only web traffic through cannot talk.")}
	}
	if _, err := netip.ParseAddr(cfg.TURN.Host); cfg.TURN.Host == "" || err == nil {
		if cfg.TURN.TLS != configs.Off && cfg.TURNCert() != "" {
			return []finding{found(hint, about, "the TURN URLs carry an address, but certificates are for names: browsers will refuse TURN over TLS. Set turn.host to the name in the certificate.")}
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	resolved, err := net.DefaultResolver.LookupNetIP(ctx, "ip", cfg.TURN.Host)
	if err != nil {
		return []finding{found(bad, about, "%s cannot be resolved, so clients will not find TURN: %v.", cfg.TURN.Host, err)}
	}
	for _, a := range resolved {
		if slices.Contains(media, a.Unmap()) {
			return []finding{found(good, about, "%s leads to %s.", cfg.TURN.Host, a.Unmap())}
		}
	}
	return []finding{found(hint, about, "%s leads to %v and not to the media address; that is right only if something forwards TURN here.", cfg.TURN.Host, resolved)}
}

// checkExposure finds doors that are wider open than usual.
func checkExposure(cfg configs.Config) []finding {
	var out []finding
	if cfg.Admin.Listen != configs.Off && !isLoopback(cfg.Admin.Listen) {
		out = append(out, found(hint, "admin.listen", "%s is reached from other machines and asks for no password; a firewall must stand before it.", cfg.Admin.Listen))
	}
	if cfg.HTTP.CertFile == "" && !isLoopback(cfg.HTTP.Listen) {
		text := "there is no certificate: browsers give camera and microphone to pages over HTTPS only. Set http.cert_file, or put a proxy with a certificate in front"
		if len(cfg.HTTP.TrustedProxies) == 0 {
			text += " and name it in http.trusted_proxies"
		}
		out = append(out, found(hint, "https", "%s.", text))
	}
	if slices.Contains(cfg.HTTP.AllowedOrigins, "*") {
		out = append(out, found(hint, "origins", "pages of every web site may use the SDK with this server."))
	}
	if cfg.Auth.OpenLogin {
		out = append(out, found(hint, "login", "anyone can sign in as anyone (--dev)."))
	}
	return out
}

// renewBefore is how long before its end a certificate should have been renewed.
const renewBefore = 14 * 24 * time.Hour

// checkCertificates reads the certificates and says how long they are good and for whom.
func checkCertificates(cfg configs.Config, now time.Time) []finding {
	var out []finding
	look := func(section, cert, key, host string) {
		c, err := openCertificate(section, cert, key, nil)
		if err != nil {
			out = append(out, found(bad, "certificate", "%v.", err))
			return
		}
		leaf := c.current.Leaf
		left := leaf.NotAfter.Sub(now)
		switch {
		case now.Before(leaf.NotBefore):
			out = append(out, found(bad, "certificate", "%s is not valid before %s; is the clock right?", cert, leaf.NotBefore.Format(time.DateOnly)))
		case left < renewBefore:
			out = append(out, found(hint, "certificate", "%s runs out in %d days; renew it.", cert, int(left.Hours()/24)))
		default:
			out = append(out, found(good, "certificate", "%s is good for %d days, for %s.", cert, int(left.Hours()/24), strings.Join(leaf.DNSNames, ", ")))
		}
		if host != "" && leaf.VerifyHostname(host) != nil {
			out = append(out, found(bad, "certificate", "%s is not for %s, so clients will refuse it; it is for %s.", cert, host, strings.Join(leaf.DNSNames, ", ")))
		}
	}
	if cfg.HTTP.CertFile != "" {
		look("http", cfg.HTTP.CertFile, cfg.HTTP.KeyFile, "")
	}
	if cfg.TURN.Enabled && cfg.TURN.TLS != configs.Off && cfg.TURNCert() != "" {
		section := "turn"
		if cfg.TURN.CertFile == "" {
			section = "http"
		}
		look(section, cfg.TURNCert(), cfg.TURNKey(), cfg.TURN.Host)
	}
	return out
}

// The fsync times from which on a disk is worth a word. Every acknowledged change of a call waits for one.
const (
	slowDisk    = 20 * time.Millisecond
	syncRounds  = 21
	syncPayload = 4096 // bytes, about one call
)

// checkStore says whether the data directory can be written, and how long that takes until it is on disk.
func checkStore(cfg configs.Config) []finding {
	const about = "store"
	if cfg.Store.URL != "" {
		return []finding{found(hint, about, "calls are kept in the NATS cluster; whether an acknowledgement means on disk is its sync_interval's affair.")}
	}
	if err := writable(cfg.Store.Dir); err != nil {
		return []finding{found(bad, about, "%v.", err)}
	}
	median, worst, err := syncTime(cfg.Store.Dir)
	if err != nil {
		return []finding{found(bad, about, "the disk of %s does not take a write: %v.", cfg.Store.Dir, err)}
	}
	text := fmt.Sprintf("%s: a change is on disk after %v (median of %d; the slowest took %v).",
		cfg.Store.Dir, median.Round(10*time.Microsecond), syncRounds, worst.Round(10*time.Microsecond))
	if median > slowDisk {
		return []finding{found(hint, about, "%s Every ring, accept and hang-up waits for that; use a faster disk.", text)}
	}
	return []finding{found(good, about, "%s", text)}
}

// syncTime measures how long a small write takes to reach the disk.
func syncTime(dir string) (median, worst time.Duration, err error) {
	f, err := os.Create(filepath.Join(dir, ".fsync"))
	if err != nil {
		return 0, 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	payload := make([]byte, syncPayload)
	took := make([]time.Duration, 0, syncRounds)
	for range syncRounds {
		began := time.Now()
		if _, err := f.Write(payload); err != nil {
			return 0, 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, 0, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)-1], nil
}
