// want: undefined: permit.New
package main

import "github.com/weir-cdp/weir/policies/permit"

func main() {
	b := permit.New([]permit.Row{{Key: "k"}})
	println(b.Len())
}
