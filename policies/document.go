package policies

import (
	"context"
	"slices"
)

// RulePage is a rule with what officers said that it should do.
type RulePage struct {
	Rule
	Cases []CaseLine
	// Today is how many people it decides about by the decisions in force; nil: not
	// counted. Of a reason those whom it holds back, of a basis those whom it carries.
	Today *int64 `json:",omitempty"`
}

// CaseLine is a case in one line.
type CaseLine struct {
	Name  string
	Title string
	Where string // file:line
	Want  string // "deny (D06)"
}

// Document describes every labelled rule of a policy's folder ("": the built-in policy),
// sorted by code, with the cases that name its code or its basis; and its revision.
func Document(ctx context.Context, dir string) (pages []RulePage, revision string, err error) {
	fsys, name, err := open(dir)
	if err != nil {
		return nil, "", err
	}
	f, err := read(fsys)
	if err != nil {
		return nil, "", below(name, err)
	}
	g, err := f.gate(ctx, name, 0)
	if err != nil {
		return nil, "", err
	}
	cases, err := f.parseCases(g.vocab)
	if err != nil {
		return nil, "", below(name, err)
	}
	for _, r := range g.rules {
		p := RulePage{Rule: r, Cases: []CaseLine{}}
		for _, c := range cases {
			if slices.Contains(c.reasons, r.Code) || c.basis != "" && c.basis == r.Name {
				p.Cases = append(p.Cases, CaseLine{Name: c.Name, Title: c.Title, Where: c.At(), Want: words(c.wanted())})
			}
		}
		pages = append(pages, p)
	}
	return pages, g.revision, nil
}
