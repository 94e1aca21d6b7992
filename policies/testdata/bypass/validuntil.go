// want: b.validUntil undefined
package main

import (
	"time"

	"github.com/weir-cdp/weir/policies/permit"
)

func main() {
	var b permit.Batch
	b.validUntil = time.Time{}
	println(b.Len())
}
