package wire

// MaxBlockedPage is the most users of one page of a block list.
const MaxBlockedPage = 100

// BlockParams block a user: neither of the two can ring the other.
type BlockParams struct {
	UID        string `json:"uid"`
	MutationID string `json:"mutationId"`
}

// UnblockParams take that back.
type UnblockParams struct {
	UID        string `json:"uid"`
	MutationID string `json:"mutationId"`
}

// BlockedParams ask for a page of the users whom this user has blocked, by uid.
type BlockedParams struct {
	Cursor string `json:"cursor,omitempty"` // next of the page before
	Limit  *int   `json:"limit,omitempty"`  // 1 to MaxBlockedPage; nil: MaxBlockedPage
}

func (p BlockParams) mutationID() string   { return p.MutationID }
func (p UnblockParams) mutationID() string { return p.MutationID }

// Size is how many users the page shall have.
func (p BlockedParams) Size() int {
	if p.Limit == nil {
		return MaxBlockedPage
	}
	return *p.Limit
}

// Validate checks uid and mutationId.
func (p BlockParams) Validate() *Error { return first(checkUID(p.UID), checkMutationID(p.MutationID)) }

// Validate checks uid and mutationId.
func (p UnblockParams) Validate() *Error {
	return first(checkUID(p.UID), checkMutationID(p.MutationID))
}

// Validate checks cursor and limit.
func (p BlockedParams) Validate() *Error {
	switch {
	case p.Cursor != "" && !ValidUID(p.Cursor):
		return bad("cursor", "must be next of the page before")
	case p.Limit != nil && (*p.Limit < 1 || *p.Limit > MaxBlockedPage):
		return bad("limit", "must be 1 to 100")
	}
	return nil
}

func checkUID(s string) *Error {
	if !ValidUID(s) {
		return bad("uid", "must be 1 to 128 characters of A-Z a-z 0-9 . _ - @ : +")
	}
	return nil
}

// BlockedResult answers user.blocked.
type BlockedResult struct {
	Users List[UserView] `json:"users"`
	Next  string         `json:"next,omitempty"` // cursor of the next page; absent on the last
}
