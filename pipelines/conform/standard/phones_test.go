package standard

import (
	"errors"
	"fmt"
	"testing"
)

// A remembered number is what reading it anew gives, for each region of its own
// and after more numbers than are remembered.
func TestRememberedPhonesAreThoseReadAnew(t *testing.T) {
	phones := &Phones{}
	same := func(text, region string) {
		t.Helper()
		got, gotErr := Phone(text, &Context{Country: region, Phones: phones})
		want, wantErr := Phone(text, &Context{Country: region})
		if got != want || !errors.Is(gotErr, wantErr) {
			t.Errorf("%q in %q: remembered %q %v, anew %q %v", text, region, got, gotErr, want, wantErr)
		}
	}
	texts := []string{"06 12 34 56 78", "+33 6 12 34 56 78", "030 123456", "020 7946 0958", "12", "call me", "06 12 34 56 78 ext. 4", "", "n/a"}
	for range 2 {
		for _, region := range []string{"FR", "DE", "GB", ""} {
			for _, text := range texts {
				same(text, region)
			}
		}
	}
	for i := range rememberedPhones + 1 {
		if _, err := Phone(fmt.Sprintf("06 00 %02d %02d %02d", i/10000, i/100%100, i%100), &Context{Country: "FR", Phones: phones}); err != nil {
			t.Fatal(err)
		}
	}
	if len(phones.seen) > rememberedPhones {
		t.Errorf("%d numbers are remembered", len(phones.seen))
	}
	same(texts[0], "FR")
}
