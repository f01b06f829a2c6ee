package layer

import "testing"

func TestNumbersOfSourcesJoin(t *testing.T) {
	for _, mask := range []uint16{0xFF, 0x7FFF, 0xFFFF} {
		var c Counter
		if _, ok := c.Map(1, 5, mask); ok {
			t.Fatal("a source that did not begin")
		}
		c.Begin(1, mask-1, mask)
		for i, v := range []uint16{mask - 1, mask, 0, 3} {
			if out, ok := c.Map(1, v, mask); !ok || out != v {
				t.Fatalf("%d: the first source became %d", i, out)
			}
		}
		c.Begin(2, 77, mask)
		first, _ := c.Map(2, 77, mask)
		later, _ := c.Map(2, 79, mask)
		late, ok := c.Map(1, 2, mask)
		if first != 4 || later != 6 || late != 2 || !ok {
			t.Errorf("mask %x: %d %d %d", mask, first, later, late)
		}
		c.Begin(3, 9, mask)
		if out, _ := c.Map(3, 9, mask); out != 7 {
			t.Errorf("mask %x: %d", mask, out)
		}
		for i := range uint64(sources) {
			c.Begin(10+i, 1, mask)
		}
		if _, ok := c.Map(3, 9, mask); ok {
			t.Error("forgotten sources have no numbers")
		}
	}
}
