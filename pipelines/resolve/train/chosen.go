package train

import (
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// This file carries what is compared from the plan of a sample to training, which
// so need not read all columns again.

// columns are those that training compares, with their roles.
func (r *Report) columns(def weir.IdentityDef, records []weir.Record) []model.Column {
	cols := few(choose(r.Columns, def, records), r)
	roles(cols, r.Columns)
	return cols
}

// tell notes in the plan what was chosen.
func (p *Plan) tell(cols []model.Column, report *Report) {
	for i := range cols {
		c := &cols[i]
		p.Columns = append(p.Columns, PlanColumn{Name: c.Name, IsIdentifier: c.IsIdentifier, Kind: c.Kind, Role: c.Role, Limited: c.Limited, Complete: c.Complete})
	}
	for _, x := range report.Columns {
		told := *x
		told.counts = nil
		p.Profiles = append(p.Profiles, told)
	}
	p.Notes = report.Notes
}

// told is what was chosen when the plan was made.
func (p *Plan) told(report *Report) []model.Column {
	for i := range p.Profiles {
		x := p.Profiles[i]
		report.Columns = append(report.Columns, &x)
	}
	report.Notes = slices.Clone(p.Notes)
	var cols []model.Column
	for _, c := range p.Columns {
		cols = append(cols, model.Column{Name: c.Name, IsIdentifier: c.IsIdentifier, Kind: c.Kind, Role: c.Role, Limited: c.Limited, Complete: c.Complete})
	}
	return cols
}
