// The control: what every package may do with a batch. It must compile.
package main

import "github.com/weir-cdp/weir/policies/permit"

func main() {
	var b permit.Batch
	row := permit.Row{Key: "k"}
	println(b.Len(), row.Key)
}
