// Package budget shares a subscriber's bitrate among its subscriptions.
//
// Three steps, the same for the same input:
//
//	prioritize   audio, screens, what is pinned, the active speaker, the rest; inside a class by Order
//	cap          what is of use: not hidden, not paused, no larger and no faster than it is shown
//	allocate     in this order, each step if it fits
//	               1. all audio, whether it fits or not: a call lives by its sound
//	               2. screens, pinned, speaker: a picture at all, in order of class
//	               3. the same: a decent one; a screen in full size, the others in 640 × 360
//	               4. the rest: a picture at all
//	               5. class by class: better ones, rung by rung and in turn, so that equals stay equal
//
// What does not fit is left out, and what comes after it in the order and is smaller may still fit; but nobody gets a higher
// rate than one that an equal was refused. The order does not depend on the budget, so that more of it takes from
// nobody to give to a lesser one, unless an earlier step does.
//
// Nothing flaps: more than before needs a part in forty to spare, and what one has is kept for 1.5 s while the budget is short of it by
// a part in twelve at most; and whoever had to go down waits 2 s before going up again, doubled each time up to 16 s when going up was
// a mistake, and 1 s at most while two fifths of the budget and more would stay idle. What the waiting would take is not given to lesser
// ones meanwhile.
package budget

// Rate is in bits per second.
type Rate int64

// Class orders subscriptions by what they mean to the receiver.
type Class uint8

// The classes, most important first.
const (
	// Audio is never left out for want of bitrate.
	Audio Class = iota
	// Screen is a shared screen.
	Screen
	// Pinned is what the receiver chose to see.
	Pinned
	// Speaker is who is speaking.
	Speaker
	// Rest is everybody else.
	Rest
)

// Choice is one way to forward a publication.
type Choice struct {
	// Rate is what it takes, layers below included: measured, or expected of what the publisher would send if it were asked
	// to. 0: it cannot be had.
	Rate Rate
	// Width and Height are in pixels, 0 when unknown.
	Width, Height int
	// FrameRate is in pictures a second, 0 when unknown.
	FrameRate float64
}

// Wish is what a receiver says of one slot. The zero value wishes for everything.
type Wish struct {
	// Hidden slots are not on the screen.
	Hidden bool
	// Paused slots are not to be sent at the user's wish.
	Paused bool
	// Width and Height of the slot on the screen in device pixels; 0: as large as there is.
	Width, Height int
	// FrameRate is the highest that is of use; 0: any.
	FrameRate float64
}

// Subscription is one publication carried to the receiver.
type Subscription struct {
	// ID is unique and stays the same for life.
	ID    uint64
	Class Class
	// Order is the place inside the class, lower is more important.
	Order uint64
	// Choices are ordered from the least to the best.
	Choices []Choice
	Wish    Wish
}

// Reason says why a subscription gets what it gets. It is told to the client.
type Reason uint8

// The reasons.
const (
	// Full: it gets what is wished for.
	Full Reason = iota
	// Reduced: it gets less, for want of bitrate.
	Reduced
	// Starved: it is paused for want of bitrate.
	Starved
	// Hidden: it is paused because it is not on the screen.
	Hidden
	// Stopped: it is paused because the user wishes so.
	Stopped
	// Absent: the publisher sends nothing.
	Absent
)

var reasonNames = [...]string{"full", "reduced", "bandwidth", "hidden", "paused", "absent"}

// String is the reason as the client reads it.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return "unknown"
}

// Grant is what one subscription gets.
type Grant struct {
	ID uint64
	// Choice is an index into its Choices, -1 when it is paused.
	Choice int
	// Wanted is the choice that it would get if there were bitrate enough, -1 when it is paused for another reason.
	Wanted int
	Reason Reason
}

// Plan is what all get.
type Plan struct {
	// Grants are in the order of the subscriptions given.
	Grants []Grant
	// Used is what the grants take, Audio the part of it that is sound.
	Used, Audio Rate
	// Wanted is what they would take if there were bitrate enough: what it is worth probing for.
	Wanted Rate
}
