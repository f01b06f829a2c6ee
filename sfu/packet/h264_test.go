package packet

import "testing"

func TestWhichH264DecoderTakesWhichStream(t *testing.T) {
	of := func(id, mode string) H264Format {
		return ParseH264("level-asymmetry-allowed=1;packetization-mode=" + mode + "; profile-level-id=" + id)
	}
	for _, row := range []struct {
		decoder, stream H264Format
		want            bool
	}{
		{of("42e01f", "1"), of("42e034", "1"), true}, // another level
		{of("42e01f", "1"), of("42e01f", "0"), false},
		{of("42001f", "1"), of("42e01f", "1"), true},
		{of("42e01f", "1"), of("42001f", "1"), false},
		{of("640c1f", "1"), of("42e01f", "1"), true},
		{of("42e01f", "1"), of("640c1f", "1"), false},
		{of("64001f", "1"), of("640c1f", "1"), true},
		{of("64001f", "1"), of("4d001f", "1"), true},
		{of("4d001f", "1"), of("64001f", "1"), false},
		{of("4d801f", "1"), of("42e01f", "1"), true}, // two names of constrained baseline
		{of("42e01f", "1"), of("4D801F", "1"), true},
		{ParseH264(""), ParseH264("profile-level-id=42000a"), true},
		{of("7a001f", "1"), of("42e01f", "1"), false},
		{of("42e01f", "1"), of("nonsense", "1"), false},
		{H264Format{}, H264Format{}, false},
	} {
		if got := row.decoder.Decodes(row.stream); got != row.want {
			t.Errorf("%+v decodes %+v: %v", row.decoder, row.stream, got)
		}
	}
}
