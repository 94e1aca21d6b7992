package compare

import "strings"

// Of compares two prepared values of one kind. It is symmetric.
func Of(k Kind, a, b *Value) Level {
	if a.Text == "" || b.Text == "" {
		return Missing
	}
	switch k {
	case Date:
		return dateLevel(a, b)
	case Exact:
		if a.Text == b.Text {
			return ExactAgree
		}
		return ExactDiffer
	}
	if a.Text == b.Text {
		return Agree
	}
	switch k {
	case Name:
		return nameLevel(a, b)
	case Email:
		return emailLevel(a, b)
	case Phone, Number:
		if len(a.Text) > 2 && len(b.Text) > 2 && OneSlip(a.Text, b.Text) {
			return SlipOne
		}
		return SlipDiffer
	case Postcode:
		return postcodeLevel(a.Text, b.Text)
	case Company:
		return companyLevel(a, b)
	}
	return textLevel(a, b)
}

func nameLevel(a, b *Value) Level {
	x, y := a.Text, b.Text
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(x) == 1 {
		if x[0] == y[0] {
			return NameInitial
		}
		return NameDiffer
	}
	if len(x) < len(y) && words(x, y) {
		return NamePart
	}
	if len(x) > 2 && OneSlip(x, y) {
		return NameNear
	}
	bound := reach(a, b)
	jw := 0.0
	if bound >= 0.80 {
		if jw = JaroWinkler(x, y); jw >= 0.92 {
			return NameNear
		}
	}
	switch {
	case a.Nick != 0 && b.Nick != 0 && related(a.Nick, b.Nick):
		return NameNickname
	case a.Code != 0 && a.Code == b.Code:
		return NamePhonetic
	case jw >= 0.80:
		return NameClose
	}
	return NameDiffer
}

// words says that all words of the shorter text are words of the longer.
func words(short, long string) bool {
	if strings.IndexByte(long, ' ') < 0 {
		return false
	}
	for len(short) > 0 {
		w, rest, _ := strings.Cut(short, " ")
		if len(w) < 2 || !holds(long, w) {
			return false
		}
		short = rest
	}
	return true
}

func holds(text, word string) bool {
	for len(text) > 0 {
		w, rest, _ := strings.Cut(text, " ")
		if w == word {
			return true
		}
		text = rest
	}
	return false
}

func emailLevel(a, b *Value) Level {
	if OneSlip(a.Text, b.Text) {
		return EmailSlip
	}
	if a.Num <= 0 || b.Num <= 0 {
		return EmailDiffer
	}
	x, y := a.Text[:a.Num], b.Text[:b.Num]
	if x == y {
		return EmailLocal
	}
	if len(x) > 3 && len(y) > 3 && bound(x, y, a.Mask, b.Mask) >= 0.92 && JaroWinkler(x, y) >= 0.92 {
		return EmailNear
	}
	return EmailDiffer
}

func postcodeLevel(x, y string) Level {
	if len(x) > 2 && len(y) > 2 && OneSlip(x, y) {
		return PostcodeSlip
	}
	same := 0
	for same < len(x) && same < len(y) && x[same] == y[same] {
		same++
	}
	switch {
	case same > 2 && same >= max(len(x), len(y))-2:
		return PostcodeSector
	case same >= 2:
		return PostcodeDistrict
	}
	return PostcodeDiffer
}

func textLevel(a, b *Value) Level {
	x, y := a.Text, b.Text
	if min(len(x), len(y)) > 2 && OneSlip(x, y) {
		return TextNear
	}
	jw := 0.0
	if reach(a, b) >= 0.82 {
		if jw = JaroWinkler(x, y); jw >= 0.92 {
			return TextNear
		}
	}
	if shared(x, y) {
		return TextWords
	}
	if jw >= 0.82 {
		return TextClose
	}
	return TextDiffer
}

// shared says that at least two thirds of the words of the text that has fewer
// stand in the other too, and more than one or all.
func shared(x, y string) bool {
	nx, ny := strings.Count(x, " ")+1, strings.Count(y, " ")+1
	if nx > ny {
		x, y, nx, ny = y, x, ny, nx
	}
	if ny == 1 {
		return false
	}
	same := 0
	for len(x) > 0 {
		w, rest, _ := strings.Cut(x, " ")
		if len(w) > 1 && holds(y, w) {
			same++
		}
		x = rest
	}
	return same*3 >= nx*2 && same > 0
}
