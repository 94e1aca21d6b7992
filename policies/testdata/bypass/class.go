// want: b.class undefined
package main

import "github.com/weir-cdp/weir/policies/permit"

func main() {
	var b permit.Batch
	b.class = "another"
	println(b.Len())
}
