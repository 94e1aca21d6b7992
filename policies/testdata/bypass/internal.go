// want: use of internal package github.com/weir-cdp/weir/policies/internal/mint not allowed
package main

import (
	"github.com/weir-cdp/weir/policies/internal/mint"
	"github.com/weir-cdp/weir/policies/permit"
)

func main() {
	b := mint.New(mint.Batched{Activation: "a"}, []permit.Row{{Key: "k"}})
	println(b.Len())
}
