package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// maxTokenTTL is the longest life that auth.token_ttl may have too.
const maxTokenTTL = 30 * 24 * time.Hour

type tokenCommand struct {
	source
	UID    string        `required:"" name:"uid" help:"Who the token is for."`
	Name   string        `help:"The name that others see."`
	Avatar string        `help:"URL of a picture."`
	Grant  []string      `help:"A grant, such as call.moderate. May be repeated."`
	TTL    time.Duration `name:"ttl" help:"Life of the token; auth.token_ttl when absent."`
}

// Run prints a token signed with the first API key, as the operator's back end would make it.
func (c tokenCommand) Run(p *process) error {
	cfg, err := c.load(p.env)
	if err != nil {
		return err
	}
	if !wire.ValidUID(c.UID) {
		return fmt.Errorf("--uid %q is not a uid; use 1 to 128 of A-Z a-z 0-9 . _ - @ : +", c.UID)
	}
	ttl := cfg.Auth.TokenTTL
	if c.TTL != 0 {
		ttl = c.TTL
	}
	if ttl < time.Second || ttl > maxTokenTTL {
		return fmt.Errorf("--ttl %v is out of range; use 1s to %v", c.TTL, maxTokenTTL)
	}
	key := cfg.Auth.Keys[0]
	signed, err := token.Mint(key.ID, key.Secret.Reveal(),
		token.Claims{UID: c.UID, Name: c.Name, Avatar: c.Avatar, Grants: c.Grant}, p.now(), ttl)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, signed)
	return err
}

type credentialCommand struct {
	source
	UID     string `required:"" name:"uid" help:"Who the credentials are for."`
	Session string `help:"The session that they are for."`
}

// Run prints one entry of RTCConfiguration.iceServers.
func (c credentialCommand) Run(p *process) error {
	cfg, err := c.load(p.env)
	if err != nil {
		return err
	}
	if !wire.ValidUID(c.UID) {
		return fmt.Errorf("--uid %q is not a uid; use 1 to 128 of A-Z a-z 0-9 . _ - @ : +", c.UID)
	}
	servers := iceServers(cfg, p.now)(c.UID, c.Session)
	if len(servers) == 0 {
		return errors.New("turn.enabled is false, so there is nothing to have credentials for")
	}
	return json.NewEncoder(p.stdout).Encode(servers[0])
}
