package token

// Role is what an API key may do over REST.
type Role string

// The roles. A key without a role signs users' tokens and is no good by itself.
const (
	RoleNone  Role = ""
	RoleRead  Role = "read"  // look at users, groups and calls
	RoleAdmin Role = "admin" // change them too
)

// APIKey is one of the operator's keys. It signs users' tokens; with a role it opens REST by itself.
type APIKey struct {
	ID     string // 1–64 characters of A–Z a–z 0–9 . _ -
	Secret string // at least MinSecret bytes
	Role   Role
}

// MinSecret is the shortest secret that New accepts, in bytes. HMAC-SHA256 wants 32 (RFC 7518 §3.2).
const MinSecret = 32
