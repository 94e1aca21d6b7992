// want: implicit assignment to unexported field|too few values
package main

import (
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/permit"
)

func main() {
	b := permit.Batch{"a", weir.Run{}, "c", "r", time.Time{}, nil, []permit.Row{{Key: "k"}}}
	println(b.Len())
}
