package token

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	now    = time.Unix(1_790_000_000, 0)
	secret = strings.Repeat("s", MinSecret)
	other  = strings.Repeat("o", MinSecret)
)

func verifier(t testing.TB) *Verifier {
	t.Helper()
	v, err := New([]APIKey{{ID: "app", Secret: secret}, {ID: "ops", Secret: other, Role: RoleAdmin}, {ID: "eye", Secret: other, Role: RoleRead}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// object is a JOSE header or a set of claims.
type object map[string]any

// with is the object with one member changed; a nil value removes it.
func (o object) with(name string, value any) object {
	changed := maps.Clone(o)
	if changed[name] = value; value == nil {
		delete(changed, name)
	}
	return changed
}

var (
	goodHeader = object{"alg": "HS256", "typ": "JWT"}
	goodClaims = object{"iss": "app", "sub": "alice", "aud": "parley", "exp": now.Unix() + 60}
)

func segments(t testing.TB, header, claims object) string {
	t.Helper()
	var parts []string
	for _, o := range []object{header, claims} {
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(text))
	}
	return strings.Join(parts, ".")
}

func signHMAC(signed string, key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// forge signs by hand, since the library would refuse to make most of what must be refused.
func forge(t testing.TB, header, claims object) string {
	t.Helper()
	return signHMAC(segments(t, header, claims), []byte(secret))
}

func TestWhatWasMintedIsVerified(t *testing.T) {
	claims := Claims{UID: "alice@example.com", Name: "Älice 🎈", Avatar: "https://a.example/x.png", Grants: []string{GrantModerate}}
	raw, err := Mint("app", secret, claims, now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	got, err := verifier(t).Verify(now.Add(59*time.Minute), raw)
	if err != nil {
		t.Fatal(err, Cause(err))
	}
	if got.ID == "" || !got.Granted(GrantModerate) || got.Granted("other") {
		t.Errorf("got %+v", got)
	}
	claims.ID, claims.KeyID, claims.IssuedAt, claims.ExpiresAt = got.ID, "app", now, now.Add(time.Hour)
	if diff := cmp.Diff(claims, got); diff != "" {
		t.Error(diff)
	}
}

func TestGoodTokensOfOthersAreAccepted(t *testing.T) {
	v := verifier(t)
	for name, claims := range map[string]object{
		"the least there must be": goodClaims,
		"several audiences":       goodClaims.with("aud", []string{"web", "parley"}),
		"just expired":            goodClaims.with("exp", now.Unix()-59),
		"not before, nearly":      goodClaims.with("nbf", now.Unix()+59),
		"issued, nearly":          goodClaims.with("iat", now.Unix()+59),
		"claims we don't read":    goodClaims.with("email", "a@example.com"),
		"fractional time":         goodClaims.with("exp", float64(now.Unix())+60.5),
		"longest uid":             goodClaims.with("sub", strings.Repeat("u", 128)),
		"every character":         goodClaims.with("sub", "AZaz09._-@:+"),
	} {
		if _, err := v.Verify(now, forge(t, goodHeader, claims)); err != nil {
			t.Errorf("%s: %v (%s)", name, err, Cause(err))
		}
	}
	if _, err := v.Verify(now, forge(t, object{"alg": "HS256"}, goodClaims)); err != nil {
		t.Errorf("without typ: %v", err)
	}
}

// badTexts is tokens whose form, header or signature is wrong, each with the cause that the log gives.
func badTexts(t testing.TB) map[string][2]string {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	rs256 := segments(t, goodHeader.with("alg", "RS256"), goodClaims)
	digest := sha256.Sum256([]byte(rs256))
	signature, err := rsa.SignPKCS1v15(rand.Reader, rsaKey, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	good := forge(t, goodHeader, goodClaims)
	header := func(name string, value any) string { return forge(t, goodHeader.with(name, value), goodClaims) }
	foreign := func(h object) string { return signHMAC(segments(t, h, goodClaims), []byte(other)) }
	return map[string][2]string{
		"empty":                       {"", "malformed"},
		"not a token":                 {"hello", "malformed"},
		"a million dots":              {strings.Repeat(".", 1<<20), "too_long"},
		"8 KiB of dots":               {strings.Repeat(".", MaxLength), "malformed"},
		"four parts":                  {good + ".x", "malformed"},
		"two parts":                   {good[:strings.LastIndexByte(good, '.')], "malformed"},
		"space before":                {" " + good, "malformed"},
		"line break after":            {good + "\n", "malformed"},
		"padded":                      {good + "=", "malformed"},
		"not base64":                  {"a.b.c", "malformed"},
		"too long":                    {forge(t, goodHeader, goodClaims.with("email", strings.Repeat("x", MaxLength))), "too_long"},
		"alg none":                    {segments(t, goodHeader.with("alg", "none"), goodClaims) + ".", "signature"},
		"alg None, signed":            {header("alg", "None"), "malformed"},
		"alg empty":                   {header("alg", ""), "malformed"},
		"alg missing":                 {header("alg", nil), "malformed"},
		"alg a number":                {header("alg", 256), "malformed"},
		"RS256 signed with our key":   {header("alg", "RS256"), "signature"},
		"RS256 of a stranger":         {rs256 + "." + base64.RawURLEncoding.EncodeToString(signature), "signature"},
		"HS256 with a public key":     {signHMAC(segments(t, goodHeader, goodClaims), publicPEM), "signature"},
		"HS384":                       {header("alg", "HS384"), "signature"},
		"HS512":                       {header("alg", "HS512"), "signature"},
		"kid a path":                  {signHMAC(segments(t, goodHeader.with("kid", "../../../../dev/null"), goodClaims), nil), "signature"},
		"kid SQL":                     {foreign(goodHeader.with("kid", "' UNION SELECT 'key")), "signature"},
		"kid of another key":          {foreign(goodHeader.with("kid", "ops")), "signature"},
		"jku":                         {foreign(goodHeader.with("jku", "https://evil.example/keys.json")), "signature"},
		"jwk":                         {foreign(goodHeader.with("jwk", object{"kty": "oct", "k": other})), "signature"},
		"x5u":                         {foreign(goodHeader.with("x5u", "https://evil.example/cert.pem")), "signature"},
		"crit":                        {header("crit", []string{"exp"}), "critical_header"},
		"b64 false":                   {forge(t, goodHeader.with("b64", false).with("crit", []string{"b64"}), goodClaims), "critical_header"},
		"foreign key":                 {foreign(goodHeader), "signature"},
		"no signature":                {segments(t, goodHeader, goodClaims) + ".", "signature"},
		"signature of other claims":   {segments(t, goodHeader, goodClaims.with("sub", "bob")) + good[strings.LastIndexByte(good, '.'):], "signature"},
		"claims not an object":        {signHMAC("eyJhbGciOiJIUzI1NiJ9.W10", []byte(secret)), "malformed"},
		"header not an object":        {signHMAC("W10.e30", []byte(secret)), "malformed"},
		"not canonical base64":        {good[:len(good)-1] + string(good[len(good)-1]+1), "malformed"},
		"a token in a million levels": {signHMAC("eyJhbGciOiJIUzI1NiJ9."+base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat(`{"a":`, 1000))), []byte(secret)), "malformed"},
	}
}

// badClaims is tokens that our key signed, but that say the wrong thing.
func badClaims(t testing.TB) map[string][2]string {
	t.Helper()
	claim := func(name string, value any) string { return forge(t, goodHeader, goodClaims.with(name, value)) }
	return map[string][2]string{
		"expired":                {claim("exp", now.Unix()-61), "expired"},
		"exp missing":            {claim("exp", nil), "claim_missing"},
		"exp text":               {claim("exp", "tomorrow"), "malformed"},
		"exp null":               {claim("exp", json.RawMessage("null")), "claim_missing"},
		"not valid yet":          {claim("nbf", now.Unix()+61), "not_yet_valid"},
		"issued in the future":   {claim("iat", now.Unix()+61), "not_yet_valid"},
		"aud of another service": {claim("aud", "livekit"), "audience"},
		"aud in another case":    {claim("aud", "Parley"), "audience"},
		"aud missing":            {claim("aud", nil), "claim_missing"},
		"aud empty":              {claim("aud", []string{}), "claim_missing"},
		"iss of another app":     {claim("iss", "ops"), "signature"},
		"iss unknown":            {claim("iss", "stranger"), "signature"},
		"iss missing":            {claim("iss", nil), "signature"},
		"iss a number":           {claim("iss", 5), "malformed"},
		"sub missing":            {claim("sub", nil), "subject"},
		"sub empty":              {claim("sub", ""), "subject"},
		"sub a wildcard":         {claim("sub", "*"), "subject"},
		"sub with a space":       {claim("sub", "alice bob"), "subject"},
		"sub with a line break":  {claim("sub", "alice\nINFO fake"), "subject"},
		"sub too long":           {claim("sub", strings.Repeat("u", 129)), "subject"},
		"sub a number":           {claim("sub", 5), "malformed"},
		"name with a control":    {claim("name", "a\x1b[2J"), "claim_bounds"},
		"name too long":          {claim("name", strings.Repeat("n", 257)), "claim_bounds"},
		"grants not a list":      {claim("grants", "call.moderate"), "malformed"},
		"too many grants":        {claim("grants", make([]string, 33)), "claim_bounds"},
	}
}

// badTokens is every token that must be refused.
func badTokens(t testing.TB) map[string][2]string {
	t.Helper()
	all := badTexts(t)
	maps.Copy(all, badClaims(t))
	return all
}

func TestBadTokensAllGetTheSameAnswer(t *testing.T) {
	v := verifier(t)
	for name, test := range badTokens(t) {
		raw, cause := test[0], test[1]
		claims, err := v.Verify(now, raw)
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %+v, %v", name, claims, err)
			continue
		}
		if !cmp.Equal(claims, Claims{}) {
			t.Errorf("%s: refused, but with claims %+v", name, claims)
		}
		if err.Error() != ErrInvalid.Error() {
			t.Errorf("%s: the text %q tells the client more than others", name, err)
		}
		if got := Cause(err); got != cause {
			t.Errorf("%s: the cause is %q, want %q", name, got, cause)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Warn("refused", "error", err)
		if !strings.Contains(log.String(), cause) {
			t.Errorf("%s: the log does not say why: %s", name, log.String())
		}
		for part := range strings.SplitSeq(raw, ".") {
			if len(part) > 8 && strings.Contains(log.String(), part) {
				t.Errorf("%s: the log has a part of the token: %s", name, log.String())
			}
		}
	}
}

func TestOnlyAKeyWithARoleOpensREST(t *testing.T) {
	v := verifier(t)
	raw, err := Mint("app", secret, Claims{UID: "alice"}, now, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]Role{"ApiKey ops:" + other: RoleAdmin, "apikey  eye:" + other: RoleRead} {
		bearer, err := v.Authorize(now, header)
		if err != nil || bearer.Role != want || bearer.Claims.UID != "" {
			t.Errorf("%q: got %+v, %v", header, bearer, err)
		}
	}
	if bearer, err := v.Authorize(now, "bearer "+raw); err != nil || bearer.Claims.UID != "alice" || bearer.Role != RoleNone {
		t.Errorf("a token: got %+v, %v", bearer, err)
	}
	for _, header := range []string{
		"", "Bearer", "Bearer ", "ApiKey", "ApiKey ops", "ApiKey ops:", "ApiKey :", "ApiKey ops:" + secret, "ApiKey stranger:" + other,
		"ApiKey app:" + secret, "Basic b3BzOm8=", raw, "Bearer ops:" + other, "ApiKey " + raw, "ApiKey ops:" + strings.Repeat("o", MaxLength),
	} {
		bearer, err := v.Authorize(now, header)
		if !errors.Is(err, ErrInvalid) || err.Error() != ErrInvalid.Error() || !cmp.Equal(bearer, Bearer{}) {
			t.Errorf("%.40q: got %+v, %v", header, bearer, err)
		}
	}
	if Cause(errors.New("other")) != "" {
		t.Error("an error of somebody else has a cause")
	}
}

func TestKeysThatCannotBeUsedAreRefused(t *testing.T) {
	for want, keys := range map[string][]APIKey{
		"key id":         {{ID: "", Secret: secret}},
		`"a b"`:          {{ID: "a b", Secret: secret}},
		"32 bytes":       {{ID: "a", Secret: secret[1:]}},
		"role":           {{ID: "a", Secret: secret, Role: "root"}},
		"is there twice": {{ID: "a", Secret: secret}, {ID: "a", Secret: other}},
	} {
		if _, err := New(keys); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret[1:]) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	if _, err := New(nil); err != nil {
		t.Errorf("no keys at all: %v", err)
	}
}

func TestMintRefusesWhatWouldNotVerify(t *testing.T) {
	for name, mint := range map[string]func() (string, error){
		"bad uid":     func() (string, error) { return Mint("app", secret, Claims{UID: "a b"}, now, time.Minute) },
		"no uid":      func() (string, error) { return Mint("app", secret, Claims{}, now, time.Minute) },
		"no secret":   func() (string, error) { return Mint("app", "", Claims{UID: "a"}, now, time.Minute) },
		"no lifetime": func() (string, error) { return Mint("app", secret, Claims{UID: "a"}, now, 0) },
		"too long": func() (string, error) {
			return Mint("app", secret, Claims{UID: "a", Grants: []string{strings.Repeat("g", MaxLength)}}, now, time.Minute)
		},
	} {
		if raw, err := mint(); err == nil {
			t.Errorf("%s: minted %s", name, raw)
		}
	}
}

func FuzzVerify(f *testing.F) {
	for _, test := range badTokens(f) {
		if len(test[0]) <= MaxLength {
			f.Add(test[0])
		}
	}
	good := forge(f, goodHeader, goodClaims)
	f.Add(good)
	v := verifier(f)
	f.Fuzz(func(t *testing.T, raw string) {
		claims, err := v.Verify(now, raw)
		switch {
		case err == nil && (claims.UID != "alice" || raw[:strings.LastIndexByte(raw, '.')] != good[:strings.LastIndexByte(good, '.')]) && !signed(raw):
			t.Fatalf("%q was accepted", raw)
		case err != nil && (!errors.Is(err, ErrInvalid) || Cause(err) == "other"):
			t.Fatalf("%q: %v, cause %q", raw, err, Cause(err))
		}
		if _, err := v.CheckAPIKey(raw); err == nil && raw != "ops:"+other && raw != "eye:"+other {
			t.Fatalf("%q was accepted", raw)
		}
	})
}

// signed reports whether the token has a true signature of the app's key.
func signed(raw string) bool {
	dot := strings.LastIndexByte(raw, '.')
	return dot > 0 && signHMAC(raw[:dot], []byte(secret)) == raw
}
