package signaling

import (
	"context"
	"net/http"

	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// DeviceRequest registers a device for pushes.
type DeviceRequest struct {
	UID          string                 `json:"uid,omitempty" maxLength:"128" doc:"Whose device an API key registers; a token says it itself."`
	Kind         string                 `json:"kind" enum:"fcm,apnsVoip,apns,web,custom"`
	Token        string                 `json:"token,omitempty" maxLength:"4096" doc:"For every kind but web."`
	Subscription *wire.PushSubscription `json:"subscription,omitempty" doc:"For web: what PushSubscription.toJSON() gives, without expirationTime."`
	Sandbox      bool                   `json:"sandbox,omitempty" doc:"For APNs: the token is of a development build."`
	DeviceID     string                 `json:"deviceId,omitempty" maxLength:"64" pattern:"^[A-Za-z0-9._-]+$" doc:"The deviceId that the app uses in hello, so that it is not told what it did itself."`
}

// deviceUser names whose devices an API key means.
type deviceUser struct {
	UID string `query:"uid" maxLength:"128" doc:"Whose devices; for API keys."`
}

func (r *REST) registerDevices() {
	register(r, operation{id: "register-device", method: http.MethodPost, path: "/v1/devices", access: anyone,
		summary: "Register a device for pushes; again is the same", errors: []int{http.StatusConflict}}, r.registerDevice)
	register(r, operation{id: "list-devices", method: http.MethodGet, path: "/v1/devices", access: anyone,
		summary: "List a user's registrations"},
		func(ctx context.Context, in *deviceUser) (*body[wire.DevicesResult], error) {
			who := callerOf(ctx)
			if who.isServer() {
				who.role = token.RoleAdmin // looking is for every role
			}
			uid, err := deviceOwner(who, in.UID)
			if err != nil {
				return nil, err
			}
			list, err := listDevices(ctx, r.deps.Devices, uid)
			return reply(list), err
		})
	register(r, operation{id: "unregister-device", method: http.MethodDelete, path: "/v1/devices/{registrationId}", access: anyone,
		summary: "Take back a registration; one that is not there is taken back already"},
		func(ctx context.Context, in *struct {
			deviceUser
			ID string `path:"registrationId" minLength:"1" maxLength:"64"`
		}) (*struct{}, error) {
			uid, err := deviceOwner(callerOf(ctx), in.UID)
			if err != nil {
				return nil, err
			}
			return nil, r.deps.Devices.Unregister(ctx, uid, in.ID)
		})
}

func (r *REST) registerDevice(ctx context.Context, in *struct{ Body DeviceRequest }) (*body[wire.DeviceResult], error) {
	uid, err := actFor(callerOf(ctx), in.Body.UID)
	if err != nil {
		return nil, err
	}
	if !wire.ValidUID(uid) {
		return nil, badField("body.uid", "This is not a uid.")
	}
	d := deviceOf(wire.DeviceRegisterParams{
		Kind: in.Body.Kind, Token: in.Body.Token, Subscription: in.Body.Subscription, Sandbox: in.Body.Sandbox,
	})
	d.DeviceID = in.Body.DeviceID
	result, err := registerDevice(ctx, r.deps.Devices, uid, d)
	return reply(result), err
}

// deviceOwner is whose devices are meant: the token's user, or whom an API key names in the query.
func deviceOwner(who caller, named string) (string, error) {
	uid, err := actFor(who, named)
	if problem, ok := err.(*Problem); ok && problem.Field != "" {
		problem.Field = "query.uid"
	}
	if err == nil && !wire.ValidUID(uid) {
		return "", badField("query.uid", "This is not a uid.")
	}
	return uid, err
}
