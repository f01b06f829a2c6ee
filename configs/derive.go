package configs

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

// resolveSecrets reads the secret files into the fields beside them.
func (c *Config) resolveSecrets() []problem {
	k := &checker{}
	load := func(path string, secret *Secret, file string) {
		if file == "" {
			return
		}
		if *secret != "" {
			k.add(path+"_file", "and %s are both set; keep one", path)
			return
		}
		read, err := readSecret(file)
		if err != nil {
			k.add(path+"_file", "%q %v", file, err)
			return
		}
		*secret = read
	}
	c.Auth.Keys = slices.Clone(c.Auth.Keys)
	for i := range c.Auth.Keys {
		load("auth.keys."+strconv.Itoa(i)+".secret", &c.Auth.Keys[i].Secret, c.Auth.Keys[i].SecretFile)
	}
	c.Webhooks.Targets = slices.Clone(c.Webhooks.Targets)
	for i := range c.Webhooks.Targets {
		t := &c.Webhooks.Targets[i]
		load("webhooks.targets."+strconv.Itoa(i)+".secret", &t.Secret, t.SecretFile)
	}
	load("turn.secret", &c.TURN.Secret, c.TURN.SecretFile)
	load("push.fcm_credentials", &c.Push.FCMCredentials, c.Push.FCMCredentialsFile)
	load("push.apns_key", &c.Push.APNsKey, c.Push.APNsKeyFile)
	load("push.web_vapid_key", &c.Push.WebVAPIDKey, c.Push.WebVAPIDKeyFile)
	load("push.webhook_secret", &c.Push.WebhookSecret, c.Push.WebhookSecretFile)
	return k.found
}

// TURNCert is the certificate file of TURN over TLS: its own, or that of HTTP.
func (c Config) TURNCert() string {
	if c.TURN.CertFile != "" {
		return c.TURN.CertFile
	}
	return c.HTTP.CertFile
}

// TURNKey is the key file that belongs to TURNCert.
func (c Config) TURNKey() string {
	if c.TURN.CertFile != "" {
		return c.TURN.KeyFile
	}
	return c.HTTP.KeyFile
}

// TURNSecret signs TURN credentials. Without one of its own it is derived from the first API key, so that nodes with the
// same keys accept each other's credentials and a restart does not end relayed calls.
func (c Config) TURNSecret() Secret {
	if c.TURN.Secret != "" || len(c.Auth.Keys) == 0 {
		return c.TURN.Secret
	}
	mac := hmac.New(sha256.New, []byte(c.Auth.Keys[0].Secret.Reveal()))
	mac.Write([]byte("parley turn credentials"))
	return Secret(hex.EncodeToString(mac.Sum(nil)))
}

// ParsePrefix reads an address or a prefix; an address is the prefix that holds just it.
func ParsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a prefix", text)
	}
	return prefix.Masked(), nil
}
