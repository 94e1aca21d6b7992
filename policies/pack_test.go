package policies

import (
	"bytes"
	"context"
	"testing"
)

func TestAPackedPolicyIsTheSamePolicy(t *testing.T) {
	dir := bundleWith(t, [3]string{"data/retention.yaml", "consent_max_age_days: 730", "consent_max_age_days: 90"})
	b, err := Pack(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Pack(dir)
	if err != nil || !bytes.Equal(b, again) {
		t.Errorf("a second time it is another: %v", err)
	}
	g, err := LoadPacked(context.Background(), b, "packed", Options{})
	if err != nil || g.Revision() != mustLoad(t, dir).Revision() {
		t.Errorf("%v", err)
	}
	if problems, err := CheckPacked(b); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	for cut := 0; cut < len(b); cut += len(b) / 40 {
		if _, err := LoadPacked(context.Background(), b[:cut], "cut", Options{}); err == nil {
			t.Errorf("%d of %d bytes load", cut, len(b))
		}
	}
}
