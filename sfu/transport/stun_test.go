package transport

import (
	"bytes"
	"testing"

	"github.com/pion/stun/v4"
)

func TestHostileUserNames(t *testing.T) {
	whole := request("anna:x")
	attribute := func(size ...byte) []byte { // a USERNAME with a length of its own choosing
		return append(append(bytes.Clone(whole[:stunHeader]), 0, stunUsername), size...)
	}
	for name, b := range map[string][]byte{
		"empty":                   whole[:stunHeader],
		"half a header":           append(bytes.Clone(whole[:stunHeader]), 0, stunUsername, 0),
		"longer than there is":    append(attribute(0, 99), "anna:x"...),
		"as long as can be":       append(attribute(0xff, 0xff), "anna:x"...),
		"behind a long attribute": append(append(bytes.Clone(whole[:stunHeader]), 0x80, 0x22, 0xff, 0xfc), whole[stunHeader:]...),
	} {
		if got := username(b); got != nil {
			t.Errorf("%s: user name %q", name, got)
		}
	}
	if got := username(append(attribute(0, 4), "anna"...)); string(got) != "anna" {
		t.Errorf("a user name at the very end: %q", got)
	}
	for name, b := range map[string][]byte{
		"short":            whole[:stunHeader-1],
		"nothing":          nil,
		"another cookie":   append([]byte{0, 1, 0, 0, 1, 2, 3, 4}, whole[8:]...),
		"longer than UDP":  append(bytes.Clone(whole), make([]byte, maxQueued)...),
		"not even binding": append([]byte{0, 3}, whole[2:]...),
	} {
		if class := stunClass(b); class == stunRequest || class == stunSuccess || class == stunIndication {
			t.Errorf("%s is a binding message %04x", name, class)
		}
	}
}

// FuzzUfrag holds our reading of a check against pion's: where pion finds a user name, it must be ours.
func FuzzUfrag(f *testing.F) {
	f.Add(request("anna:x"))
	f.Add(request(""))
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewSoftware("s"), stun.NewUsername("u:v")).Raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newQuietMux()
		face := m.peer(&client{})
		c := get(t, face, "anna", here)
		m.any(0, somewhere, b)
		if stunClass(b) == 0 {
			if got(c) != 0 {
				t.Fatal("what is not STUN went to an agent")
			}
			return
		}
		message := &stun.Message{Raw: b}
		if message.Decode() != nil {
			return
		}
		theirs, err := message.Get(stun.AttrUsername)
		if err != nil {
			return
		}
		want, _, _ := bytes.Cut(theirs, []byte{':'})
		if ours := username(b); !bytes.Equal(ours, want) {
			t.Fatalf("user name %q, want %q", ours, want)
		}
	})
}
