package pool

// Tag is a pool tag: four characters, the first in the lowest byte, so that a
// memory dump shows them in order.
//
// Resident packages write theirs as constants: 'E' | 'v'<<8 | 'n'<<16 | 't'<<24.
type Tag uint32

// TagOf returns the tag of up to four characters; shorter ones are filled with
// blanks.
func TagOf(s string) Tag {
	var t Tag
	for i := range 4 {
		c := byte(' ')
		if i < len(s) {
			c = s[i]
		}
		t |= Tag(c) << (8 * i)
	}
	return t
}

// Chars returns the four characters.
func (t Tag) Chars() [4]byte {
	return [4]byte{byte(t), byte(t >> 8), byte(t >> 16), byte(t >> 24)}
}

// Stat is the account of one tag.
type Stat struct {
	Tag           Tag
	Allocs, Frees uint64
	Bytes         uintptr // allocated now, as asked for
	Peak          uintptr // the most Bytes ever was
}

// maxTags is the number of tags with accounts of their own.
const maxTags = 256

// tagOverflow is the account of all further tags.
const tagOverflow Tag = 'O' | 'v'<<8 | 'f'<<16 | 'l'<<24

// tags is a hash table of accounts with linear probing. Accounts stay.
type tags struct {
	slots    [maxTags]Stat
	overflow Stat
}

// account returns the tag's account.
func (t *tags) account(tag Tag) *Stat {
	i := uint32(tag) * 0x9E3779B1 >> 24
	for range maxTags {
		s := &t.slots[i%maxTags]
		if s.Tag == tag {
			return s
		}
		if s.Tag == 0 {
			s.Tag = tag
			return s
		}
		i++
	}
	t.overflow.Tag = tagOverflow
	return &t.overflow
}

func (t *tags) allocated(tag Tag, size uintptr) {
	s := t.account(tag)
	s.Allocs++
	s.Bytes += size
	s.Peak = max(s.Peak, s.Bytes)
}

func (t *tags) freed(tag Tag, size uintptr) {
	s := t.account(tag)
	s.Frees++
	s.Bytes -= size
}

// nth returns the nth account in use.
func (t *tags) nth(n int) (Stat, bool) {
	for i := range t.slots {
		if t.slots[i].Tag == 0 {
			continue
		}
		if n == 0 {
			return t.slots[i], true
		}
		n--
	}
	return t.overflow, n == 0 && t.overflow.Tag != 0
}
