package notice

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// maxData bounds the data as JSON. Web Push has the least room: a record of 4096 bytes less its header, tag and padding mark
// leaves 3993 (RFC 8188 §2), and FCM takes 4096 bytes of data.
const maxData = 3800

// shortName is what is left of names when everything else does not fit, in characters.
const shortName = 64

// notice makes one with all keys that CometChat's pushes have, as strings, and of which an app may find any. A notice that is
// not a ring has no senderUid. Nothing in it lets anybody join the call: for that the app signs in.
func (m *maker) notice(purpose Purpose, action, by, actingDevice, body string) *Notice {
	sender := m.user(by)
	data := map[string]string{
		"type": "call", "callAction": action, "sessionId": m.call.ID, "callType": string(m.call.Type),
		"title": m.view.Initiator.Name, "body": body, "tag": m.call.ID,
		"sender": sender.UID, "senderName": sender.Name, "senderAvatar": sender.Avatar,
		"receiver": m.call.Receiver, "receiverName": m.view.Receiver.Name, "receiverAvatar": "",
		"receiverType":   string(m.call.ReceiverType),
		"conversationId": conversation(m.call),
		"sentAt":         strconv.FormatInt(wire.Millis(m.now), 10),
		"expiresAt":      strconv.FormatInt(wire.Millis(m.call.RingDeadline), 10),
	}
	if m.view.Receiver.Avatar != nil {
		data["receiverAvatar"] = *m.view.Receiver.Avatar
	}
	if purpose == Ring {
		data["senderUid"] = sender.UID
	}
	if actingDevice != "" {
		data["deviceId"] = actingDevice
	}
	fit(data)
	return &Notice{Session: m.call.ID, Purpose: purpose, Data: data, At: m.now, Deadline: m.call.RingDeadline}
}

// user is how the members see a user of the call.
func (m *maker) user(uid string) wire.UserView {
	if uid == m.view.Initiator.UID {
		return m.view.Initiator
	}
	for _, member := range m.view.Members {
		if member.User.UID == uid {
			return member.User
		}
	}
	return wire.UserView{UID: uid, Name: uid}
}

// conversation is the id of the two users' conversation, or of the group's, as CometChat makes it.
func conversation(c *call.Call) string {
	if c.ReceiverType == call.Group {
		return "group_" + c.Receiver
	}
	return min(c.Initiator, c.Receiver) + "_user_" + max(c.Initiator, c.Receiver)
}

// fit leaves out what a call can ring without until the rest fits: pictures first, then the ends of names.
func fit(data map[string]string) {
	for _, key := range []string{"receiverAvatar", "senderAvatar"} {
		if len(encode(data)) > maxData {
			data[key] = ""
		}
	}
	if len(encode(data)) > maxData {
		for _, key := range []string{"title", "senderName", "receiverName"} {
			if name := []rune(data[key]); len(name) > shortName {
				data[key] = string(name[:shortName-1]) + "…"
			}
		}
	}
}

// encode writes JSON as it is read: without the escapes for HTML, which would make some names six times as long.
func encode(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // plain data of strings and numbers
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
