// want: unknown field rows|cannot refer to unexported field rows
package main

import "github.com/weir-cdp/weir/policies/permit"

func main() {
	b := permit.Batch{rows: []permit.Row{{Key: "k"}}}
	println(b.Len())
}
