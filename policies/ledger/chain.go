package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/weir-cdp/weir"
)

// Chain is the hash that covers a batch's record and, through Previous, all batches
// before it.
func Chain(b *weir.LedgerBatch) string {
	var c canonical
	c.text("weir consent.batches 1", b.Previous, b.Root, string(b.RunID))
	c.number(b.Number, b.First, b.Count)
	c.time(b.At)
	sum := sha256.Sum256(c)
	return hex.EncodeToString(sum[:])
}

// Next begins the batch that follows b; of an empty ledger b is nil.
func Next(b *weir.LedgerBatch) weir.LedgerBatch {
	if b == nil || b.Number == 0 {
		return weir.LedgerBatch{Number: 1, First: 1}
	}
	return weir.LedgerBatch{Number: b.Number + 1, First: b.First + b.Count, Previous: b.Chain}
}

// Head is what somebody may note down: with it, nobody can shorten or rewrite what
// was there without its being seen.
func Head(b weir.LedgerBatch) string {
	if b.Number == 0 {
		return "0:empty"
	}
	return strconv.FormatInt(b.Number, 10) + ":" + b.Chain
}

// ReadHead reads what Head wrote.
func ReadHead(text string) (number int64, chain string, err error) {
	n, chain, ok := strings.Cut(strings.TrimSpace(text), ":")
	number, err = strconv.ParseInt(n, 10, 64)
	if raw, bad := hex.DecodeString(chain); !ok || err != nil || number < 0 || number > 0 && (bad != nil || len(raw) != sha256.Size) || number == 0 && chain != "empty" {
		return 0, "", weir.Errorf(weir.Invalid, "%q is no head of the ledger", text).Then("it is NUMBER:HASH, as weir consent verify --head prints it")
	}
	return number, chain, nil
}
