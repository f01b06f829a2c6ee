package configs

import (
	"net"
	"time"
)

// devSecret belongs to DevKey. It is public too.
const devSecret = "parley-development-secret-never-deploy"

// Loopback is where everything listens in --dev unless told otherwise.
const Loopback = "127.0.0.1"

// Dev is the configuration of --dev: no file, a key that everybody knows, sign-in without a password, logs for people, and
// every socket bound to one address.
func Dev(bind string) Config {
	c := Default()
	c.HTTP.Listen = at(bind, "7700")
	c.Admin.Listen = at(Loopback, "7702") // pprof stays on loopback, whatever the rest does
	c.Media.UDP, c.Media.TCP = at(bind, "7701"), at(bind, "7701")
	c.TURN.UDP, c.TURN.TCP, c.TURN.TLS = at(bind, "3478"), at(bind, "3478"), at(bind, "5349")
	c.Auth.Keys = []Key{{ID: DevKey, Secret: devSecret, Role: RoleAdmin}}
	c.Auth.TokenTTL = 12 * time.Hour
	c.Auth.OpenLogin = true
	c.Push.WebContact = "https://localhost/" // so that the call page can ring when it is closed
	c.Calls.Sessions = "open"
	c.Log.Format = "console"
	c.Shutdown.Wait = 2 * time.Second
	return c
}

func at(host, port string) string { return net.JoinHostPort(host, port) }
