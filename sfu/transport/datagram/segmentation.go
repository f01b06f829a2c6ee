package datagram

import "fmt"

// trusted says whether a kernel of some release, as uname -r prints it, cuts trains as it should, and why not. A distribution may
// have mended an old release, which cannot be seen from its name.
func trusted(release string) (ok bool, why string) {
	var major, minor, patch int
	n, _ := fmt.Sscanf(release, "%d.%d.%d", &major, &minor, &patch) // a release candidate may have two numbers
	switch {
	case n < 2:
		return false, fmt.Sprintf("the kernel release %q is not understood", release)
	case major == 7 && (minor == 0 || minor == 1 && patch <= 4):
		// Broken by b10b446 in 7.0-rc1, mended by 78effd8 and 5f17ae0, which 7.1.5 has. The sender cannot see it.
		return false, fmt.Sprintf("Linux %s may damage trains of equally long datagrams (7.0 to 7.1.4 do)", release)
	}
	return true, ""
}
