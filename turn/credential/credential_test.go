package credential

import (
	"errors"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/turn/v5"
)

var (
	secret = []byte("a secret of the operator")
	t0     = time.Unix(1_700_000_000, 0)
)

func TestACredentialIsGoodForItsSessionAndTime(t *testing.T) {
	for _, uid := range []string{"alice", "a:b:c", "колл", "*.>", strings.Repeat("u", 200)} {
		username, password := Mint(secret, uid, "s-1", t0, time.Hour)
		c, err := Check(secret, username, password, t0.Add(time.Hour-time.Second))
		if err != nil || c.UID != uid || c.Session != "s-1" || !c.Expires.Equal(t0.Add(time.Hour)) {
			t.Fatalf("%q: %+v %v", username, c, err)
		}
		if _, err := Check(secret, username, password, t0.Add(time.Hour)); !errors.Is(err, ErrExpired) {
			t.Errorf("at its end: %v", err)
		}
		if _, err := Check([]byte("another secret"), username, password, t0); !errors.Is(err, ErrPassword) {
			t.Errorf("another secret: %v", err)
		}
		later, _ := Mint(secret, uid, "s-1", t0, 2*time.Hour)
		if _, err := Check(secret, later, password, t0); !errors.Is(err, ErrPassword) {
			t.Errorf("a longer life with the old password: %v", err)
		}
		if d, _ := Parse(later); d.Owner() != c.Owner() {
			t.Error("a renewed credential has another owner")
		}
	}
	if a, b := (Claims{UID: "a", Session: "x"}), (Claims{UID: "b", Session: "x"}); a.Owner() == b.Owner() {
		t.Error("two users are one owner")
	}
}

func TestPasswordIsThatOfTheCommonScheme(t *testing.T) {
	username, password := Mint(secret, "alice", "s", t0, time.Hour)
	handler := pion.LongTermTURNRESTAuthHandler(string(secret), nil)
	_, key, ok := handler(&pion.RequestAttributes{Username: strings.Replace(username, "1700003600", "9999999999", 1), Realm: "r"})
	want := pion.GenerateAuthKey("9999999999:YWxpY2U:s", "r", Password(secret, "9999999999:YWxpY2U:s"))
	if !ok || string(key) != string(want) || password == "" {
		t.Error("another password than pion's handler expects")
	}
}

func TestMalformedUsernames(t *testing.T) {
	for _, u := range []string{
		"", ":", "::", "1:YQ", "1:YQ:s:x", "x:YQ:s", "-1:YQ:s", "0:YQ:s", "+1:YQ:s", "01:YQ:s", "1:!!:s", "1::s", "1:YQ:", "1:YQ==:s",
		"1:YR:s", "1:YQ:s s", "1:YQ:s\n", "1:Y\nQ:s", "1:YQ\r\n:s", "99999999999999999999:YQ:s", "1:YQ:" + strings.Repeat("s", 600), " 1:YQ:s",
	} {
		if c, err := Parse(u); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %+v %v", u, c, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	u, _ := Mint(secret, "alice", "s", t0, time.Hour)
	f.Add(u)
	f.Fuzz(func(t *testing.T, username string) {
		c, err := Parse(username)
		if err != nil {
			return
		}
		if again, _ := Mint(secret, c.UID, c.Session, c.Expires, 0); again != username {
			t.Fatalf("%q and %q mean the same", username, again)
		}
	})
}
