// want: cannot use mine
package main

import "github.com/weir-cdp/weir/policies/permit"

type mine struct{ permit.Batch }

func (mine) Rows() []permit.Row { return []permit.Row{{Key: "k"}} }

func deliver(b permit.Batch) int { return b.Len() }

func main() { println(deliver(mine{})) }
