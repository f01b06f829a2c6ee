package signaling

import (
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/idem"
	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// take handles one message of a client who has said hello. It returns when the message is answered, so that one thing
// happens after the other; only an offer is answered later.
func (k *socket) take(text bool, message []byte) {
	now := time.Now()
	wait, allowed := k.allowed(now)
	req, bad := wire.Parse(message, k.lenient)
	if !text {
		bad = &wire.Error{RPC: wire.RPCRequest, Code: wire.CodeBadRequest, Message: "Messages are text."}
	}
	if len(message) > k.server.config.MessageBytes && !req.Offer() {
		k.cut(wire.CloseTooBig)
		return
	}
	if bad != nil {
		k.finish(req, nil, bad)
		if k.malformed++; k.malformed >= k.server.config.MaxMalformed {
			k.cut(wire.CloseAbuse)
		}
		return
	}
	if allowed && req.Offer() {
		wait, allowed = allow(k.device.offers, now)
	}
	if !allowed {
		k.finish(req, nil, tooFast(wait))
		if k.refused++; k.refused >= k.server.config.MaxRefusals {
			k.cut(wire.CloseTooManyErrors)
		}
		return
	}
	k.refused = 0
	k.handle(now, req)
}

// allowed takes one request from the connection's rate and from the user's.
func (k *socket) allowed(now time.Time) (time.Duration, bool) {
	if wait, ok := allow(k.requests, now); !ok {
		return wait, false
	}
	// Asked for each time, because a rate that nobody uses for a while is forgotten: kept here, it would be one of many.
	return allow(k.server.limits.user(now, k.device.uid), now)
}

func tooFast(wait time.Duration) *wire.Error {
	return wire.Refuse(wire.CodeTooManyRequests, "Too many requests; wait a moment.").With("retryAfterMs", max(1, wait.Milliseconds()))
}

// handle carries out a request and waits for its answer, unless it is an offer.
func (k *socket) handle(now time.Time, req wire.Request) {
	done := make(chan struct{})
	reply := once(func(result any, refusal *wire.Error) {
		k.finish(req, result, refusal)
		close(done)
	})
	if req.MutationID != "" {
		first, fresh := k.server.mutations.begin(now, idem.Key{UID: k.device.uid, Device: k.device.id, ID: req.MutationID}, req.Method, reply)
		if !fresh {
			<-done
			return
		}
		reply = first
		if k.device.expired(now) {
			reply(nil, wire.Refuse(wire.CodeTokenExpired, "The token has run out; renew it first."))
			return
		}
	}
	defer func() {
		if r := recover(); r != nil {
			reply(nil, wire.Internal()) // lets those go who wait for the same mutation
			panic(r)
		}
	}()
	k.dispatch(req, reply)
	if !req.Offer() {
		<-done
	}
}

// dispatch finds the one who answers a request.
func (k *socket) dispatch(req wire.Request, reply answer) {
	s, by := k.server, call.Device{UID: k.device.uid, ID: k.device.id}
	switch p := req.Params.(type) {
	case wire.HelloParams:
		reply(nil, &wire.Error{RPC: wire.RPCRequest, Code: wire.CodeBadRequest, Message: "Hello was said already."})
	case wire.PingParams:
		if p.LastSeq != nil {
			k.device.forget(*p.LastSeq)
		}
		reply(wire.PingResult{ServerTime: wire.Millis(time.Now())}, nil)
	case wire.TokenRenewParams:
		reply(k.renew(p))
	case wire.DeviceRegisterParams, wire.DeviceUnregisterParams, wire.DeviceListParams:
		reply(k.registration(req.Params))
	case wire.BlockParams, wire.UnblockParams, wire.BlockedParams:
		reply(k.blocking(req.Params))
	case wire.TestParams:
		s.beginTrial(time.Now(), by, reply)
	case wire.TestOfferParams:
		if wait, allowed := allow(k.device.offers, time.Now()); !allowed {
			reply(nil, tooFast(wait))
			return
		}
		s.offerTrial(by, p, reply)
	case wire.TestEndParams:
		if t := s.trials.of(by, p.TestID); t != nil {
			s.endTrial(t)
		}
		reply(wire.Empty{}, nil)
	case wire.InitiateParams:
		if k.device.bearer().Session != nil {
			reply(nil, oneSession())
			return
		}
		s.request(by, false, p, reply)
	default:
		if !k.session(by, req.Params, reply) {
			s.request(by, k.device.granted(token.GrantModerate), req.Params, reply)
		}
	}
}

// session answers a request of session.*; false: it is none.
func (k *socket) session(by call.Device, params wire.Params, reply answer) bool {
	s, moderator := k.server, k.device.granted(token.GrantModerate)
	within := func(id string, do func(*loop)) {
		s.within(id, by, do, func(*call.Call) {
			reply(nil, wire.Refuse(wire.CodeNotJoined, "This device is not in the session."))
		}, reply)
	}
	switch p := params.(type) {
	case wire.JoinParams:
		s.within(p.SessionID, by, func(l *loop) { l.joinSession(call.Join{By: by, Takeover: p.Takeover}, moderator, reply) }, func(over *call.Call) {
			reply(nil, wire.Refuse(wire.CodeTerminated, "The call has already ended.").With("call", s.view(over)))
		}, reply)
	case wire.EnterParams:
		s.enter(entry{by: by, claims: k.device.bearer(), params: p}, reply)
	case wire.OfferParams:
		within(p.SessionID, func(l *loop) { l.offer(by, p, reply) })
	case wire.MuteParams:
		within(p.SessionID, func(l *loop) { l.mute(by, p, reply) })
	case wire.WishParams:
		within(p.SessionID, func(l *loop) { l.wish(by, p, reply) })
	case wire.StatsParams:
		within(p.SessionID, func(l *loop) { l.measured(by, p, reply) })
	case wire.HandParams:
		within(p.SessionID, func(l *loop) { l.hand(by, moderator, p, reply) })
	case wire.MuteOtherParams:
		within(p.SessionID, func(l *loop) { l.muteOther(by, moderator, p, reply) })
	case wire.ExpelParams:
		within(p.SessionID, func(l *loop) { l.expel(by, moderator, p, reply) })
	case wire.ICEServersParams:
		within(p.SessionID, func(l *loop) { l.refresh(by, reply) })
	case wire.LeaveParams:
		s.act(p.SessionID, by, call.Leave{By: by}, func(_ any, refusal *wire.Error) {
			if refusal != nil {
				reply(nil, refusal)
				return
			}
			reply(wire.Empty{}, nil)
		})
	default:
		return false
	}
	return true
}

// finish sends the answer to a request and counts it. Any goroutine may call it.
func (k *socket) finish(req wire.Request, result any, refusal *wire.Error) {
	method, status := req.Method, "ok"
	if method == "" {
		method = "unknown"
	}
	var text []byte
	if refusal == nil {
		encoded, err := wire.Encode(result)
		if err != nil {
			k.log.Error("encoding a result failed", "method", method, "error", err)
			refusal = wire.Internal()
		} else {
			text = wire.Reply(req.ID, encoded)
		}
	}
	if refusal != nil {
		status = refusal.Code
		text = wire.ErrorReply(req.ID, refusal)
	}
	k.server.metrics.messages.WithLabelValues(method, status).Inc()
	k.send(message{answer: text})
}
