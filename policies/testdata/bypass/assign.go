// want: b.rows undefined
package main

import "github.com/weir-cdp/weir/policies/permit"

func main() {
	var b permit.Batch
	b.rows = []permit.Row{{Key: "k"}}
	println(b.Len())
}
