package cluster

// Hub is a refused suspect.
type Hub struct {
	Suspect  int // index of Graph.Suspects
	Profiles int // on how many it was when refused
}

// settle accepts suspects until none can be, joining their groups in f, and
// returns which are accepted and the hubs in the order of the suspects.
func (g *Graph) settle(f forest) ([]bool, []Hub) {
	accepted := make([]bool, len(g.Suspects))
	groups := make([][]Group, len(g.Suspects))
	for _, gr := range g.Groups {
		if gr.Suspect != Free {
			groups[gr.Suspect] = append(groups[gr.Suspect], gr)
		}
	}
	waiting := make([]int, len(g.Suspects))
	records := make([][]int32, len(g.Suspects))
	for i := range waiting {
		waiting[i] = i
		records[i] = append([]int32(nil), g.Suspects[i].Records...)
	}
	for progress := true; progress; {
		progress = false
		still := waiting[:0]
		for _, i := range waiting {
			s := g.Suspects[i]
			records[i] = f.roots(records[i])
			free := s.Parent == Free || accepted[s.Parent]
			if !free || len(records[i])+s.Extra > s.Allowed {
				still = append(still, i)
				continue
			}
			accepted[i] = true
			for _, gr := range groups[i] {
				g.join(f, gr)
			}
			progress = true
		}
		waiting = still
	}
	var hubs []Hub
	for _, i := range waiting {
		s := g.Suspects[i]
		if n := len(records[i]) + s.Extra; n > s.Allowed {
			hubs = append(hubs, Hub{Suspect: i, Profiles: n})
		}
	}
	return accepted, hubs
}

// roots replaces records by their distinct roots, so that a list shrinks as
// its records come together.
func (f forest) roots(records []int32) []int32 {
	for i, r := range records {
		records[i] = f.find(r)
	}
	return distinct(records)
}
