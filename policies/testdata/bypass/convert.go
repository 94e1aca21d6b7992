// want: cannot convert
package main

import "github.com/weir-cdp/weir/policies/permit"

type mine struct{ rows []permit.Row }

func main() {
	b := permit.Batch(mine{rows: []permit.Row{{Key: "k"}}})
	println(b.Len())
}
