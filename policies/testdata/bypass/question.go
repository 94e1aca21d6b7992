// want: cannot refer to unexported field q|unknown field q
package main

import "github.com/weir-cdp/weir/policies"

func main() {
	c := policies.Checked{q: policies.Question{}}
	b, _ := policies.Admit(c, policies.Delivery{}, nil)
	println(len(b))
}
