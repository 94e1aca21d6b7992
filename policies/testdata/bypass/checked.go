// want: unknown field passed|cannot refer to unexported field passed
package main

import "github.com/weir-cdp/weir/policies"

func main() {
	c := policies.Checked{passed: nil}
	b, _ := policies.Admit(c, policies.Delivery{}, nil)
	println(len(b))
}
