package compare

// Phonetic is a code that names have in common which sound alike to a European
// ear. It merges what the codes in use merge for one language each (Soundex,
// Russell 1918; Kölner Phonetik, Postel 1969; Metaphone, Philips 1990): ph and
// v as f, c, ck, q, g before a hard vowel as k, z, c before e and i, and sibilant
// groups as s, y and j as i, doubled letters once; h is silent; vowels are dropped
// after the first letter. Unlike Soundex it keeps what follows: no length limit.
//
// The argument is folded; spaces end nothing. "" for a text without letters.
func Phonetic(s string) string {
	var buf [32]byte
	out := buf[:0]
	var last byte
	for i := 0; i < len(s) && len(out) < cap(out); i++ {
		c := sound(s, &i)
		if c == 0 || c == last {
			if c == 0 {
				last = 0
			}
			continue
		}
		vowel := c == 'a'
		last = c
		if vowel && len(out) > 0 {
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

// sound gives the class of the letter at s[*i] and moves *i over what it took.
// 0: silent.
func sound(s string, i *int) byte {
	c := s[*i]
	var next byte
	if *i+1 < len(s) {
		next = s[*i+1]
	}
	switch c {
	case 'a', 'e', 'i', 'o', 'u', 'y', 'j':
		return 'a'
	case 'h', ' ':
		return 0
	case 'p', 't', 'r', 'g':
		if next == 'h' {
			*i++
			if c == 'p' {
				return 'f'
			}
		}
		if c == 'g' {
			return 'k'
		}
		return c
	case 'd':
		if next == 't' {
			*i++
		}
		return 't'
	case 'b':
		return 'p'
	case 'f', 'v', 'w':
		return 'f'
	case 'k', 'q':
		return 'k'
	case 'x':
		return 's'
	case 'c':
		switch next {
		case 'e', 'i', 'y', 'z':
			return 's'
		case 'h':
			*i++
			return 's'
		case 'k':
			*i++
		}
		return 'k'
	case 's':
		if next == 'c' && *i+2 < len(s) && s[*i+2] == 'h' {
			*i += 2
		} else if next == 'h' || next == 'z' {
			*i++
		}
		return 's'
	case 'z':
		return 's'
	case 'm', 'n':
		return 'n'
	}
	return c
}

// code hashes the phonetic code to 16 bits; 0 for none or a code of one letter,
// which says too little.
func code(s string) uint16 {
	p := Phonetic(s)
	if len(p) < 2 {
		return 0
	}
	h := uint32(2166136261) // FNV-1a
	for i := 0; i < len(p); i++ {
		h = (h ^ uint32(p[i])) * 16777619
	}
	if c := uint16(h ^ h>>16); c != 0 {
		return c
	}
	return 1
}
