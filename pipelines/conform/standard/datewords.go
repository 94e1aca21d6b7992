package standard

import (
	"strings"
	"unicode"
)

// token is a number or a word of a written date.
type token struct {
	text   string
	digits bool
	before rune // the sign in front of it
}

// maxDateWords bounds what is read of a text that is no date.
const maxDateWords = 12

// dateWords cuts the numbers and words of a date from the front of s, up to what
// must be a time of day, and returns that.
func dateWords(s string) (words []token, rest string) {
	numbers, months := 0, 0
	var before rune
	for i := 0; i < len(s) && len(words) < maxDateWords; {
		r, size := decode(s[i:])
		end := i + size
		isDigit, isLetter := r >= '0' && r <= '9', unicode.IsLetter(r)
		if !isDigit && !isLetter {
			before, i = r, end
			continue
		}
		for end < len(s) {
			r, size := decode(s[end:])
			if isDigit && (r < '0' || r > '9') || isLetter && !unicode.IsLetter(r) {
				break
			}
			end += size
		}
		w := token{text: s[i:end], digits: isDigit, before: before}
		full := numbers == 3 || numbers == 2 && months > 0 || numbers == 1 && len(words) > 0 && len(words[0].text) == 8
		if isDigit && (full || end < len(s) && s[end] == ':') || full && !inDate(w.text) {
			return words, s[i:]
		}
		switch {
		case isDigit:
			numbers++
		case monthOf(w.text) != 0:
			months++
		case !inDate(w.text):
			return append(words, token{text: w.text}, token{text: w.text, digits: true}), "" // no date: let order fail
		}
		words, before, i = append(words, w), 0, end
	}
	return words, ""
}

func decode(s string) (rune, int) {
	for _, r := range s {
		return r, len(string(r))
	}
	return 0, 1
}

// inDate are the words beside months that dates hold: weekdays, articles,
// ordinal endings, and the signs of year, month and day in East Asia.
func inDate(w string) bool { return dateFillers[fold(w)] || maybeWeekday(w) }

var dateFillers = set("de del of the le den der el il am du la st nd rd th er re e o a um at an 年 月 日 년 월 일 t")

// monthOf returns the number of a month's name or its usual short form in
// English, French, German, Spanish or Italian; 0: it is none.
func monthOf(w string) int { return monthNames[fold(w)] }

var monthNames = func() map[string]int {
	m := map[string]int{}
	for i, names := range []string{
		"january jan janvier janv januar jaenner janner jänner jan enero ene gennaio gen",
		"february feb february fevrier fevr fev februar feber febrero febr febbraio",
		"march mar mars marz maerz marzo mrz mär",
		"april apr avril avr abril abr aprile",
		"may mai mayo maggio mag",
		"june jun juin juni junio giugno giu",
		"july jul juillet juil juli julio luglio lug",
		"august aug aout aou agosto ago",
		"september sep sept septembre septiembre setiembre set settembre",
		"october oct octobre oktober okt octubre ottobre ott",
		"november nov novembre noviembre",
		"december dec decembre dezember dez diciembre dic dicembre",
	} {
		for _, n := range strings.Fields(names) {
			m[fold(n)] = i + 1
		}
	}
	return m
}()

var weekdays = set(`monday mon tuesday tue tues wednesday wed thursday thu thurs friday fri saturday sat sunday sun
	lundi lun mardi mar mercredi mer jeudi jeu vendredi ven samedi sam dimanche dim
	montag mo dienstag di mittwoch mi donnerstag do freitag fr samstag sa sonntag so sonnabend
	lunes martes miercoles mie jueves jue viernes vie sabado sab domingo dom
	lunedi martedi mercoledi giovedi gio venerdi sabato domenica`)

func maybeWeekday(w string) bool { return weekdays[fold(w)] }

// weekdayBefore reports whether the first word is a weekday whose short form is
// also a month's: "mar. 3 déc. 2024".
func weekdayBefore(words []token) bool { return len(words) > 0 && maybeWeekday(words[0].text) }
