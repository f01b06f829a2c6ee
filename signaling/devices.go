package signaling

import (
	"context"
	"errors"

	"github.com/parleyrtc/parley/signaling/push/notice"
	"github.com/parleyrtc/parley/signaling/wire"
)

// Devices keeps where users want to be pushed. *push.Registry is one.
type Devices interface {
	// Register notes a device that passes its Check, and returns it with its id; it refuses with notice.ErrKind and notice.ErrEndpoint.
	Register(ctx context.Context, uid string, d notice.Device) (notice.Device, error)
	// Unregister forgets one of the user's registrations, Forget all of them. What is not there is forgotten already.
	Unregister(ctx context.Context, uid, id string) error
	Forget(ctx context.Context, uid string) error
	// Devices lists the user's registrations.
	Devices(ctx context.Context, uid string) ([]notice.Device, error)
}

// noDevices is the Devices of a server that pushes nobody.
type noDevices struct{}

func (noDevices) Register(context.Context, string, notice.Device) (notice.Device, error) {
	return notice.Device{}, notice.ErrKind
}
func (noDevices) Unregister(context.Context, string, string) error         { return nil }
func (noDevices) Forget(context.Context, string) error                     { return nil }
func (noDevices) Devices(context.Context, string) ([]notice.Device, error) { return nil, nil }

// registration carries out one device.* request of the protocol. Who may be in one session only is rung by nobody, and must not
// take a token from whoever has registered it.
func (k *socket) registration(params wire.Params) (any, *wire.Error) {
	if k.device.bearer().Session != nil {
		return nil, oneSession()
	}
	ctx, cancel := k.server.storeContext()
	defer cancel()
	devices, uid := k.server.deps.Devices, k.device.uid
	var result any = wire.Empty{}
	var err error
	switch p := params.(type) {
	case wire.DeviceRegisterParams:
		d := deviceOf(p)
		d.DeviceID = k.device.id
		result, err = registerDevice(ctx, devices, uid, d)
	case wire.DeviceUnregisterParams:
		err = devices.Unregister(ctx, uid, p.RegistrationID)
	case wire.DeviceListParams:
		result, err = listDevices(ctx, devices, uid)
	}
	var refusal *wire.Error
	switch {
	case errors.As(err, &refusal):
		return nil, refusal
	case err != nil:
		k.log.Error("a registration could not be read or written", "error", err)
		return nil, wire.Internal()
	}
	return result, nil
}

// deviceOf is the device that the params describe.
func deviceOf(p wire.DeviceRegisterParams) notice.Device {
	d := notice.Device{Kind: notice.Kind(p.Kind), Token: p.Token, Sandbox: p.Sandbox}
	if p.Subscription != nil && d.Kind == notice.Web {
		d.Token, d.P256dh, d.Auth = p.Subscription.Endpoint, p.Subscription.Keys.P256dh, p.Subscription.Keys.Auth
	}
	return d
}

// registerDevice registers a device or says with a *wire.Error why not.
func registerDevice(ctx context.Context, devices Devices, uid string, d notice.Device) (wire.DeviceResult, error) {
	if field, reason := d.Check(); field != "" {
		refusal := wire.Refuse(wire.CodeBadRequest, "The field "+field+" "+reason+".")
		refusal.Field = field
		return wire.DeviceResult{}, refusal
	}
	d, err := devices.Register(ctx, uid, d)
	switch {
	case errors.Is(err, notice.ErrKind):
		return wire.DeviceResult{}, wire.Refuse(wire.CodePushKind, "This server does not push devices of this kind.")
	case errors.Is(err, notice.ErrEndpoint):
		return wire.DeviceResult{}, wire.Refuse(wire.CodePushEndpoint, "The endpoint is not at a push service that this server uses.")
	}
	return wire.DeviceResult{Device: deviceView(d)}, err
}

func listDevices(ctx context.Context, devices Devices, uid string) (wire.DevicesResult, error) {
	list, err := devices.Devices(ctx, uid)
	result := wire.DevicesResult{Devices: make(wire.List[wire.DeviceView], 0, len(list))}
	for _, d := range list {
		result.Devices = append(result.Devices, deviceView(d))
	}
	return result, err
}

func deviceView(d notice.Device) wire.DeviceView {
	return wire.DeviceView{
		RegistrationID: d.ID, Kind: string(d.Kind), DeviceID: d.DeviceID, Sandbox: d.Sandbox, RegisteredAt: wire.Millis(d.RegisteredAt),
	}
}
