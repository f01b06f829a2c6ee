package store

import (
	"strings"
	"testing"
)

var strangeKeys = []string{
	"user/*", "user/>", "user/.", "user/a.b", "user/a", "user/A", "user/", "user", "user//", "user/a b", "user/a\tb", "user/a\r\nb",
	"user/ä", "user/日本", "user/\xff", "user/\x00", "user/=", "user/==", "user/=2a", "user/=2A", "user/%2A", "user/$SYS", "user/a/b",
	"user/a@example.com", "user/a:b", "user/a+b", "user/-", "user/_", "*/*", ">", "*", "/", "/user", "user/" + strings.Repeat("€", 80),
}

func TestKeysAndSubjectsAreOneToOne(t *testing.T) {
	seen := map[string]string{}
	for _, key := range strangeKeys {
		subj := subject(key)
		if strings.ContainsAny(subj, "*> \t\r\n") || strings.Contains(subj, "..") || strings.HasSuffix(subj, ".") {
			t.Errorf("%q becomes the subject %q", key, subj)
		}
		if other, twice := seen[subj]; twice {
			t.Errorf("%q and %q share the subject %q", key, other, subj)
		}
		seen[subj] = key
		if back, err := keyOf(subj); err != nil || back != key {
			t.Errorf("%q came back as %q (%v)", key, back, err)
		}
	}
	for _, subj := range []string{"other.state.a", "parley.state.=", "parley.state.=2", "parley.state.=zz"} {
		if key, err := keyOf(subj); subj != "parley.state.=" && err == nil {
			t.Errorf("%q is taken for the key %q", subj, key)
		}
	}
}

func TestStrangeKeysStayApart(t *testing.T) {
	s := open(t, t.TempDir())
	for _, key := range strangeKeys {
		commit(t, s, Change{Key: key, Value: []byte(key)})
	}
	for _, key := range strangeKeys {
		record, err := s.Get(t.Context(), key)
		if err != nil || string(record.Value) != key {
			t.Errorf("%q holds %q (%v)", key, record.Value, err)
		}
	}
	all, err := s.List(t.Context(), "")
	if err != nil || len(all) != len(strangeKeys) {
		t.Errorf("listed %d of %d (%v)", len(all), len(strangeKeys), err)
	}
	if got := keys(t, s, "*"); got != "*/*=*/*" {
		t.Errorf("below * there is %q", got)
	}
	if got := keys(t, s, "use"); got != "" {
		t.Errorf("below use there is %q", got)
	}
	under, _ := s.List(t.Context(), "user")
	slash, _ := s.List(t.Context(), "user/")
	if len(under) != len(slash) || len(under) != len(strangeKeys)-6 {
		t.Errorf("below user there are %d, below user/ %d of %d", len(under), len(slash), len(strangeKeys))
	}
	if got := keys(t, s, "user/a"); got != "user/a/b=user/a/b" {
		t.Errorf("below user/a there is %q", got)
	}
}

func FuzzKey(f *testing.F) {
	for _, key := range strangeKeys {
		f.Add(key, "user/x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if back, err := keyOf(subject(a)); err != nil || back != a {
			t.Fatalf("%q came back as %q (%v)", a, back, err)
		}
		if a != b && subject(a) == subject(b) {
			t.Fatalf("%q and %q share a subject", a, b)
		}
	})
}
