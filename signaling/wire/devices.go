package wire

// DeviceRegisterParams say where this device is to be pushed. Kind says which of the others it needs: a Token, or for web a
// Subscription.
type DeviceRegisterParams struct {
	Kind         string            `json:"kind"`
	Token        string            `json:"token,omitempty"`
	Subscription *PushSubscription `json:"subscription,omitempty"`
	Sandbox      bool              `json:"sandbox,omitempty"`
	MutationID   string            `json:"mutationId"`
}

// PushSubscription is a browser's PushSubscription as its toJSON gives it, without the expiration time.
type PushSubscription struct {
	Endpoint string           `json:"endpoint" required:"true" maxLength:"2048" doc:"URL at a push service."`
	Keys     SubscriptionKeys `json:"keys" required:"true"`
}

// SubscriptionKeys are the keys of a PushSubscription, in base64url.
type SubscriptionKeys struct {
	P256dh string `json:"p256dh" required:"true" maxLength:"128"`
	Auth   string `json:"auth" required:"true" maxLength:"64"`
}

// DeviceUnregisterParams take back a registration.
type DeviceUnregisterParams struct {
	RegistrationID string `json:"registrationId"`
	MutationID     string `json:"mutationId"`
}

// DeviceListParams ask for the user's registrations.
type DeviceListParams struct{}

func (p DeviceRegisterParams) mutationID() string   { return p.MutationID }
func (p DeviceUnregisterParams) mutationID() string { return p.MutationID }

// Validate checks mutationId; what a token or subscription must be like depends on its kind and is for package notice to say.
func (p DeviceRegisterParams) Validate() *Error {
	if p.Kind == "" {
		return bad("kind", "must not be empty")
	}
	return checkMutationID(p.MutationID)
}

// Validate checks registrationId and mutationId.
func (p DeviceUnregisterParams) Validate() *Error {
	return first(checkID("registrationId", p.RegistrationID), checkMutationID(p.MutationID))
}

// Validate has nothing to check.
func (p DeviceListParams) Validate() *Error { return nil }

// DeviceView is a registration as its user sees it. The token is not in it: it goes in and never out.
type DeviceView struct {
	RegistrationID string `json:"registrationId"`
	Kind           string `json:"kind" doc:"fcm, apnsVoip, apns, web or custom."`
	DeviceID       string `json:"deviceId" doc:"The device of the WebSocket that registered; empty when it is not known."`
	Sandbox        bool   `json:"sandbox"`
	RegisteredAt   int64  `json:"registeredAt" doc:"Unix milliseconds."`
}

// DeviceResult answers device.register.
type DeviceResult struct {
	Device DeviceView `json:"device"`
}

// DevicesResult answers device.list.
type DevicesResult struct {
	Devices List[DeviceView] `json:"devices"`
}
