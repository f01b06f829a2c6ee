package datagram

import "testing"

func TestTrainsAreTrustedByTheKernelsRelease(t *testing.T) {
	for release, want := range map[string]bool{
		"4.18.0-553.el8.x86_64":      true,
		"5.15.0-131-generic":         true,
		"6.18.44":                    true,
		"6.19.0-rc7":                 true,
		"7.0":                        false,
		"7.0-rc1":                    false,
		"7.0.0-rc1":                  false,
		"7.0.2-6-pve":                false,
		"7.0.14-pve":                 false,
		"7.1":                        false,
		"7.1.0":                      false,
		"7.1.4-arch1-1":              false,
		"7.1.5":                      true,
		"7.1.10-zen":                 true,
		"7.2.0-rc1":                  true,
		"7.10.0":                     true,
		"8.0.1":                      true,
		"17.0.1":                     true,
		"":                           false,
		"7":                          false,
		"gnu":                        false,
		"99999999999999999999.1.1":   false,
		"4.4.0 (a sandbox's choice)": true,
	} {
		if ok, why := trusted(release); ok != want || ok != (why == "") {
			t.Errorf("%q: %v (%q), want %v", release, ok, why, want)
		}
	}
}

func TestAMessageIsReadDatagramByDatagram(t *testing.T) {
	for _, row := range []struct {
		data    string
		segment int
		want    []string
	}{
		{"single", 0, []string{"single"}},
		{"", 0, []string{""}},
		{"single", 6, []string{"single"}},
		{"single", 100, []string{"single"}},
		{"aabbcc", 2, []string{"aa", "bb", "cc"}},
		{"aabbc", 2, []string{"aa", "bb", "c"}},
	} {
		m := Message{Data: []byte(row.data), Segment: row.segment}
		if m.Datagrams() != len(row.want) {
			t.Errorf("%q by %d: %d datagrams", row.data, row.segment, m.Datagrams())
			continue
		}
		for i, want := range row.want {
			got := m.Datagram(i)
			if string(got) != want {
				t.Errorf("%q by %d: datagram %d is %q", row.data, row.segment, i, got)
			}
			if row.segment > 0 && cap(got) != len(got) {
				t.Errorf("%q by %d: appending to datagram %d would damage the next", row.data, row.segment, i)
			}
		}
	}
}
