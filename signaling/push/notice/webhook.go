package notice

// webhookBody is what the operator's own push server gets, in the form of CometChat's custom provider.
type webhookBody struct {
	Trigger string `json:"trigger"`
	Data    struct {
		To struct {
			UID    string   `json:"uid"`
			Tokens []string `json:"tokens,omitempty"`
		} `json:"to"`
		Details map[string]string `json:"notificationDetails"`
	} `json:"data"`
	Webhook string `json:"webhook"`
}

// WebhookBody is the request that tells one user through the operator's own push server. Tokens are those which the user's apps
// registered as Custom.
func WebhookBody(n *Notice, uid string, tokens []string) []byte {
	var body webhookBody
	body.Trigger, body.Webhook = "push-notification-payload-generated", "custom"
	body.Data.To.UID, body.Data.To.Tokens, body.Data.Details = uid, tokens, n.Data
	return encode(body)
}
